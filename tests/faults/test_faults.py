"""Everything that can break does, several things at a time: each tenant is told the truth, once."""

from pathlib import Path

import pytest

from tests.faults.plan import Fault
from tests.faults.story import play


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1, 2])
async def test_every_tenant_is_told_the_truth_once(folder: Path, seed: int) -> None:
    outcome = await play(seed, folder, number_of_rounds=2, strikes=14)

    assert outcome.problems == []
    assert outcome.messages > 0
    assert [fault for fault in Fault if not outcome.felt[fault]] == []
