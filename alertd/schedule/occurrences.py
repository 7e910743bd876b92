"""When something recurs, and what is owed after an absence; pure, all results aware and in UTC.

Times of day are found on their zone's calendar first and then placed in UTC by one rule: a time that
a clock change skips is due at the change, a time that occurs twice is due the first time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import IntEnum
from heapq import merge
from itertools import islice, takewhile
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)


class Weekday(IntEnum):
    """As cron numbers them."""

    SUNDAY = 0
    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6


@dataclass(frozen=True, slots=True)
class Daily:
    at: time

    def __post_init__(self) -> None:
        _check_time(self.at)

    @property
    def crons(self) -> tuple[str, ...]:
        return (f"{_clock(self.at)} * * *",)


@dataclass(frozen=True, slots=True)
class Weekly:
    day: Weekday
    at: time

    def __post_init__(self) -> None:
        _check_time(self.at)

    @property
    def crons(self) -> tuple[str, ...]:
        return (f"{_clock(self.at)} * * {self.day:d}",)


@dataclass(frozen=True, slots=True)
class Monthly:
    """On a day from 1 to 31; in a shorter month on its last day."""

    day: int
    at: time

    def __post_init__(self) -> None:
        _check_time(self.at)
        if not 1 <= self.day <= 31:
            raise ValueError(f"a month has no day {self.day}")

    @property
    def crons(self) -> tuple[str, ...]:
        """Cron cannot say "the 30th, or the last": February gets a line of its own."""
        clock = _clock(self.at)
        if self.day == 31:
            return (f"{clock} L * *",)
        this_day = f"{clock} {self.day} * *"
        return (this_day,) if self.day <= 28 else (this_day, f"{clock} L 2 *")


@dataclass(frozen=True, slots=True)
class Interval:
    """At each whole multiple of `every` since 1970, so that all processes agree without talking."""

    every: timedelta

    def __post_init__(self) -> None:
        if self.every <= timedelta():
            raise ValueError("an interval must be positive")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Something that recurs. `max_age` is how late an occurrence may still be run.

    `timezone` is an IANA name and gives times of day their meaning; intervals do not care.
    """

    name: str
    spec: Daily | Weekly | Monthly | Interval
    max_age: timedelta
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        try:
            _ = self.zone
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"there is no time zone {self.timezone!r}") from error

    @property
    def zone(self) -> tzinfo:
        """UTC works on machines without a time zone database, too."""
        return UTC if self.timezone == "UTC" else ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about a schedule now: perhaps run one occurrence, perhaps record others as missed.

    `missed` occurrences lie between `missed_from` and `missed_to`, both included.
    """

    run: datetime | None = None
    late: timedelta = timedelta()
    missed: int = 0
    missed_from: datetime | None = None
    missed_to: datetime | None = None


def next_after(schedule: Schedule, moment: datetime) -> datetime:
    """The first occurrence later than `moment`."""
    return next(_from(schedule, moment))


def occurrence_at_or_before(schedule: Schedule, moment: datetime) -> datetime:
    """The last occurrence not later than `moment`."""
    if isinstance(schedule.spec, Interval):
        return EPOCH + (moment - EPOCH) // schedule.spec.every * schedule.spec.every
    start = _local(moment, schedule.zone) + _DAY  # more than any clock change
    past = merge(*(CronSim(cron, start, reverse=True) for cron in schedule.spec.crons), reverse=True)
    return next(at for at in (_in_utc(local, schedule.zone) for local in past) if at <= moment)


def upcoming(schedule: Schedule, moment: datetime, *, count: int) -> tuple[datetime, ...]:
    """The next `count` occurrences later than `moment`."""
    return tuple(islice(_from(schedule, moment), count))


def plan(schedule: Schedule, *, last: datetime | None, since: datetime, now: datetime) -> Plan:
    """What is owed at `now`, when `last` is the newest occurrence on record.

    Nothing up to `since` is owed: the schedule did not exist, or was disabled. The newest occurrence
    runs while it is younger than `max_age`; all older ones are missed. A `last` in the future was
    written under a clock that was wrong: then only what may still run is looked at.
    """
    begin = since if last is None else max(since, last if last <= now else now - schedule.max_age)
    newest = occurrence_at_or_before(schedule, now)
    if newest <= begin:
        return Plan()
    late = now - newest
    runs = late <= schedule.max_age
    missed = _count(schedule, begin, newest) - (1 if runs else 0)
    if missed == 0:
        return Plan(run=newest, late=late)
    return Plan(
        run=newest if runs else None,
        late=late if runs else timedelta(),
        missed=missed,
        missed_from=next_after(schedule, begin),
        missed_to=occurrence_at_or_before(schedule, newest - timedelta.resolution) if runs else newest,
    )


def _check_time(at: time) -> None:
    if at.second or at.microsecond or at.tzinfo is not None:
        raise ValueError(f"a time of day has hours and minutes only, unlike {at}")


def _clock(at: time) -> str:
    return f"{at.minute} {at.hour}"


def _local(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _from(schedule: Schedule, moment: datetime) -> Iterator[datetime]:
    """All occurrences later than `moment`, for ever."""
    if isinstance(schedule.spec, Interval):
        at = occurrence_at_or_before(schedule, moment)
        while True:
            at += schedule.spec.every
            yield at
    start = _local(moment, schedule.zone) - _DAY
    latest = moment
    for local in merge(*(CronSim(cron, start) for cron in schedule.spec.crons)):
        at = _in_utc(local, schedule.zone)
        if at > latest:  # not so: before `moment`, or the 29th of February, which two lines name
            yield at
            latest = at


def _count(schedule: Schedule, start: datetime, end: datetime) -> int:
    """How many occurrences lie after `start` and up to `end`; intervals may be many, so they are computed."""
    if isinstance(schedule.spec, Interval):
        return (end - EPOCH) // schedule.spec.every - (start - EPOCH) // schedule.spec.every
    return sum(1 for _ in takewhile(lambda at: at <= end, _from(schedule, start)))


def _in_utc(local: datetime, zone: tzinfo) -> datetime:
    """The moment when clocks in `zone` first show `local`, or jump over it."""
    at = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _local(at, zone) == local:
        return at
    # Skipped. Read with the offset before the change it lies after the change, and the other way round.
    low, high = local.replace(tzinfo=zone, fold=1).astimezone(UTC), at
    before = low.astimezone(zone).utcoffset()
    while high - low > _SECOND:
        middle = low + (high - low) // 2 // _SECOND * _SECOND
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
