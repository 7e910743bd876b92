"""Where the live record is in the cone of its projection; shown, and decides nothing."""

import math

from alertd.performance.findings import Finding, Rule, Status, cannot_judge, no_data
from alertd.performance.projection import Projection
from alertd.performance.rules.wording import percent
from alertd.performance.stats.cone import FIRST_DAY
from alertd.performance.track import Track


def within_cone(track: Track, projection: Projection) -> Finding:
    """Cumulative returns since the projection was made."""
    day = track.elapsed - projection.days_before
    cone = projection.cone
    if day < FIRST_DAY:
        return no_data(Rule.CONE, max(day, 0), FIRST_DAY, "live days since the projection was made")
    if day > len(cone.expected):
        return cannot_judge(Rule.CONE, "the projection has ended; the monthly check makes the next.")
    value = track.live - projection.live_before
    below = value < cone.warning[day - 1]
    return Finding(
        rule=Rule.CONE,
        status=Status.INFO if below else Status.OK,
        message=f"{percent(value)} after {day} days, {'below' if below else 'within'} the cone.",
        value=math.expm1(value),
        expected=math.expm1(cone.expected[day - 1]),
        low=math.expm1(cone.warning[day - 1]),
        details={"critical_low": math.expm1(cone.critical[day - 1])},
    )
