"""How everything stands, in one answer: what the dashboard opens with. A tenant sees the part that is his."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field

from alertd import __version__
from alertd.admin.access import Permission
from alertd.admin.daemon import Daemon
from alertd.admin.dashboard import figures
from alertd.admin.dashboard.figures import ComingCheck, ExchangeFigures
from alertd.admin.routes.sweeps import SweepView, sweep_view
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import Answer, NoBody, NoParams, Time
from alertd.alerts.switch_store import switches
from alertd.credentials import sweep_store
from alertd.credentials.sweep_store import Origin, SweepState
from alertd.model import CredentialRef, CredentialType, Reason
from alertd.schedule import upcoming

COMING_CHECKS: Final = 6
COMING_RUNS: Final = 5
SWEEPS: Final = 20  # the newest that began; of these one is shown


class ExchangeView(Answer):
    """The keys of one exchange by their last verdict; `risky` are valid with warnings.

    `checked_last_minute` counts checks, of which each makes a request or two, against `requests_per_second`.
    `reserved_until`: up to when requests are spoken for. `backed_off_until`: nobody asks the exchange before.
    """

    exchange: str
    total: int
    valid: int
    invalid: int
    inconclusive: int
    unchecked: int
    risky: int
    checked_last_minute: int
    requests_per_second: float
    reserved_until: Time | None
    backed_off_until: Time | None
    backed_off_reason: Reason | None
    next_check_at: Time | None


class MessagesView(Answer):
    """Deliveries that wait, and those made within a day that failed. `oldest_due_at` null: none is late."""

    pending: int
    held: int
    parked: int
    failed_last_day: int
    oldest_due_at: Time | None


class EndpointsView(Answer):
    """The endpoints. Those with an open circuit are left alone for a while after too many failures."""

    total: int
    open_circuits: int
    switched_off: int


class AlertsView(Answer):
    """Alerts that fire: those that nobody looks after, by severity, and the acknowledged ones."""

    info: int
    warning: int
    critical: int
    emergency: int
    acknowledged: int


class ComingCheckView(Answer):
    """A key and when it is due."""

    tenant_id: UUID
    exchange: str
    leaf: str
    at: Time


class ComingRunsView(Answer):
    """A scheduled check and its next runs; none while it is switched off."""

    name: str
    enabled: bool
    next_runs: list[Time]


class PlatformView(Answer):
    """The daemon that answers. `waiting_for` names what keeps it from its work; empty: nothing does."""

    version: str
    database: Literal["embedded", "postgresql"]
    secret_store: str
    secret_store_usable: bool
    waiting_for: list[str]
    scheduler_running: bool
    authentication: bool


class OverviewView(Answer):
    """What there is and how it stands. What is for operators is null for tenants."""

    at: Time
    exchanges: list[ExchangeView]
    messages: MessagesView
    endpoints: EndpointsView
    coming_checks: Annotated[list[ComingCheckView], Field(description="The soonest first.")]
    alerts: AlertsView | None
    sweep: Annotated[SweepView | None, Field(description="The one that runs, else the newest that is over.")]
    schedules: list[ComingRunsView] | None
    platform: PlatformView | None


async def show_overview(daemon: Daemon, call: Call[NoParams, NoBody]) -> OverviewView:
    tenant_id = call.scope
    exchanges = await figures.exchange_figures(daemon.db, tenant_id, call.now)
    messages = await figures.message_figures(daemon.db, tenant_id, call.now)
    coming = await figures.coming_checks(daemon.db, tenant_id, limit=COMING_CHECKS)
    return OverviewView(
        at=call.now,
        exchanges=[_exchange(daemon, one, call.now, shared=tenant_id is None) for one in exchanges],
        messages=MessagesView(
            pending=messages.pending,
            held=messages.held,
            parked=messages.parked,
            failed_last_day=messages.failed,
            oldest_due_at=messages.due_at,
        ),
        endpoints=EndpointsView(
            total=messages.endpoints, open_circuits=messages.open_circuits, switched_off=messages.switched_off
        ),
        coming_checks=[_coming(check) for check in coming],
        **(await _for_operators(daemon, call) if tenant_id is None else _NOTHING),
    )


_NOTHING: Final = {"alerts": None, "sweep": None, "schedules": None, "platform": None}


async def _for_operators(daemon: Daemon, call: Call[NoParams, NoBody]) -> dict[str, Any]:
    return {
        "alerts": AlertsView.model_validate(await figures.alert_figures(daemon.db)),
        "sweep": await _sweep(daemon),
        "schedules": await _schedules(daemon, call.now),
        "platform": _platform(daemon),
    }


def _exchange(daemon: Daemon, one: ExchangeFigures, now: datetime, *, shared: bool) -> ExchangeView:
    """What the exchange's budget is used for is nobody's business who has only his own keys there."""
    backed_off = one.backed_off_until is not None and one.backed_off_until > now
    busy = one.reserved_until is not None and one.reserved_until > now
    reason = one.backed_off_reason
    return ExchangeView(
        exchange=one.exchange,
        total=one.total,
        valid=one.valid,
        invalid=one.invalid,
        inconclusive=one.inconclusive,
        unchecked=one.unchecked,
        risky=one.risky,
        checked_last_minute=one.checked,
        requests_per_second=daemon.settings.exchange(one.exchange).requests_per_second,
        reserved_until=one.reserved_until if shared and busy else None,
        backed_off_until=one.backed_off_until if backed_off else None,
        backed_off_reason=Reason(reason) if backed_off and reason is not None else None,
        next_check_at=one.due_at,
    )


def _coming(check: ComingCheck) -> ComingCheckView:
    ref = CredentialRef(check.tenant_id, check.exchange, CredentialType(check.credential_type), check.label)
    return ComingCheckView(tenant_id=ref.tenant_id, exchange=ref.exchange, leaf=ref.leaf, at=check.at)


async def _sweep(daemon: Daemon) -> SweepView | None:
    """A scheduled pass is spread over its interval and counted when it ends, so until then there is nothing to see."""
    newest = await sweep_store.before(daemon.db, None, limit=SWEEPS)
    shown = [sweep for sweep in newest if sweep.state is not SweepState.RUNNING or sweep.origin is not Origin.SCHEDULE]
    shown.sort(key=lambda sweep: sweep.state is SweepState.RUNNING, reverse=True)
    return sweep_view(shown[0]) if shown else None


async def _schedules(daemon: Daemon, now: datetime) -> Sequence[ComingRunsView]:
    enabled = await switches(daemon.db)
    return [
        ComingRunsView(
            name=name,
            enabled=enabled.get(name, True),
            next_runs=list(upcoming(job.schedule, now, count=COMING_RUNS)) if enabled.get(name, True) else [],
        )
        for name, job in daemon.executions.jobs.items()
    ]


def _platform(daemon: Daemon) -> PlatformView:
    return PlatformView(
        version=__version__,
        database="embedded" if daemon.settings.database.dsn is None else "postgresql",
        secret_store=daemon.secrets.name,
        secret_store_usable=daemon.sweeper.watch.usable,
        waiting_for=list(daemon.waiting_for()),
        scheduler_running=daemon.executions.scheduled,
        authentication=daemon.gate.enabled,
    )


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/overview",
        handler=show_overview,
        permission=Permission.VIEW_STATUS,
        tenant_scoped=True,
        summary="How everything stands: exchanges, messages, alerts, what comes next, and the daemon itself",
        answer=OverviewView,
    ),
)
