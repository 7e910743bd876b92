"""A batch of subjects before the judge of a check, in the stats thread; one that he fails on costs only itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from alertd.config import PerformanceSettings
from alertd.performance.checks import Check, daily_pnl_check
from alertd.performance.checks.judgement import Judgement
from alertd.performance.findings import plain
from alertd.performance.reference import Reference, own_reference
from alertd.performance.selection import Selected
from alertd.performance.subject import Subject
from alertd.performance.watched import Watched

log = structlog.get_logger(__name__)


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
    own = None
    # Only the daily check is given all days of those who have nothing to be held against.
    if check.name == daily_pnl_check.NAME and subject.reference is None:
        own = own_reference(subject.testable_days(at))
    if own is not None:
        days = tuple(day for day in subject.days if day.day >= own.active_from)
        subject = replace(subject, reference=own, days=days, seed=watched.seed(own.version))
    judgement = check.judge(subject, thresholds, at)
    findings = tuple(plain(found) for found in judgement.findings)
    return Judged(watched, replace(judgement, findings=findings), subject.reference, own)
