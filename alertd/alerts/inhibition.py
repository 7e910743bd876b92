"""Which alert makes another one not worth a message: its cause, or the same subject's louder one. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from alertd.alerts.identity import PLATFORM_CHECK, Identity
from alertd.model import Severity

# The rule of the platform's alert that performance data as a whole is missing or cannot be read.
MISSING_DATA: Final = "performance_data"


@dataclass(frozen=True, slots=True)
class Standing:
    """An alert that fires; `told` is the severity that people know of, None if nobody was told."""

    id: UUID
    identity: Identity
    told: Severity | None


def cause(
    identity: Identity, severity: Severity, *, depends_on: str | None, standing: Iterable[Standing]
) -> Standing | None:
    """The alert because of which nobody need hear of this one, if there is one.

    The platform lacks the data of many: warnings are what follows from it; a critical finding was made by
    data that is there, and passes. `depends_on`, the subject of another alert of the same tenant (the
    credential through which the account is read), fires: whatever is found follows from it. A critical
    alert of the same subject that people know of: its warnings say less.
    """
    return next((each for each in standing if _mutes(each, identity, severity, depends_on)), None)


def _mutes(other: Standing, identity: Identity, severity: Severity, depends_on: str | None) -> bool:
    if other.identity == identity:
        return False
    if other.identity.check == PLATFORM_CHECK:
        return other.identity.rule == MISSING_DATA and severity.rank < Severity.CRITICAL.rank
    if other.identity.tenant_id != identity.tenant_id:
        return False
    if depends_on is not None and other.identity.subject == depends_on:
        return True
    louder = other.told is not None and other.told.rank >= Severity.CRITICAL.rank > severity.rank
    return louder and other.identity.subject == identity.subject
