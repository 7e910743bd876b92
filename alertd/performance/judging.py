"""A batch of subjects before the judge of a check, in the stats thread; one that he fails on costs only itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog

from alertd.config import PerformanceSettings
from alertd.performance.checks import Check, daily_pnl_check
from alertd.performance.checks.judgement import Judgement
from alertd.performance.days import DAY
from alertd.performance.findings import plain
from alertd.performance.reference import LEAST_DAYS, Reference, ReferenceKind, log_returns, own_reference
from alertd.performance.selection import Selected
from alertd.performance.subject import Subject
from alertd.performance.watched import Watched

log = structlog.get_logger(__name__)

FIRST_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Judged:
    """What a check said of one subject, held against `reference`; `own` is one that was made of its days just now."""

    watched: Watched
    judgement: Judgement
    reference: Reference | None = None
    own: Reference | None = None

    @property
    def said(self) -> "Judged":
        """Without what is remembered elsewhere, which is a hundred times as much."""
        return Judged(self.watched, Judgement(self.judgement.findings))


@dataclass(frozen=True, slots=True)
class Heard:
    """A batch, after. Of the `broken` ones the log says why."""

    judged: Sequence[Judged]
    broken: Sequence[Watched]


def hear(check: Check, selected: Selected, thresholds: PerformanceSettings, at: datetime) -> Heard:
    """Judge each of them as of `at`."""
    judged, broken = [], []
    for watched, subject in selected:
        try:
            judged.append(_judged(check, watched, subject, thresholds, at))
        except Exception:  # one subject: the others are judged
            log.exception(
                "Subject not judged", check=check.name, tenant_id=str(watched.tenant_id), subject=watched.name
            )
            broken.append(watched)
    return Heard(judged, broken)


def _judged(check: Check, watched: Watched, subject: Subject, thresholds: PerformanceSettings, at: datetime) -> Judged:
    # Only the daily check is given all days of those who have nothing to be held against.
    own = own_days(subject, at) if check.name == daily_pnl_check.NAME else None
    if own is not None:
        days = tuple(day for day in subject.days if day.day >= own.active_from)
        subject = replace(subject, reference=own, days=days, seed=watched.seed(own.version))
    judgement = check.judge(subject, thresholds, at)
    findings = tuple(plain(found) for found in judgement.findings)
    return Judged(watched, replace(judgement, findings=findings), subject.reference, own)


def own_days(subject: Subject, at: datetime) -> Reference | None:
    """The first days of a subject that came without a reference, as one; None before it has enough of them."""
    if subject.reference is not None:
        return None
    days = subject.testable_days(at)[:LEAST_DAYS]
    baseline = own_reference(days)
    if baseline is None:
        return None
    return Reference(FIRST_VERSION, ReferenceKind.SELF, days[-1].day + DAY, baseline, log_returns(days))
