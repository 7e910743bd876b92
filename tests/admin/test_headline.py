"""The line that `systemctl status` shows."""

import pytest

from alertd.admin.vitals import headline


@pytest.mark.parametrize(
    ("waiting_for", "verdicts", "shown"),
    [
        ([], {}, "ready; 0 keys"),
        ([], {"valid": 7}, "ready; 7 keys: 7 valid"),
        ([], {"invalid": 2, "valid": 7, "inconclusive": 0}, "ready; 9 keys: 7 valid, 2 invalid"),
        (["database", "secret_store"], {}, "waiting for database and secret_store"),
    ],
)
def test_headline(waiting_for: list[str], verdicts: dict[str, int], shown: str) -> None:
    assert headline(waiting_for, verdicts) == shown
