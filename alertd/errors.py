"""The three ways a thing can fail that the rest of the code tells apart; anything else is a bug.

AlertdError
├─ ConfigError   the operator must change a setting; exit 78, every problem at once
├─ Transient     no answer, or "not now": try later, accuse nobody
│  └─ StoreDown  the whole secret store is sealed, gone, or rejects our login
└─ Refused       understood, and no: a verdict about one thing
   ├─ Absent     the thing is not there (any more)
   ├─ Conflict   the thing is there already
   └─ Busy       somebody else is doing it right now
"""

from collections.abc import Sequence
from enum import StrEnum


class AlertdError(Exception):
    """Base of what alertd raises on purpose. The text is for people and never holds a secret."""


class ConfigError(AlertdError):
    """Settings that cannot work. `problems` has one line for each, naming the setting and the remedy."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Transient(AlertdError):
    """The outside did not answer, or asked us to come back later."""


class StoreFault(StrEnum):
    """Why a whole secret store is of no use at the moment."""

    SEALED = "sealed"
    UNREACHABLE = "unreachable"
    LOGIN_REFUSED = "login_refused"
    FORBIDDEN = "forbidden"


class StoreDown(Transient):
    """No secret at all can be read; a sweep that meets this fails and touches no credential."""

    def __init__(self, fault: StoreFault, message: str) -> None:
        self.fault = fault
        super().__init__(message)


class Refused(AlertdError):
    """The outside understood the request and said no."""


class Absent(Refused):
    """What was asked for does not exist, or no longer does."""


class Busy(Refused):
    """Another process, or another request, holds what was asked for."""


class Conflict(Refused):
    """What was to be made is there already."""
