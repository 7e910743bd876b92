"""When a trading day begins: at a cut-off of the tenant's own clock, over clock changes too. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

DAY: Final = timedelta(days=1)
INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class DayBoundary:
    """A day is named after the local date on which it begins, at `cutoff`, and lasts until the next one begins.

    With the cut-off at 00:30 the minutes after midnight still belong to the day before. A cut-off that a
    clock change skips or repeats is where the clock would have been without the change.
    """

    timezone: str = "UTC"
    cutoff: time = time(0)

    def opens(self, day: date) -> datetime:
        """The first instant of the day, in UTC."""
        return datetime.combine(day, self.cutoff, tzinfo=ZoneInfo(self.timezone)).astimezone(UTC)

    def closes(self, day: date) -> datetime:
        """The first instant that is no longer in the day, in UTC."""
        return self.opens(day + DAY)

    def day_of(self, at: datetime) -> date:
        """The day that this instant is in."""
        local = at.astimezone(ZoneInfo(self.timezone)).date()
        while self.opens(local) > at:
            local -= DAY
        while self.closes(local) <= at:
            local += DAY
        return local

    def day_ends(self, times: Sequence[datetime]) -> Iterator[bool]:
        """Whether each of these ordered times is the last of its day; one at the very end belongs to the day.

        The last of all is not: its day may still go on.
        """
        if not times:
            return
        day = self.day_of(times[0] - INSTANT)
        closes = self.closes(day)
        for _, later in pairwise(times):
            yield later > closes
            while later > closes:
                day += DAY
                closes = self.closes(day)
        yield False

    def last_complete(self, now: datetime) -> date:
        """The latest day that is over."""
        return self.day_of(now) - DAY
