"""Accounts and strategies: how each stands, and its live record as curves to be drawn."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field

from alertd.admin.access import Permission
from alertd.admin.daemon import Daemon
from alertd.admin.pages import after, page
from alertd.admin.problems import absent
from alertd.admin.routes.performance import ALL, ReferenceView, reference_view
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import Answer, NoBody, Page, PageParams, Params, Time
from alertd.performance import listing, picture, reference_store
from alertd.performance.evaluation_store import Evaluation
from alertd.performance.findings import Detail, Rule, Status
from alertd.performance.listing import Standing
from alertd.performance.reference import ReferenceKind
from alertd.performance.registration import Outlook
from alertd.performance.returns import Quality
from alertd.performance.stats import cusum
from alertd.performance.stats.drawdown import DrawdownMode
from alertd.performance.stats_thread import in_stats_thread
from alertd.performance.store import DaysWanted, Wanted, load
from alertd.performance.subject import LimitTerms, LossBasis, Subject
from alertd.performance.watched import Kind, ReturnsFrom

HOUR: Final = timedelta(hours=1)
READINGS: Final = 500
REVISIONS: Final = 50
EVERYTHING: Final = Wanted(days=DaysWanted.ALL, projection=True)


class AgainstView(Answer):
    """The reference that counts, in short."""

    version: int
    kind: ReferenceKind
    days: int
    active_from: date
    outlook: Outlook


class ReadingView(Answer):
    """A reading of equity; only `ok` ones are used."""

    at: Time
    equity: float
    quality: Quality


class WaitView(Answer):
    """What is waited for before everything can be judged."""

    rule: Rule
    have: int
    need: int
    message: str


class SubjectView(Answer):
    """A subject. `status` is the worst that a check says, null before the first.

    `live_days` are returns that tests may use since the reference became active; `last_equity` is the latest reading.
    """

    id: UUID
    tenant_id: UUID
    subject: str
    kind: Kind
    currency: str | None
    timezone: str
    day_cutoff: str
    returns_from: ReturnsFrom | None
    equity_every_hours: float | None
    counts_from: Time | None
    status: Status | None
    waits_for: WaitView | None
    live_days: int
    last_day: date | None
    last_equity: ReadingView | None
    reference: AgainstView | None


class FindingView(Answer):
    """What one rule says; `have` and `need` where it waits for data."""

    rule: Rule
    status: Status
    message: str
    value: float | None
    expected: float | None
    low: float | None
    high: float | None
    statistic: float | None
    threshold: float | None
    have: int | None
    need: int | None
    details: dict[str, Detail]


class CheckView(Answer):
    """What a check said when it looked last."""

    check: str
    as_of: Time
    status: Status
    findings: list[FindingView]


class LimitsView(Answer):
    """The limits that were agreed; percent, null: the settings' hold."""

    mode: DrawdownMode
    basis: LossBasis
    initial_capital: float | None
    drawdown_warning_percent: float | None
    drawdown_critical_percent: float | None
    daily_loss_warning_percent: float | None
    daily_loss_critical_percent: float | None


class DayView(Answer):
    """One observation; all are fractions, cumulative since the reference became active.

    `drawdown` is how far below the mark of the agreed mode, at the close of the day. `cusum` is the sum of shortfalls
    that drift is judged by. A day with `usable` false moves no curve.
    """

    date: date
    value: float
    span_days: int
    usable: bool
    cumulative: float
    drawdown: float
    expected: float | None
    cusum: float | None


class CusumView(Answer):
    """Where drift becomes an alert, and below which sum it is over."""

    warning: float
    critical: float
    clear: float


class ConeView(Answer):
    """Where the cumulative return should be; 5 % of healthy ones are ever below `warning`, 1 % below `critical`."""

    date: date
    expected: float
    warning: float
    critical: float


class RevisionView(Answer):
    """What a row said before it was replaced; `key` is its day, instant or id."""

    kind: Literal["return", "equity", "flow", "window"]
    key: str
    revision: int
    earlier: dict[str, str | int | float | None]
    replaced_at: Time
    replaced_by: str


class SubjectDetail(SubjectView):
    """Everything about one subject; `days` and `equity` are the latest ones, in the order of time.

    `revisions` are the latest values that were replaced, the newest first.
    """

    limits: LimitsView
    registration: ReferenceView | None
    checks: list[CheckView]
    cusum_limits: CusumView
    days: list[DayView]
    cone: list[ConeView]
    equity: list[ReadingView]
    revisions: list[RevisionView]


class SubjectListing(PageParams):
    """Which subjects to list."""

    tenant_id: UUID | None = None
    kind: Kind | None = None


class SubjectPath(Params):
    """One subject, and how many of its latest days."""

    id: UUID
    days: Annotated[int, Field(ge=1, le=3650, description="How many of the latest days.")] = 365


async def list_subjects(daemon: Daemon, call: Call[SubjectListing, NoBody]) -> Page[SubjectView]:
    """The oldest first."""
    mark = after(call)
    found = await listing.standings(
        daemon.db,
        None if mark is None else UUID(mark[0]),
        limit=call.params.limit + 1,
        tenant_id=call.within(call.params.tenant_id),
        kind=call.params.kind,
    )
    views = [SubjectView(**_summary(standing)) for standing in found]
    return page(call, views, shape=SubjectView, mark=lambda view: (str(view.id),))


async def show_subject(daemon: Daemon, call: Call[SubjectPath, NoBody]) -> SubjectDetail:
    standing = await listing.standing(daemon.db, call.params.id, tenant_id=call.scope)
    if standing is None:
        raise absent("subject")
    watched = standing.watched
    subject = (await load(daemon.db, [watched], EVERYTHING, call.now))[watched.id]
    filed = await reference_store.newest(daemon.db, watched.id)
    days, cone = await in_stats_thread(lambda: _curves(subject, call.now, call.params.days))
    return SubjectDetail(
        **_summary(standing),
        limits=_limits(subject.limits),
        registration=None if filed is None else reference_view(filed),
        checks=[_check(said) for said in standing.evaluations],
        cusum_limits=CusumView(warning=cusum.WARNING, critical=cusum.CRITICAL, clear=cusum.CLEAR),
        days=days,
        cone=cone,
        equity=[
            ReadingView.model_validate(reading)
            for reading in await listing.latest_readings(daemon.db, watched.id, limit=READINGS)
        ],
        revisions=[
            RevisionView.model_validate(revision)
            for revision in await listing.latest_revisions(daemon.db, watched.id, limit=REVISIONS)
        ],
    )


def _curves(subject: Subject, now: datetime, count: int) -> tuple[list[DayView], list[ConeView]]:
    points = picture.points(subject, now)[-count:]
    cone = [] if subject.projection is None else picture.cone_points(subject.projection)
    return [DayView.model_validate(point) for point in points], [ConeView.model_validate(point) for point in cone]


def _summary(standing: Standing) -> dict[str, Any]:
    """The fields that lists show."""
    watched, waits = standing.watched, standing.waits
    every = watched.equity_every
    return {
        "id": watched.id,
        "tenant_id": watched.tenant_id,
        "subject": watched.name,
        "kind": watched.kind,
        "currency": watched.currency,
        "timezone": watched.boundary.timezone,
        "day_cutoff": f"{watched.boundary.cutoff:%H:%M}",
        "returns_from": watched.returns_from,
        "equity_every_hours": None if every is None else every / HOUR,
        "counts_from": watched.counts_from,
        "status": standing.status,
        "waits_for": None if waits is None else WaitView.model_validate(waits),
        "live_days": standing.live_days,
        "last_day": standing.last_day,
        "last_equity": None if standing.reading is None else ReadingView.model_validate(standing.reading),
        "reference": None if standing.against is None else AgainstView.model_validate(standing.against),
    }


def _limits(terms: LimitTerms) -> LimitsView:
    return LimitsView(
        mode=terms.mode,
        basis=terms.basis,
        initial_capital=terms.initial_capital,
        drawdown_warning_percent=terms.drawdown_warning,
        drawdown_critical_percent=terms.drawdown_critical,
        daily_loss_warning_percent=terms.daily_loss_warning,
        daily_loss_critical_percent=terms.daily_loss_critical,
    )


def _check(said: Evaluation) -> CheckView:
    findings = [FindingView.model_validate(finding) for finding in said.findings]
    return CheckView(check=said.check_name, as_of=said.as_of, status=said.status, findings=findings)


ROUTES: Final = (
    Route(
        method="GET",
        path=f"{ALL}/subjects",
        handler=list_subjects,
        permission=Permission.VIEW_STATUS,
        tenant_scoped=True,
        summary="Accounts and strategies, and how each stands",
        params=SubjectListing,
        answer=Page[SubjectView],
    ),
    Route(
        method="GET",
        path=f"{ALL}/subjects/{{id}}",
        handler=show_subject,
        permission=Permission.VIEW_STATUS,
        tenant_scoped=True,
        summary="One subject: what the checks say, and the curves behind it",
        params=SubjectPath,
        answer=SubjectDetail,
    ),
)
