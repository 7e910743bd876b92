"""When data stops for most subjects at once, the platform sends none: one alert to operators, and no other."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from alertd.alerts.inhibition import MISSING_DATA
from alertd.alerts.platform import recovered, trouble
from alertd.db import Tx
from alertd.performance.findings import RAISED, UNJUDGED, Finding, Rule
from alertd.performance.judging import Judged

KINDS: Final = {Rule.FRESH_RETURNS: "returns", Rule.FRESH_EQUITY: "equity"}
LEAST: Final = 20  # subjects; fewer may well have stopped each for itself
SHARE: Final = 0.5


async def notice_missing(tx: Tx, judged: Sequence[Judged], now: datetime) -> None:
    """Opens and closes that alert. To be called before the run is told, which it mutes."""
    for rule, kind in KINDS.items():
        known = [found for each in judged for found in each.judgement.findings if _is_known(found, rule)]
        late = sum(found.status in RAISED for found in known)
        if late >= max(LEAST, SHARE * len(known)):
            message = f"No new {kind} of {late} of {len(known)} subjects: nothing is judged by what is missing."
            await trouble(tx, MISSING_DATA, kind, message, now=now)
        elif known:
            await recovered(tx, MISSING_DATA, kind, f"New {kind} come again.", now=now)


def _is_known(finding: Finding, rule: Rule) -> bool:
    return finding.rule is rule and finding.status not in UNJUDGED
