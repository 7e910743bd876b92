"""What a subject is projected to earn from a month's beginning on: re-estimated monthly, for display and the cone.

It never re-centres the drift test: an expectation that follows the decay would explain it away.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from pydantic import TypeAdapter

from alertd.performance.reference import Reference
from alertd.performance.stats import sharpe
from alertd.performance.stats.cone import Cone, cone
from alertd.performance.stats.expectation import PRIOR, Expectation, Prior, expectation, luck
from alertd.performance.stats.moments import Moments
from alertd.performance.stats.numbers import annual_sharpe, daily_sharpe
from alertd.performance.track import Track

HORIZON_DAYS: Final = 180


@dataclass(frozen=True, slots=True)
class Projection:
    """Annual Sharpe ratio and daily drift (log) expected from `made_on` on, and the cone of the cumulative return.

    The cone starts where the live record was: `live_before` (log) after `days_before` days.
    """

    made_on: date
    sharpe: float
    drift: float
    daily_sd: float
    cone: Cone
    live_before: float = 0.0
    days_before: int = 0


# To and from JSON: `dump_python(projection, mode="json")` and `validate_python(stored)`.
PROJECTIONS: Final = TypeAdapter(Projection)


def projected(
    reference: Reference, live: Moments | None, made_on: date, *, seed: int, track: Track | None = None
) -> Projection:
    """From the reference and, where there is one, the live record; the same seed gives the same cone."""
    expected = updated(reference, live)
    drawn = cone(
        reference.returns,
        reference.baseline.moments,
        expected,
        days=HORIZON_DAYS,
        chance=np.random.Generator(np.random.PCG64(seed)),
    )
    before, days = (0.0, 0) if track is None else (track.live, track.elapsed)
    return Projection(made_on, expected.sharpe, expected.drift, expected.daily_sd, drawn, before, days)


def updated(reference: Reference, live: Moments | None, prior: Prior = PRIOR) -> Expectation:
    """The expectation after the live record: reference, live and prior weighted by their precision."""
    if live is None or live.sd == 0:
        return expectation(reference.baseline, prior)
    shape = reference.baseline.moments
    precision, weighted = 1 / prior.sd**2, prior.sharpe / prior.sd**2
    for ratio, n in ((shape.sharpe - luck(reference.baseline), shape.n), (live.sharpe, live.n)):
        known = 1 / annual_sharpe(sharpe.standard_error(ratio, n)) ** 2
        precision += known
        weighted += known * annual_sharpe(ratio)
    expected = weighted / precision
    return Expectation(expected, precision**-0.5, daily_sharpe(expected) * shape.sd, shape.sd)
