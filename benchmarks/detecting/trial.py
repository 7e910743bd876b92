"""The whole experiment: one population, healthy and bent, under the published rule, ours, and two with hindsight."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.detecting import ours, published
from benchmarks.detecting.outcome import CRITICAL, WARNING, Delays, Healthy, delays, healthy, loudest, tuned
from benchmarks.detecting.population import BENDS, FAMILIES, Floats, World, alike, mixed, simulated

SEED: Final = 20260105
ROLLING: Final = (30, 90)  # days of the Sharpe ratio that hindsight tunes

PUBLISHED: Final = "published thresholds"
CHARITABLE: Final = "published: interval, Sharpe ratio and drawdown alone"
DAILY: Final = "ours, daily check"
ALL: Final = "ours, all checks"


@dataclass(frozen=True, slots=True)
class Bent:
    """How soon one kind of degradation was found: by the daily check, and by Sharpe ratios tuned with hindsight."""

    warning: Delays
    critical: Delays
    rolling: tuple[Delays, ...]

    @property
    def figures(self) -> dict[str, float]:
        """Median days, without those that never come; and the share that had a warning by the next check."""
        medians = {"warning_days": self.warning.until(0.5), "critical_days": self.critical.until(0.5)}
        return {"next_check": self.warning.within(1)} | {key: days for key, days in medians.items() if days is not None}


@dataclass(frozen=True, slots=True)
class Trial:
    """`curves` are shares of healthy strategies that had a critical alarm by each day.

    `already` are those in critical alarm, under each whole set of rules, on the day before the change.
    """

    paths: int
    healthy: Mapping[str, Healthy]
    rules: Mapping[str, Healthy]
    families: Mapping[str, Healthy]
    bent: Mapping[str, Bent]
    thresholds: tuple[float, ...]
    curves: Mapping[str, Floats]
    already: Mapping[str, float]


def run(paths: int, family_paths: int) -> Trial:
    chance = np.random.default_rng(SEED)
    world = simulated(mixed(paths, chance), chance)
    known = ours.measured(world.reference)
    live = world.live()
    rules, theirs = ours.levels(live, known), published.levels(live, known)
    whole = {
        PUBLISHED: loudest(theirs.values()),
        CHARITABLE: loudest(theirs[name] for name in published.CHARITABLE),
        DAILY: loudest(ours.daily_levels(live, known).values()),
        ALL: loudest(rules.values()),
    }
    found = {name: healthy(levels) for name, levels in whole.items()}
    thresholds = tuple(tuned(published.rolling_sharpe(live, days), found[DAILY].critical_365) for days in ROLLING)
    return Trial(
        paths=paths,
        healthy=found,
        rules={name: healthy(levels) for name, levels in rules.items()},
        families={name: family(family_paths, differs, chance) for name, differs in FAMILIES.items()},
        bent={name: _bent(world, name, known, thresholds) for name in BENDS},
        thresholds=thresholds,
        already={name: delays(levels, CRITICAL).already for name, levels in whole.items()},
        curves={name: np.maximum.accumulate(levels >= CRITICAL, axis=1).mean(axis=0) for name, levels in whole.items()},
    )


def family(paths: int, differs: Mapping[str, float], chance: np.random.Generator) -> Healthy:
    """The daily check on one null family alone."""
    world = simulated(alike(paths, **differs), chance)
    return healthy(loudest(ours.daily_levels(world.live(), ours.measured(world.reference)).values()))


def _bent(world: World, name: str, known: ours.Baselines, thresholds: tuple[float, ...]) -> Bent:
    live = world.live(BENDS[name])
    daily = loudest(ours.daily_levels(live, known).values())
    rolling = []
    for days, threshold in zip(ROLLING, thresholds, strict=True):
        below = published.rolling_sharpe(live, days) < threshold
        rolling.append(delays(np.where(below, CRITICAL, 0).astype(np.int8), CRITICAL))
    return Bent(
        warning=delays(daily, WARNING),
        critical=delays(daily, CRITICAL),
        rolling=tuple(rolling),
    )
