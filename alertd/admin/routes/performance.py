"""What platforms send of their accounts and strategies: taken in all or none, and reported on at once."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Any, Final, TypeVar
from uuid import UUID

from alertd.admin.access import Permission
from alertd.admin.audit import record
from alertd.admin.daemon import Daemon
from alertd.admin.problems import Flaw, Invalid
from alertd.admin.routes.performance_rows import Equity, Flows, References, Returns, Rows, Terms, Windows, in_order
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import Answer, Name, Params
from alertd.db import Sql
from alertd.performance import receiving
from alertd.performance.receiving import NO_TENANT, Receipt, Reported
from alertd.performance.reference import ReferenceKind
from alertd.performance.reference_store import Filed
from alertd.performance.registering import Sending
from alertd.performance.registration import Outlook
from alertd.performance.rows import BadRows, SubjectName

ALL: Final = "/api/v1/performance"
MAX_BYTES: Final = 4 * 1024 * 1024
MOST_NOTED: Final = 20  # subjects named in an audit row

Done = TypeVar("Done")


class RowsParams(Params):
    """For rows that do not say it themselves."""

    tenant_id: UUID | None = None
    subject: Name | None = None


class SubjectRef(Answer):
    """A subject that rows were about."""

    id: UUID
    tenant_id: UUID
    subject: str


class ReceiptView(Answer):
    """How many rows were new, replaced what was stored, or said what was known."""

    inserted: int
    updated: int
    unchanged: int
    subjects: list[SubjectRef]


class RegistrationView(Answer):
    """What can be said of a reference before anything is live; null: it cannot be known.

    Sharpe ratios are annual, drawdowns percent, the rest probabilities. `above_zero` is PSR(0) of 2012, `days_needed`
    the length that makes it sure at 5 %, `deflated` the DSR, `years_needed` the backtest whose Sharpe ratio luck does
    not reach. 95 % of healthy years stay within `drawdown_95`; the last two are the shares of them that reach a limit.
    """

    outlook: Outlook
    advice: str
    days: int
    sharpe: float
    autocorrelated_sharpe: float | None
    expected_sharpe: float
    above_zero: float
    days_needed: float | None
    deflated: float | None
    years_needed: float | None
    drawdown_95: float | None
    reaches_warning: float | None
    reaches_critical: float | None


class ReferenceView(Answer):
    """What a subject is held against from `active_from` on, and the report on it."""

    version: int
    kind: ReferenceKind
    active_from: date
    registration: RegistrationView


class ReportView(SubjectRef):
    """A subject, and its reference; null: it has none."""

    reference: ReferenceView | None


class ReportedView(ReceiptView):
    """The receipt, and a report for each row."""

    reports: list[ReportView]


async def receive_returns(daemon: Daemon, call: Call[RowsParams, Returns]) -> ReceiptView:
    return _receipt(await _carried_out(daemon, call, receiving.receive_returns, lambda receipt: receipt))


async def receive_equity(daemon: Daemon, call: Call[RowsParams, Equity]) -> ReceiptView:
    return _receipt(await _carried_out(daemon, call, receiving.receive_equity, lambda receipt: receipt))


async def receive_cash_flows(daemon: Daemon, call: Call[RowsParams, Flows]) -> ReceiptView:
    return _receipt(await _carried_out(daemon, call, receiving.receive_flows, lambda receipt: receipt))


async def receive_windows(daemon: Daemon, call: Call[RowsParams, Windows]) -> ReceiptView:
    return _receipt(await _carried_out(daemon, call, receiving.receive_windows, lambda receipt: receipt))


async def receive_references(daemon: Daemon, call: Call[RowsParams, References]) -> ReportedView:
    return _reported(*await _carried_out(daemon, call, receiving.receive_references, lambda done: done[0]))


async def receive_limits(daemon: Daemon, call: Call[RowsParams, Terms]) -> ReportedView:
    return _reported(*await _carried_out(daemon, call, receiving.receive_terms, lambda done: done[0]))


async def _carried_out(
    daemon: Daemon,
    call: Call[RowsParams, Any],
    receive: Callable[[Any, Sequence[Any], Sending], Awaitable[Done]],
    receipt_in: Callable[[Done], Receipt],
) -> Done:
    """Raises Invalid with every wrong row; nothing is stored then."""
    placed, flaws = _rows(call)
    rows = [row for _, row in placed]
    if flaws and not rows:
        raise Invalid(in_order(flaws))
    sending = Sending(call.who.actor, call.now, daemon.settings.performance)
    try:
        async with daemon.db.transaction() as tx:
            done = await receive(tx, rows, sending)
            if flaws:
                raise BadRows([])
            await _write_down(tx, call, rows, receipt_in(done))
    except BadRows as error:
        places = [place for place, _ in placed]
        found = [(places[f.index], call.body.flaw(places[f.index], f.field, f.detail)) for f in error.faults]
        raise Invalid(in_order([*flaws, *found])) from None
    return done


def _rows(call: Call[RowsParams, Any]) -> tuple[list[tuple[int, Any]], list[tuple[int, Flaw]]]:
    """Each row with its place and the name of its subject, which the address has where it has none itself."""
    usual_tenant = call.within(call.params.tenant_id)
    rows = []
    sound, flaws = call.body.sorted_out(call.body.root)
    for index, wish in sound:
        tenant_id, subject = wish.tenant_id or usual_tenant, wish.subject or call.params.subject
        if tenant_id is None:
            flaws.append((index, call.body.flaw(index, "tenant_id", "is required")))
        elif call.scope not in {None, tenant_id}:
            flaws.append((index, call.body.flaw(index, "tenant_id", NO_TENANT)))
        elif subject is None:
            flaws.append((index, call.body.flaw(index, "subject", "is required")))
        else:
            rows.append((index, wish.row(SubjectName(tenant_id, subject))))
    return rows, flaws


async def _write_down(tx: Sql, call: Call[RowsParams, Any], rows: Sequence[Any], receipt: Receipt) -> None:
    """One deed for each tenant; what changes nothing is none."""
    if not receipt.changed:
        return
    kind = call.request.path.rpartition("/")[2]
    for tenant_id, count in Counter(row.subject.tenant_id for row in rows).items():
        names = sorted(name.name for name in receipt.subjects if name.tenant_id == tenant_id)
        after = {"rows": count, "subjects": len(names), "named": names[:MOST_NOTED]}
        deed = {"action": f"performance.{kind}", "object": f"tenant:{tenant_id}", "tenant_id": tenant_id}
        await record(tx, call, **deed, after=after)


def _receipt(receipt: Receipt) -> ReceiptView:
    return ReceiptView(
        inserted=receipt.inserted,
        updated=receipt.updated,
        unchanged=receipt.unchanged,
        subjects=[
            SubjectRef(id=watched.id, tenant_id=watched.tenant_id, subject=watched.name)
            for watched in receipt.subjects.values()
        ],
    )


def _reported(receipt: Receipt, reported: Sequence[Reported]) -> ReportedView:
    return ReportedView(**dict(_receipt(receipt)), reports=[_report(one) for one in reported])


def _report(reported: Reported) -> ReportView:
    watched, filed = reported.watched, reported.filed
    reference = None if filed is None else reference_view(filed)
    return ReportView(id=watched.id, tenant_id=watched.tenant_id, subject=watched.name, reference=reference)


def reference_view(filed: Filed) -> ReferenceView:
    return ReferenceView(
        version=filed.reference.version,
        kind=filed.reference.kind,
        active_from=filed.reference.active_from,
        registration=RegistrationView.model_validate(filed.registration),
    )


def _route(kind: str, handler: Any, body: type[Rows], answer: type[Answer], summary: str) -> Route:
    return Route(
        method="POST",
        path=f"{ALL}/{kind}",
        handler=handler,
        permission=Permission.CONFIGURE,
        tenant_scoped=True,
        summary=summary,
        params=RowsParams,
        body=body,
        max_bytes=MAX_BYTES,
        answer=answer,
    )


ROUTES: Final = (
    _route("returns", receive_returns, Returns, ReceiptView, "Daily returns of strategies"),
    _route("equity", receive_equity, Equity, ReceiptView, "Equity of accounts; daily returns follow from it"),
    _route(
        "cashflows", receive_cash_flows, Flows, ReceiptView, "Deposits and withdrawals, which are no profit or loss"
    ),
    _route("windows", receive_windows, Windows, ReceiptView, "Walk-forward windows that the platform ran"),
    _route("references", receive_references, References, ReportedView, "Backtests to hold live trading against"),
    _route("limits", receive_limits, Terms, ReportedView, "Limits, and when a subject's days begin"),
)
