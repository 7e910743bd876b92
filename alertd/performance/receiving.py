"""Rows on their way into the tables: checked against what is known, all or none, and what follows from them done."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from alertd.db import Sql
from alertd.performance import equity_store, ingest, series_store, subject_store
from alertd.performance.ingest import Known
from alertd.performance.reference_store import Filed, newest
from alertd.performance.registering import Sending, register, report_again
from alertd.performance.rows import (
    BadRows,
    EquityRow,
    Fault,
    FlowRow,
    ReferenceRow,
    ReturnRow,
    SubjectName,
    TermsRow,
    WindowRow,
)
from alertd.performance.series_store import EQUITY, FLOWS, RETURNS, WINDOWS, Changes, Key, Values
from alertd.performance.settling import derive, equity_changed, forget_seen
from alertd.performance.stats_thread import in_stats_thread
from alertd.performance.store import FIRST_DAY, limits_of
from alertd.performance.subject_store import MOST_SUBJECTS
from alertd.performance.watched import Kind, ReturnsFrom, Watched

R = TypeVar("R", ReturnRow, EquityRow, FlowRow, WindowRow, ReferenceRow, TermsRow)

USUAL_PAUSE: Final = timedelta(hours=6)  # between two readings
MOST_NAMED: Final = 1000  # subjects at once
NO_TENANT: Final = "there is no tenant with this id"
CROWDED: Final = f"this tenant would have more than {MOST_SUBJECTS} subjects"
FEW: Final = 200  # rows that are looked at in passing


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the rows: numbers of them, and the subjects that they are about."""

    inserted: int
    updated: int
    unchanged: int
    subjects: Mapping[SubjectName, Watched]

    @property
    def changed(self) -> bool:
        return bool(self.inserted or self.updated)


@dataclass(frozen=True, slots=True)
class Reported:
    """A subject's reference and the report on it; None: it has none."""

    watched: Watched
    filed: Filed | None


async def receive_returns(tx: Sql, rows: Sequence[ReturnRow], sending: Sending) -> Receipt:
    """Raises BadRows, as all of these do; the transaction is then to be rolled back."""
    subjects = await _named(tx, rows, Kind.STRATEGY, sending)
    typical = await subject_store.typical_returns(tx, _ids(subjects))
    known = {name: Known(watched, typical.get(watched.id)) for name, watched in subjects.items()}
    await _check(rows, lambda: ingest.return_faults(rows, known, sending.now))
    latest = await subject_store.latest_days(tx, _ids(subjects))
    values: dict[Key, Values] = {(known[row.subject].watched.id, row.day): (row.value, 1, "full") for row in rows}
    changes = await series_store.put(tx, RETURNS, values, by=sending.by, now=sending.now)
    await subject_store.decide_source(tx, _ids(subjects), ReturnsFrom.PUSHED)
    changed = _grouped(changes.keys)
    for watched in subjects.values():
        days = [day for day in changed.get(watched.id, ()) if isinstance(day, date)]
        await forget_seen(tx, watched, days, latest=latest.get(watched.id))
    return _receipt(changes, subjects)


async def receive_equity(tx: Sql, rows: Sequence[EquityRow], sending: Sending) -> Receipt:
    """Readings are graded, and daily returns derived from them, at once."""
    subjects = await _named(tx, rows, Kind.ACCOUNT, sending)
    known = {name: Known(watched) for name, watched in subjects.items()}
    await _check(rows, lambda: ingest.equity_faults(rows, known, sending.now))
    values: dict[Key, Values] = {(subjects[row.subject].id, row.at): (row.equity, "ok", "pushed", None) for row in rows}
    changes = await series_store.put(tx, EQUITY, values, by=sending.by, now=sending.now)
    await subject_store.decide_source(tx, _ids(subjects), ReturnsFrom.EQUITY)
    said = {subjects[row.subject].id: row.currency for row in rows if row.currency is not None}
    await subject_store.expect_equity(tx, {**dict.fromkeys(_ids(subjects)), **said}, USUAL_PAUSE)
    subjects = await _named(tx, rows, Kind.ACCOUNT, sending)
    await _follow(tx, subjects, [(row_id, at) for row_id, at in changes.keys if isinstance(at, datetime)], sending)
    return _receipt(changes, subjects)


async def receive_flows(tx: Sql, rows: Sequence[FlowRow], sending: Sending) -> Receipt:
    """What a flow explains, and the days that it is in, are looked at again."""
    subjects = await _named(tx, rows, Kind.ACCOUNT, sending)
    having = await subject_store.with_equity(tx, _ids(subjects))
    flows = _grouped(await subject_store.stored_flows(tx, _ids(subjects)))
    known = {
        name: Known(watched, has_equity=watched.id in having, flow_ids=frozenset(flows.get(watched.id, ())))
        for name, watched in subjects.items()
    }
    await _check(rows, lambda: ingest.flow_faults(rows, known, sending.now))
    values: dict[Key, Values] = {(subjects[row.subject].id, row.flow_id): (row.at, row.amount) for row in rows}
    changes = await series_store.put(tx, FLOWS, values, by=sending.by, now=sending.now)
    times = [
        (key[0], said[0]) for key in changes.keys for said in (values[key], changes.replaced.get(key, values[key]))
    ]
    await _follow(tx, subjects, [(of, at) for of, at in times if isinstance(at, datetime)], sending)
    return _receipt(changes, subjects)


async def receive_windows(tx: Sql, rows: Sequence[WindowRow], sending: Sending) -> Receipt:
    """Walk-forward windows, for the weekly check to show."""
    subjects = await _named(tx, rows, Kind.STRATEGY, sending)
    known = {name: Known(watched) for name, watched in subjects.items()}
    await _check(rows, lambda: ingest.window_faults(rows, known, sending.now))
    values: dict[Key, Values] = {
        (subjects[row.subject].id, row.first_day): (row.last_day, row.in_sample, row.out_of_sample) for row in rows
    }
    return _receipt(await series_store.put(tx, WINDOWS, values, by=sending.by, now=sending.now), subjects)


async def receive_references(
    tx: Sql, rows: Sequence[ReferenceRow], sending: Sending
) -> tuple[Receipt, Sequence[Reported]]:
    """Each one that is new becomes its subject's next version; all come back with their reports."""
    subjects = await _named(tx, rows, Kind.STRATEGY, sending)
    known = {name: Known(watched) for name, watched in subjects.items()}
    await _check(rows, lambda: ingest.reference_faults(rows, known, sending.now))
    reported, inserted, updated = [], 0, 0
    for row in rows:
        filed, is_new = await register(tx, subjects[row.subject], row, sending)
        reported.append(Reported(subjects[row.subject], filed))
        inserted += is_new and filed.reference.version == 1
        updated += is_new and filed.reference.version > 1
    return Receipt(inserted, updated, len(rows) - inserted - updated, subjects), reported


async def receive_terms(tx: Sql, rows: Sequence[TermsRow], sending: Sending) -> tuple[Receipt, Sequence[Reported]]:
    """Limits and whatever else was agreed; a reference on file is reported on again, under its new limits."""
    before = await _named(tx, rows, Kind.STRATEGY, sending)
    await _check(rows, lambda: ingest.terms_faults(rows, sending.now))
    agreed = await limits_of(tx, _ids(before))
    for row in rows:
        await subject_store.describe(tx, before[row.subject].id, row)
    after = await _named(tx, rows, Kind.STRATEGY, sending)
    inserted, updated, reported = 0, 0, []
    for row in rows:
        watched, limits = after[row.subject], agreed.get(before[row.subject].id)
        if limits != row.limits:
            await subject_store.agree(tx, watched.id, row.limits, by=sending.by, now=sending.now)
            await report_again(tx, watched, sending)
        if watched.boundary != before[row.subject].boundary and watched.returns_from is ReturnsFrom.EQUITY:
            await derive(tx, watched, FIRST_DAY, sending.now)
        inserted += limits is None
        updated += limits is not None and (limits, before[row.subject]) != (row.limits, watched)
        reported.append(Reported(watched, await newest(tx, watched.id)))
    return Receipt(inserted, updated, len(rows) - inserted - updated, after), reported


async def _named(tx: Sql, rows: Sequence[R], kind: Kind, sending: Sending) -> Mapping[SubjectName, Watched]:
    """The subjects of these rows, locked; of this kind where they are new. Raises BadRows."""
    names = {row.subject for row in rows}
    if len(names) > MOST_NAMED:
        raise BadRows([Fault(0, "subject", f"the rows are about more than {MOST_NAMED} subjects; send them in parts")])
    absent = await subject_store.missing_tenants(tx, {name.tenant_id for name in names})
    crowded = await subject_store.crowded_tenants(tx, names)
    faults = [Fault(at, "tenant_id", NO_TENANT) for at, row in enumerate(rows) if row.subject.tenant_id in absent]
    if crowded and not faults:
        faults = [Fault(at, "subject", CROWDED) for at, row in enumerate(rows) if row.subject.tenant_id in crowded]
    if faults:
        raise BadRows(faults)
    return await subject_store.locked(tx, names, kind, sending.now)


async def _check(rows: Sequence[R], faults: Callable[[], Iterable[Fault]]) -> None:
    """Raises BadRows with all of them, in the order of rows."""
    found = list(faults()) if len(rows) <= FEW else await in_stats_thread(lambda: list(faults()))
    if found:
        raise BadRows(sorted(found, key=lambda fault: fault.index))


async def _follow(
    tx: Sql, subjects: Mapping[SubjectName, Watched], moved: Iterable[tuple[UUID, datetime]], sending: Sending
) -> None:
    """What follows from readings or flows of these times."""
    since: dict[UUID, datetime] = {}
    for subject_id, at in moved:
        since[subject_id] = min(at, since.get(subject_id, at))
    derived = await equity_store.derived_until(tx, list(since))
    for watched in subjects.values():
        if watched.id in since:
            await equity_changed(tx, watched, since[watched.id], derived.get(watched.id), sending.now)


def _grouped(keys: Iterable[tuple[UUID, object]]) -> Mapping[UUID, Sequence[object]]:
    """By subject."""
    groups: dict[UUID, list[object]] = {}
    for subject_id, key in keys:
        groups.setdefault(subject_id, []).append(key)
    return groups


def _ids(subjects: Mapping[SubjectName, Watched]) -> list[UUID]:
    return [watched.id for watched in subjects.values()]


def _receipt(changes: Changes, subjects: Mapping[SubjectName, Watched]) -> Receipt:
    return Receipt(len(changes.inserted), len(changes.replaced), changes.unchanged, subjects)
