"""What the tenants' strategies earned in two years of backtest and since they went live: always the same."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

BACKTEST_DAYS: Final = 730
LIVE_DAYS: Final = 120
DAILY_SD: Final = 0.01
ANNUAL_SHARPE: Final = 2.5


@dataclass(frozen=True, slots=True)
class Strategy:
    """A strategy of the tenant `owner`. `hears` are the events, with their rules, that must arrive exactly once.

    `trials` configurations were tried before it was chosen, `outlook` is what must be made of its backtest.
    In the second half of its live days it loses `decay` daily sd a day, and its returns stopped coming
    `silent_days` ago.
    """

    name: str
    owner: str
    story: str
    seed: int
    hears: tuple[tuple[str, str], ...] = ()
    outlook: str = "plausible"
    trials: int = 4
    decay: float = 0.0
    silent_days: int = 0

    def backtest(self) -> tuple[float, ...]:
        """Daily returns, as fractions."""
        return _returns(self.seed, BACKTEST_DAYS)

    def live(self, yesterday: date) -> dict[date, float]:
        """Day by day, up to yesterday or until they stopped coming."""
        earned = np.log1p(np.array(_returns(self.seed + 1, LIVE_DAYS)))
        earned[LIVE_DAYS // 2 :] -= self.decay * DAILY_SD
        days = (live_since(yesterday) + timedelta(days=number) for number in range(LIVE_DAYS - self.silent_days))
        return dict(zip(days, np.expm1(earned).tolist(), strict=False))


STRATEGIES: Final = (
    Strategy("momentum", "Aurora Capital", "earns what it promised", seed=11),
    Strategy(
        "carry",
        "Aurora Capital",
        "lost its edge two months ago",
        seed=23,
        decay=0.4,
        hears=(("performance.alert", "drift"), ("performance.alert", "drawdown")),
    ),
    Strategy(
        "grid", "Harbor Reports", "is the best of 500 that were tried", seed=31, trials=500, outlook="likely_overfit"
    ),
    Strategy(
        "basis",
        "Indigo Partners",
        "has sent no returns for ten days",
        seed=47,
        silent_days=10,
        hears=(("performance.alert", "fresh_returns"),),
    ),
)


def live_since(yesterday: date) -> date:
    return yesterday - timedelta(days=LIVE_DAYS - 1)


def _returns(seed: int, days: int) -> tuple[float, ...]:
    """Fractions whose logarithms have exactly that annual Sharpe ratio."""
    drawn: NDArray[np.float64] = np.random.Generator(np.random.PCG64(seed)).standard_t(5, days)
    logs = (drawn - drawn.mean()) / drawn.std(ddof=1) * DAILY_SD + ANNUAL_SHARPE * DAILY_SD / 365**0.5
    return tuple(np.expm1(logs).tolist())
