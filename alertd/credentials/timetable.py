"""When a credential is due next. Pure."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from alertd.model import CredentialRef

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def phase_of(ref: CredentialRef) -> float:
    """Where in the interval this credential is checked, in [0, 1): stable, and even over many."""
    digest = hashlib.sha256(ref.path.encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def next_due(now: datetime, interval: timedelta, phase: float) -> datetime:
    """The first moment after `now` at this phase of the interval, counted from the epoch."""
    offset = interval * phase
    periods = (now - EPOCH - offset) // interval + 1
    return EPOCH + offset + periods * interval


def confirmation(now: datetime, delays: Sequence[timedelta], streak: int) -> datetime | None:
    """When to look again after `streak` invalid answers in a row; None when enough was confirmed."""
    return now + delays[streak - 1] if 1 <= streak <= len(delays) else None
