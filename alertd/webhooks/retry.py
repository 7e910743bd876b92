"""Delivered, again, or hopeless, and when. Pure: no clock, no chance, no I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final, Literal, assert_never

PATIENT: Final = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
LONGEST_WAIT: Final = timedelta(days=1)
FIRST_COOLDOWN: Final = timedelta(minutes=15)
LONGEST_COOLDOWN: Final = timedelta(hours=24)
STRETCH: Final = 0.1

Profile = Literal["fast", "patient"]


class Fault(StrEnum):
    """Why an attempt brought no usable answer. A closed set: stored, counted and shown."""

    DNS = "dns"  # the name does not resolve, or not in time
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"  # the total deadline passed, wherever the attempt was
    RESET = "reset"  # the connection ended before an answer
    PROTOCOL = "protocol"  # what came is not HTTP, or too much of it
    REFUSED_ADDRESS = "refused_address"  # the guard said no
    REFUSED_URL = "refused_url"  # the settings do not allow this URL (any more)
    UNCONFIGURED = "unconfigured"  # our settings hold no notifier of this name; another daemon's may
    NOTIFIER = "notifier"  # the notification library could not deliver
    INTERNAL = "internal"  # we could not even make the request: a bug of ours, or no secret to sign with


class Result(StrEnum):
    """What to do about a delivery after an attempt."""

    DELIVERED = "delivered"
    AGAIN = "again"
    HOPELESS = "hopeless"  # no attempt can succeed before somebody changes a setting
    GONE = "gone"  # 410: the receiver asks to be left alone


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt came to. Neither a status nor a fault: a channel without statuses accepted it.

    `response` is at most 4 KiB of the answer as text; `retry_after` what the receiver asked for;
    `address` the numeric address that was connected, where that is known.
    """

    status: int | None = None
    error: Fault | None = None
    response: str = ""
    retry_after: timedelta | None = None
    duration: timedelta = timedelta(0)
    address: str | None = None

    @property
    def label(self) -> Literal["success", "failure", "timeout"]:
        """The word for the delivery log and the metric."""
        if classify(self) is Result.DELIVERED:
            return "success"
        return "timeout" if self.error is Fault.TIMEOUT else "failure"


def classify(outcome: Outcome) -> Result:
    """A fault outweighs a status: an answer that was not complete in time is no success."""
    match outcome.error:
        case None:
            return _classify_status(outcome.status)
        case Fault.REFUSED_URL:
            return Result.HOPELESS
        case (
            Fault.DNS
            | Fault.CONNECT
            | Fault.TLS
            | Fault.TIMEOUT
            | Fault.RESET
            | Fault.PROTOCOL
            | Fault.REFUSED_ADDRESS
            | Fault.UNCONFIGURED
            | Fault.NOTIFIER
            | Fault.INTERNAL
        ):
            return Result.AGAIN
        case _:
            assert_never(outcome.error)


def waits(profile: Profile, attempts: int, base: timedelta) -> tuple[timedelta, ...]:
    """The pauses between attempts; `attempts` counts the first try.

    fast: base x 1, 2, 4, ...; patient: the same, then 1 min, 10 min, 1 h, 6 h. No pause exceeds a day.
    """
    seconds, longest = base.total_seconds(), LONGEST_WAIT.total_seconds()
    fast = tuple(timedelta(seconds=min(seconds * 2.0**step, longest)) for step in range(attempts - 1))
    match profile:
        case "fast":
            return fast
        case "patient":
            return fast + PATIENT
        case _:
            assert_never(profile)


def next_attempt(
    *,
    waits: Sequence[timedelta],
    attempts: int,
    now: datetime,
    jitter: Callable[[], float],
    retry_after: timedelta | None = None,
    ceiling: timedelta = timedelta(hours=1),
) -> datetime | None:
    """When to try again after `attempts` (1 or more) failed tries; None when that was the last.

    A longer `retry_after` wins, up to `ceiling`. `jitter` returns a number in [0, 1) and stretches
    the wait by up to 10 %: never earlier than the schedule or the receiver says.
    """
    if attempts > len(waits):
        return None
    wait = max(waits[attempts - 1], min(retry_after or timedelta(0), ceiling))
    return now + wait * (1 + STRETCH * jitter())


def retry_after(status: int, header: str | None, now: datetime) -> timedelta | None:
    """What a `Retry-After` asks for: seconds or a date (RFC 9110, 10.2.3), of a 429 or 503 only.

    None for anything unreadable, negative or past; more than a day is a day.
    """
    if status not in (429, 503) or header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        # the length is looked at first: Python refuses to read numbers of thousands of digits
        wait = LONGEST_WAIT if len(text) > 9 else timedelta(seconds=int(text))
    else:
        date = _date(text)
        wait = timedelta(0) if date is None else date - now
    return min(wait, LONGEST_WAIT) if wait > timedelta(0) else None


def opened(*, failures: int, threshold: int, cooldown: timedelta) -> timedelta | None:
    """How long an endpoint's circuit stays open after one more failed delivery; None: it stays closed.

    `failures` in a row, this one included; `cooldown` is the running one (zero while closed), so a
    failed probe doubles it: 15 min, 30 min, ... 24 h.
    """
    if cooldown > timedelta(0):
        return min(cooldown * 2, LONGEST_COOLDOWN)
    return FIRST_COOLDOWN if failures >= threshold else None


def _classify_status(status: int | None) -> Result:
    if status is None or 200 <= status < 300:
        return Result.DELIVERED
    return Result.GONE if status == 410 else Result.AGAIN


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
