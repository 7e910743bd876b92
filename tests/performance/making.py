"""Subjects, days and readings for the tests of performance."""

from datetime import UTC, date, datetime, timedelta

import numpy as np

from alertd.config import PerformanceSettings
from alertd.performance.findings import Finding, Rule
from alertd.performance.reference import Reference, ReferenceKind
from alertd.performance.returns import DailyReturn, Flow, Quality, Snapshot
from alertd.performance.stats.drawdown import DrawdownMode, depths
from alertd.performance.stats.expectation import Trials, measure

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
YESTERDAY = date(2026, 1, 4)
MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)
THRESHOLDS = PerformanceSettings()


def noise(days: int, *, sharpe: float = 2.0, sd: float = 0.02, seed: int = 1) -> np.ndarray:
    """Daily log returns with exactly this annual Sharpe ratio and sd."""
    drawn = np.random.default_rng(seed).standard_t(5, days)
    return (drawn - drawn.mean()) / drawn.std(ddof=1) * sd + sharpe * sd / 365**0.5


def reference(
    days: int = 365,
    *,
    sharpe: float = 2.0,
    sd: float = 0.02,
    seed: int = 1,
    trials: Trials | None = None,
) -> Reference:
    returns = noise(days, sharpe=sharpe, sd=sd, seed=seed)
    return Reference(1, ReferenceKind.BACKTEST, date(2025, 1, 1), measure(returns, trials), returns)


def daily(log_returns, *, last: date = YESTERDAY, **more) -> tuple[DailyReturn, ...]:
    """One day for each return, the latest on `last`."""
    count = len(log_returns)
    return tuple(
        DailyReturn(last - timedelta(days=count - 1 - index), float(np.expm1(value)), **more)
        for index, value in enumerate(log_returns)
    )


def snapshot(hours: float, equity: float, quality: Quality = Quality.OK) -> Snapshot:
    """`hours` after midnight of the fixed Monday."""
    return Snapshot(MIDNIGHT + timedelta(hours=hours), equity, quality)


def flow(hours: float, amount: float) -> Flow:
    return Flow(MIDNIGHT + timedelta(hours=hours), amount)


def deepest_fall(returns: np.ndarray) -> float:
    """From a peak of what these daily simple returns make of 1; a fraction."""
    levels = np.concatenate([[1.0], np.cumprod(1 + returns)])
    return float(depths(levels, DrawdownMode.TRAILING, np.ones(len(levels), dtype=bool)).max())


def found(findings: tuple[Finding, ...], rule: Rule) -> Finding:
    return next(finding for finding in findings if finding.rule is rule)
