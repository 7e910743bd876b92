"""Which alerts nobody wants to hear of, and until when. Pure; values are words or globs, never regular expressions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final
from uuid import UUID

LABELS: Final = ("tenant", "check", "subject", "exchange")
MAX_VALUES: Final = 100
MAX_VALUE_LENGTH: Final = 200
MAX_STARS: Final = 8
MAX_SILENCES: Final = 500  # that are not over
LONGEST: Final = timedelta(days=366)

# A label that an alert does not have is absent: a platform alert has no tenant.
Labels = Mapping[str, str]
# For each label the values of which any must fit: a word, or a glob where it has `*`, `?` or `[`.
Matchers = Mapping[str, tuple[str, ...]]


class State(StrEnum):
    """Where a silence stands."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that fit all matchers are recorded and not told, from `starts_at` until before `ends_at`.

    `expired_at` is when a person ended it early.
    """

    id: UUID
    matchers: Matchers
    comment: str
    created_by: str
    created_at: datetime
    starts_at: datetime
    ends_at: datetime
    expired_at: datetime | None = None
    expired_by: str | None = None

    def state(self, now: datetime) -> State:
        if self.expired_at is not None or now >= self.ends_at:
            return State.EXPIRED
        return State.PENDING if now < self.starts_at else State.ACTIVE


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a wish for a silence, and where: `/matchers/tenant`, `/ends_at`."""

    where: str
    detail: str


def matches(silence: Silence, labels: Labels, now: datetime) -> bool:
    """Whether the silence holds now, for an alert with these labels."""
    return silence.state(now) is State.ACTIVE and fits(silence.matchers, labels)


def first_match(silences: Iterable[Silence], labels: Labels, now: datetime) -> Silence | None:
    """The first of these that keeps an alert with these labels quiet now."""
    return next((silence for silence in silences if matches(silence, labels, now)), None)


def fits(matchers: Matchers, labels: Labels) -> bool:
    """Whether every matcher has a value that fits; no value fits a label that is absent, not even `*`."""
    return bool(matchers) and all(
        label in labels and any(fnmatchcase(labels[label], value) for value in values)
        for label, values in matchers.items()
    )


def labels_of(tenant_id: UUID | None, check: str, subject: str, exchange: str | None) -> Labels:
    """What silences can match an alert by."""
    labels = {
        "tenant": None if tenant_id is None else str(tenant_id),
        "check": check,
        "subject": subject,
        "exchange": exchange,
    }
    return {label: value for label, value in labels.items() if value is not None}


def faults(matchers: Matchers, starts_at: datetime, ends_at: datetime, now: datetime) -> tuple[Fault, ...]:
    """All that forbids such a silence; limits keep matching cheap whatever people write."""
    return (*matcher_faults(matchers), *_time_faults(starts_at, ends_at, now))


def matcher_faults(matchers: Matchers) -> tuple[Fault, ...]:
    found = [Fault("/matchers", "must name at least one label")] if not matchers else []
    for label, values in matchers.items():
        where = f"/matchers/{label}"
        if label not in LABELS:
            found.append(Fault("/matchers", f"may name {', '.join(LABELS)}"))
        elif not 1 <= len(values) <= MAX_VALUES:
            found.append(Fault(where, f"must have 1 to {MAX_VALUES} values"))
        else:
            found += [Fault(where, detail) for detail in {_value_fault(value): None for value in values} if detail]
    return tuple(found)


def _value_fault(value: str) -> str:
    if not 1 <= len(value) <= MAX_VALUE_LENGTH:
        return f"must have values of 1 to {MAX_VALUE_LENGTH} characters"
    if value.count("*") > MAX_STARS:
        return f"must not have more than {MAX_STARS} * in a value"
    return ""


def _time_faults(starts_at: datetime, ends_at: datetime, now: datetime) -> list[Fault]:
    if ends_at <= max(starts_at, now):
        return [Fault("/ends_at", "must be in the future, and after starts_at")]
    if ends_at - max(starts_at, now) > LONGEST:
        return [Fault("/ends_at", f"must not be more than {LONGEST.days} days after starts_at")]
    return []
