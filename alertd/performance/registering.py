"""Measures a reference once, reports on it, and files it as the subject's next version."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np

from alertd.config import PerformanceSettings
from alertd.db import Sql
from alertd.performance import reference_store
from alertd.performance.ingest import first_live_day
from alertd.performance.reference import Reference, ReferenceKind
from alertd.performance.reference_store import Filed
from alertd.performance.registration import Registration, registered
from alertd.performance.rows import ReferenceRow
from alertd.performance.rules.limits import agreed
from alertd.performance.stats.expectation import Baseline, measure, summarised
from alertd.performance.stats.limits import Limit
from alertd.performance.stats_thread import in_stats_thread
from alertd.performance.store import limits_of
from alertd.performance.subject import LimitTerms
from alertd.performance.watched import Watched


@dataclass(frozen=True, slots=True)
class Sending:
    """Who sent rows, and when; and the limits that hold where none were agreed."""

    by: str
    now: datetime
    thresholds: PerformanceSettings


async def register(tx: Sql, watched: Watched, row: ReferenceRow, sending: Sending) -> tuple[Filed, bool]:
    """The reference on file, and whether it is a new version. The subject must be locked."""
    earlier, digest = await reference_store.newest(tx, watched.id), _digest(row)
    if earlier is not None and earlier.digest == digest:
        return earlier, False
    version = 1 if earlier is None else earlier.reference.version + 1
    reference = Reference(
        version=version,
        kind=ReferenceKind.SUMMARY if row.returns is None else ReferenceKind.BACKTEST,
        active_from=first_live_day(row, watched, sending.now),
        baseline=_measured(row),
        returns=None if row.returns is None else np.log1p(np.array(row.returns)),
    )
    return await file_reference(tx, watched, reference, digest, sending), True


async def report_again(tx: Sql, watched: Watched, sending: Sending) -> Filed | None:
    """The newest reference, with a report on its limits as they are now; None without a reference."""
    filed = await reference_store.newest(tx, watched.id)
    if filed is not None:
        report = await _report(tx, watched, filed.reference, sending)
        await reference_store.report_again(tx, watched.id, filed.reference.version, report)
    return await reference_store.newest(tx, watched.id)


async def file_reference(tx: Sql, watched: Watched, reference: Reference, digest: str, sending: Sending) -> Filed:
    """As the subject's newest version, with its report. The subject must be locked."""
    report = await _report(tx, watched, reference, sending)
    filed = Filed(reference, digest, report, sending.now, sending.by)
    await reference_store.add(tx, watched.id, filed)
    return filed


async def _report(tx: Sql, watched: Watched, reference: Reference, sending: Sending) -> Registration:
    """It simulates many years, which is not for the event loop."""
    terms = (await limits_of(tx, [watched.id])).get(watched.id, LimitTerms())
    usual = Limit(sending.thresholds.drawdown_warning_percent, sending.thresholds.drawdown_critical_percent)
    limit = agreed(terms.drawdown_warning, terms.drawdown_critical, usual)
    seed = watched.seed(reference.version)
    return await in_stats_thread(lambda: registered(reference, limit, terms.mode, seed=seed))


def _measured(row: ReferenceRow) -> Baseline:
    if row.returns is not None:
        return measure(np.log1p(np.array(row.returns)), row.trials)
    if row.summary is None:
        raise AssertionError("unreachable: a row without either is refused")
    return summarised(row.summary, row.trials)


def _digest(row: ReferenceRow) -> str:
    """Of what was sent about the reference; who it is about is known."""
    content = {**asdict(row), "subject": None}
    return hashlib.sha256(json.dumps(content, default=str, sort_keys=True).encode()).hexdigest()
