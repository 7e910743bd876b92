"""The published family of addresses: how the scheduled checks stand, and what fired lately."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import Field

from alertd.admin.access import Permission
from alertd.admin.daemon import Daemon
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import Answer, NoBody, NoParams, Params, Time
from alertd.alerts import execution_listing
from alertd.alerts.execution_listing import Execution
from alertd.alerts.job import Job
from alertd.alerts.summary import Standing, summary
from alertd.alerts.switch_store import switches
from alertd.config import Settings
from alertd.schedule import Frequency, frequency, next_after, time_of_day

PATH: Final = "/api/performance-alerts/schedule"
RECENT: Final = 5
LONGEST_HOURS: Final = 168

Data = TypeVar("Data")


class Wrapped(Answer, Generic[Data]):
    """What every answer of this family looks like."""

    success: bool
    data: Data
    timestamp: Time
    authenticated_user: str


class RetryConfig(Answer):
    """How attempts follow each other; the first one counts."""

    max_attempts: int
    delay_seconds: float
    backoff_multiplier: float


class SuppressionConfig(Answer):
    """When an unchanged alert is repeated, and one that nobody acknowledged is escalated."""

    suppress_similar_minutes: float
    escalation_delay_minutes: float


class Configuration(Answer):
    """The settings of the scheduled checks; times are UTC."""

    daily_pnl_time: str
    weekly_stability_time: str
    weekly_stability_day: str
    monthly_forward_time: str
    monthly_forward_day: int
    threshold_check_1_time: str
    threshold_check_2_time: str
    retry_config: RetryConfig
    suppression_config: SuppressionConfig


class CheckRetryConfig(Answer):
    """How the attempts of this check follow each other."""

    max_attempts: int
    initial_delay: float
    backoff_multiplier: float


class RunView(Answer):
    """One run; `success` null: it is under way."""

    execution_id: str
    started_at: Time | None
    completed_at: Time | None
    success: bool | None
    attempt_count: int
    error_message: str | None


class ScheduledView(Answer):
    """One scheduled check; `next_run` null: it is switched off. An `interval` has no time of day."""

    name: str
    frequency: Frequency
    enabled: bool
    time_of_day: str | None
    last_run: Time | None
    next_run: Time | None
    retry_config: CheckRetryConfig
    recent_executions: Annotated[list[RunView], Field(description="The newest first.")]


class StatusView(Answer):
    """How the scheduled checks stand."""

    scheduler_running: bool
    configuration: Configuration
    scheduled_alerts: list[ScheduledView]


class BreachRate(Answer):
    """Performance alerts of the period, and the longest run of bad days among the subjects that have one now."""

    consecutive_breaches: int
    recent_breach_count: int


class SummaryView(Answer):
    """The alerts that fired in the last hours, by severity, and how things stand now.

    `active_suppressions`: alerts that are not repeated at the moment while they stay as they are.
    """

    period_hours: int
    total_alerts: int
    emergency_alerts: int
    critical_alerts: int
    warning_alerts: int
    info_alerts: int
    breach_rate: BreachRate
    sharpe_status: Standing
    active_suppressions: int


class HoursPath(Params):
    """How far to look back."""

    hours: Annotated[int, Field(ge=1, le=LONGEST_HOURS)]


async def show_schedule(daemon: Daemon, call: Call[NoParams, NoBody]) -> Wrapped[StatusView]:
    jobs = daemon.executions.jobs
    enabled = await switches(daemon.db)
    recent = await execution_listing.latest(daemon.db, list(jobs), each=RECENT)
    data = StatusView(
        scheduler_running=daemon.executions.scheduled,
        configuration=_configuration(daemon.settings),
        scheduled_alerts=[
            _scheduled(name, job, recent[name], enabled=enabled.get(name, True), now=call.now)
            for name, job in jobs.items()
        ],
    )
    return wrapped(call, data, StatusView)


async def show_summary(daemon: Daemon, call: Call[HoursPath, NoBody]) -> Wrapped[SummaryView]:
    hours = call.params.hours
    quiet = timedelta(minutes=daemon.settings.alerts.suppress_similar_minutes)
    found = await summary(daemon.db, since=call.now - timedelta(hours=hours), now=call.now, quiet=quiet)
    data = SummaryView(
        period_hours=hours,
        total_alerts=found.total,
        emergency_alerts=found.emergency,
        critical_alerts=found.critical,
        warning_alerts=found.warning,
        info_alerts=found.info,
        breach_rate=BreachRate(consecutive_breaches=found.in_a_row, recent_breach_count=found.breaches),
        sharpe_status=found.sharpe,
        active_suppressions=found.suppressed,
    )
    return wrapped(call, data, SummaryView)


def wrapped(call: Call[Any, Any], data: Data, shape: type[Data], *, success: bool = True) -> Wrapped[Data]:
    return Wrapped[shape](  # type: ignore[valid-type]
        success=success, data=data, timestamp=call.now, authenticated_user=call.who.username
    )


def _configuration(settings: Settings) -> Configuration:
    alerts = settings.alerts
    return Configuration(
        daily_pnl_time=f"{alerts.daily_pnl_time:%H:%M}",
        weekly_stability_time=f"{alerts.weekly_stability_time:%H:%M}",
        weekly_stability_day=alerts.weekly_stability_day.value,
        monthly_forward_time=f"{alerts.monthly_forward_time:%H:%M}",
        monthly_forward_day=alerts.monthly_forward_day,
        threshold_check_1_time=f"{alerts.threshold_time_1:%H:%M}",
        threshold_check_2_time=f"{alerts.threshold_time_2:%H:%M}",
        retry_config=RetryConfig(
            max_attempts=alerts.max_retry_attempts,
            delay_seconds=alerts.retry_delay_seconds,
            backoff_multiplier=alerts.retry_backoff_multiplier,
        ),
        suppression_config=SuppressionConfig(
            suppress_similar_minutes=alerts.suppress_similar_minutes,
            escalation_delay_minutes=alerts.escalation_delay_minutes,
        ),
    )


def _scheduled(name: str, job: Job, recent: Sequence[Execution], *, enabled: bool, now: datetime) -> ScheduledView:
    return ScheduledView(
        name=name,
        frequency=frequency(job.schedule.spec),
        enabled=enabled,
        time_of_day=time_of_day(job.schedule),
        last_run=recent[0].started_at if recent else None,
        next_run=next_after(job.schedule, now) if enabled else None,
        retry_config=CheckRetryConfig(
            max_attempts=job.retry.max_attempts,
            initial_delay=job.retry.initial_delay,
            backoff_multiplier=job.retry.backoff_multiplier,
        ),
        recent_executions=[_run(execution) for execution in recent],
    )


def _run(execution: Execution) -> RunView:
    return RunView(
        execution_id=execution.execution_id,
        started_at=execution.started_at,
        completed_at=execution.finished_at,
        success=execution.success,
        attempt_count=execution.attempt_count,
        error_message=execution.error_message,
    )


ROUTES: Final = (
    Route(
        method="GET",
        path=f"{PATH}/status",
        handler=show_schedule,
        permission=Permission.VIEW_STATUS,
        summary="The scheduled checks: when they run, and how they went",
        answer=Wrapped[StatusView],
    ),
    Route(
        method="GET",
        path=f"{PATH}/summary/{{hours}}",
        handler=show_summary,
        permission=Permission.VIEW_HISTORY,
        summary="The alerts of the last hours in numbers",
        params=HoursPath,
        answer=Wrapped[SummaryView],
        bad_path=HTTPStatus.BAD_REQUEST,
    ),
)
