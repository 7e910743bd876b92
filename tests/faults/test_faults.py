"""Everything that can break does, several things at a time: each tenant is told the truth, once."""

from pathlib import Path

import pytest

from tests.faults.story import play


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1, 2])
async def test_every_tenant_is_told_the_truth_once(folder: Path, seed: int) -> None:
    outcome = await play(seed, folder, number_of_rounds=3, strikes=10)

    assert outcome.problems == []
    assert outcome.messages > 0
