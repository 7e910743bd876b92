"""Drawdown and daily loss against what was agreed: exact, immediate, and no statistics."""

from typing import Final

import numpy as np

from alertd.config import PerformanceSettings
from alertd.model import Severity
from alertd.performance.curve import Curve, Today
from alertd.performance.findings import Finding, Rule, Status, cannot_judge, no_data
from alertd.performance.stats.drawdown import depths
from alertd.performance.stats.limits import Limit
from alertd.performance.subject import LimitTerms, LossBasis

NEARNESS: Final = 0.8  # of a critical limit, where no warning was agreed


def drawdown(curve: Curve, terms: LimitTerms, thresholds: PerformanceSettings) -> Finding:
    """How far the flow-adjusted index is below its mark, which is what the terms say it is."""
    if curve.looks == 0:
        return no_data(Rule.DRAWDOWN, 0, 1, "usable returns")
    falls = 100 * depths(np.array(curve.levels), terms.mode, np.array(curve.closes))
    usual = Limit(thresholds.drawdown_warning_percent, thresholds.drawdown_critical_percent)
    limit = agreed(terms.drawdown_warning, terms.drawdown_critical, usual)
    latest = float(falls[-1])
    return _against(
        Rule.DRAWDOWN,
        limit,
        float(falls[-2]) if curve.confirmable else latest,
        latest,
        f"below the mark ({terms.mode})",
    )


def daily_loss(today: Today | None, terms: LimitTerms, thresholds: PerformanceSettings) -> Finding:
    """What is lost since the day began, open positions included, whatever was paid in or out."""
    if today is None:
        return no_data(Rule.DAILY_LOSS, 0, 1, "usable readings of the day and its start")
    scale = 100.0
    if terms.basis is LossBasis.INITIAL:
        if not terms.initial_capital or terms.initial_capital <= 0:
            return cannot_judge(Rule.DAILY_LOSS, "the initial capital is not known.")
        scale *= today.start_equity / terms.initial_capital if today.start_equity is not None else 1.0
    usual = Limit(thresholds.daily_loss_warning_percent, thresholds.daily_loss_critical_percent)
    limit = agreed(terms.daily_loss_warning, terms.daily_loss_critical, usual)
    previous, latest = (max(0.0, scale * (1 - level)) for level in (today.previous, today.latest))
    return _against(Rule.DAILY_LOSS, limit, previous, latest, f"lost on {today.day}")


def agreed(warning: float | None, critical: float | None, usual: Limit) -> Limit:
    """The limit of these terms; a warning that was left out beside a critical one is near it."""
    if critical is None:
        return usual if warning is None else Limit(warning, max(warning, usual.critical))
    return Limit(NEARNESS * critical if warning is None else warning, critical)


def _against(rule: Rule, limit: Limit, previous: float, latest: float, what: str) -> Finding:
    severity = limit.confirmed(previous, latest)
    waits = severity is None and limit.severity(latest) is not None
    used = 100 * latest / limit.critical if limit.critical > 0 else 100.0
    sentence = f"{latest:.1f} % {what}: {used:.0f} % of the limit of {limit.critical:g} % is used"
    return Finding(
        rule=rule,
        status=Status.OK if severity is None else Status(severity.value),
        message=f"{sentence}; waits for a second reading." if waits else f"{sentence}.",
        value=latest,
        expected=0.0,
        high=limit.warning,
        statistic=latest,
        threshold=limit.critical if severity in (Severity.CRITICAL, Severity.EMERGENCY) else limit.warning,
        clears=limit.clears(latest),
        details={"used_percent": round(used, 1), "previous": round(previous, 4)},
    )
