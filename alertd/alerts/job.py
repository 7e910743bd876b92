"""What a schedule runs, tried as often as its settings say, and how that went."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt, wait_exponential

from alertd.alerts.execution_listing import NO_DATA, explained, succeeded
from alertd.config import RetrySettings
from alertd.errors import AlertdError, Busy, StoreDown
from alertd.schedule import Schedule

log = structlog.get_logger(__name__)

Work = Callable[[datetime], Awaitable[Mapping[str, Any]]]


async def no_data(_at: datetime) -> Mapping[str, Any]:
    """The work of a check that has nothing to look at yet."""
    return {"outcome": NO_DATA}


@dataclass(frozen=True, slots=True)
class Job:
    """A schedule and what it runs; the work is told the scheduled time and returns what to keep of it.

    `asked` is run instead when a person triggers it; `dry` only looks, and changes nothing anywhere.
    """

    schedule: Schedule
    work: Work
    retry: RetrySettings
    asked: Work | None = None
    dry: Work = no_data


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run went; `error` None: nothing went wrong. `busy`: what it would have done is being done already.

    `told`: operators hear of what went wrong from whoever noticed it.
    """

    attempts: int
    error: str | None
    result: Mapping[str, Any] | None
    busy: bool = False
    told: bool = False

    @property
    def success(self) -> bool:
        return bool(succeeded("succeeded" if self.error is None else "failed", self.result))

    @property
    def error_message(self) -> str | None:
        return explained(self.error, self.result)


async def attempted(job: Job, work: Work, at: datetime, *, tries: int) -> Ended:
    """Run the work until it succeeds, `tries` times at most. Whatever goes wrong is in the answer, never raised."""
    attempts = 0
    try:
        async for attempt in _attempts(job, tries):
            with attempt:
                attempts = attempt.retry_state.attempt_number
                return Ended(attempts, None, await work(at))
    except AlertdError as exc:
        return Ended(attempts, str(exc), None, busy=isinstance(exc, Busy), told=isinstance(exc, (Busy, StoreDown)))
    except Exception as exc:  # around an occurrence: the schedule goes on
        log.exception("Scheduled run broke", schedule=job.schedule.name)
        return Ended(attempts, f"internal error ({type(exc).__name__}); see the log", None)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _attempts(job: Job, tries: int) -> AsyncRetrying:
    retry = job.retry
    return AsyncRetrying(
        stop=stop_after_attempt(max(1, tries)),
        wait=wait_exponential(multiplier=retry.initial_delay, exp_base=retry.backoff_multiplier, max=retry.max_delay),
        before_sleep=lambda state: _say_retry(job.schedule.name, state),
        reraise=True,
    )


def _say_retry(schedule: str, state: RetryCallState) -> None:
    log.info("Scheduled run retry", schedule=schedule, attempt=state.attempt_number)
