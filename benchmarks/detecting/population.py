"""Simulated strategies: fat tails, volatility clusters, some autocorrelation, idle days. Daily log returns."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DAYS: Final = 365
CHANGE: Final = 60  # the first bad day, counted from 0
BURN_IN: Final = 50
SHARPES: Final = (0.8, 1.0, 1.5, 2.0, 3.0, 4.0)
FREEDOMS: Final = (3.5, 4.0, 5.0, 8.0)
GARCH: Final = ((0.0, 0.0), (0.05, 0.90), (0.10, 0.88))  # none, moderate, strong: weight of the last day, memory


@dataclass(frozen=True, slots=True)
class Strategies:
    """One element for each. `sharpe` annual, `sd` daily, `freedom` of Student's t, `garch` an index, `idle` a share."""

    sharpe: Floats
    sd: Floats
    freedom: Floats
    garch: NDArray[np.int64]
    autocorrelation: Floats
    idle: Floats

    @property
    def count(self) -> int:
        return len(self.sharpe)

    @property
    def mean(self) -> Floats:
        """Of a day, idle ones included."""
        return self.sharpe / DAYS**0.5 * self.sd

    def only(self, chosen: NDArray[np.int64]) -> "Strategies":
        return Strategies(
            self.sharpe[chosen],
            self.sd[chosen],
            self.freedom[chosen],
            self.garch[chosen],
            self.autocorrelation[chosen],
            self.idle[chosen],
        )


def mixed(count: int, chance: np.random.Generator) -> Strategies:
    """The population that the published figures are of."""
    return Strategies(
        sharpe=chance.choice(SHARPES, count),
        sd=chance.uniform(0.01, 0.03, count),
        freedom=chance.choice(FREEDOMS, count),
        garch=chance.integers(0, len(GARCH), count),
        autocorrelation=chance.uniform(-0.05, 0.1, count),
        idle=chance.choice([0.0, 0.3], count),
    )


def alike(count: int, **differs: float) -> Strategies:
    """A family: Sharpe 2, 2 % a day, t(5), independent days, never idle, but for what differs."""
    usual = {"sharpe": 2.0, "sd": 0.02, "freedom": 5.0, "garch": 0, "autocorrelation": 0.0, "idle": 0.0} | differs
    whole = {name: np.full(count, value) for name, value in usual.items()}
    return Strategies(**(whole | {"garch": whole["garch"].astype(np.int64)}))


@dataclass(frozen=True, slots=True)
class World:
    """A year of reference and a year of live; the live year can be bent and stays otherwise the same.

    `shocks` have mean 0 and sd 1 and `active` says which days trade.
    """

    strategies: Strategies
    reference: Floats
    shocks: Floats
    active: NDArray[np.bool_]

    def live(self, bend: "Bend | None" = None) -> Floats:
        """The healthy year, or one that is bent from day 60 on."""
        healthy = _returns(self.strategies, self.shocks, self.active)
        if bend is None:
            return healthy
        bent = healthy.copy()
        bent[:, CHANGE:] = bend(self)[:, CHANGE:]
        return bent


Bend = Callable[[World], Floats]


def simulated(strategies: Strategies, chance: np.random.Generator) -> World:
    """A reference with a loss would not have gone live: it is drawn again until it has a positive mean."""
    reference = np.empty((strategies.count, DAYS))
    todo = np.arange(strategies.count)
    while len(todo):
        some = strategies.only(todo)
        drawn = _returns(some, *_days(some, chance))
        good = drawn.mean(axis=1) > 0
        reference[todo[good]] = drawn[good]
        todo = todo[~good]
    return World(strategies, reference, *_days(strategies, chance))


def _days(strategies: Strategies, chance: np.random.Generator) -> tuple[Floats, NDArray[np.bool_]]:
    weight, memory = (np.array([pair[part] for pair in GARCH])[strategies.garch] for part in (0, 1))
    unit = np.sqrt((strategies.freedom - 2) / strategies.freedom)
    variance, before = np.ones(strategies.count), np.zeros(strategies.count)
    shocks = np.empty((strategies.count, DAYS))
    for day in range(-BURN_IN, DAYS):
        shock = np.sqrt(variance) * unit * chance.standard_t(strategies.freedom)
        variance = 1 - weight - memory + weight * shock**2 + memory * variance
        before = strategies.autocorrelation * before + np.sqrt(1 - strategies.autocorrelation**2) * shock
        if day >= 0:
            shocks[:, day] = before
    return shocks, chance.random(shocks.shape) >= strategies.idle[:, None]


def _returns(
    strategies: Strategies, shocks: Floats, active: NDArray[np.bool_], *, shift: float = 0.0, scale: float = 1.0
) -> Floats:
    """`shift` moves the mean of a day, idle ones included, in daily sd; `scale` stretches what is around the mean."""
    trading = 1 - strategies.idle
    mean = (strategies.mean + shift * strategies.sd) / trading
    sd = strategies.sd / np.sqrt(trading) * scale
    return np.where(active, mean[:, None] + sd[:, None] * shocks, 0.0)


def _edge(keeps: float, scale: float = 1.0) -> Bend:
    """The mean becomes `keeps` times what it was."""

    def bend(world: World) -> Floats:
        strategies = replace(world.strategies, sharpe=world.strategies.sharpe * keeps)
        return _returns(strategies, world.shocks, world.active, scale=scale)

    return bend


def _loses(sds: float) -> Bend:
    """Every day loses so many daily sd more, on average over idle days too."""
    return lambda world: _returns(world.strategies, world.shocks, world.active, shift=-sds)


def _crash(world: World) -> Floats:
    """One trading day of -8 sd of a trading day; then all is as before."""
    days = world.live()
    days[:, CHANGE] = -8 * world.strategies.sd / np.sqrt(1 - world.strategies.idle)
    return days


EDGE_GONE: Final = "edge gone (Sharpe to 0)"
INVERTED: Final = "edge inverted"
QUARTER: Final = "0.25 sd a day lost"
HALF: Final = "0.5 sd a day lost"
WHOLE: Final = "1 sd a day lost"
WILD: Final = "edge gone, volatility x3"
CRASH: Final = "one day of -8 sd"

BENDS: Final[dict[str, Bend]] = {
    EDGE_GONE: _edge(0.0),
    INVERTED: _edge(-1.0),
    QUARTER: _loses(0.25),
    HALF: _loses(0.5),
    WHOLE: _loses(1.0),
    WILD: _edge(0.0, scale=3.0),
    CRASH: _crash,
}

# Each null family alone: what differs from the usual one.
FAMILIES: Final[dict[str, dict[str, float]]] = {
    "Sharpe 2, t(5), independent": {},
    "Sharpe 0.8": {"sharpe": 0.8},
    "Sharpe 1": {"sharpe": 1.0},
    "Sharpe 1.5": {"sharpe": 1.5},
    "Sharpe 3": {"sharpe": 3.0},
    "Sharpe 4": {"sharpe": 4.0},
    "t(3.5)": {"freedom": 3.5},
    "t(8)": {"freedom": 8.0},
    "moderate GARCH": {"garch": 1},
    "strong GARCH": {"garch": 2},
    "autocorrelation -0.05": {"autocorrelation": -0.05},
    "autocorrelation 0.1": {"autocorrelation": 0.1},
    "30 % idle": {"idle": 0.3},
    "1 % a day": {"sd": 0.01},
    "3 % a day": {"sd": 0.03},
}
