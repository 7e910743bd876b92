"""Many keys of one exchange failing at once is more likely the exchange's doing, or ours: ask a person first."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alertd.alerts import pipeline
from alertd.credentials import standing
from alertd.db import Db

RULE: Final = "mass_invalid"
AT_LEAST: Final = 20
REMEMBERED_SECONDS: Final = 10.0  # counting is a scan; a wave of failures must not repeat it for each key


@dataclass(frozen=True, slots=True)
class Share:
    """How many of an exchange's keys are affected, of how many."""

    affected: int
    of: int

    def exceeds(self, fraction: float) -> bool:
        """Whether this is too much to believe; a fraction of 0 believes everything."""
        return fraction > 0 and self.affected >= AT_LEAST and self.affected > fraction * self.of


class MassWatch:
    """Decides whether an accusation is one of too many."""

    def __init__(self, db: Db, *, fraction: float, interval: timedelta) -> None:
        self._db = db
        self._fraction = fraction
        self._interval = interval
        self._known: dict[str, tuple[float, Share]] = {}

    async def suspicious(self, exchange: str, began_at: datetime) -> bool:
        """Whether too many keys of this exchange became invalid around the same time as this one."""
        if self._fraction <= 0:
            return False
        counted_at, share = self._known.get(exchange, (float("-inf"), Share(0, 0)))
        if time.monotonic() - counted_at > REMEMBERED_SECONDS:
            affected, of = await standing.count_invalid_since(self._db, exchange, began_at - self._interval)
            share = Share(affected, of)
            self._known[exchange] = (time.monotonic(), share)
        return share.exceeds(self._fraction)

    def too_many(self, share: Share) -> bool:
        """The same for the accusations of one sweep, which are known all together."""
        return share.exceeds(self._fraction)

    async def ask_a_person(self, exchange: str, *, now: datetime) -> None:
        """Once for each episode."""
        await pipeline.platform_trouble(
            self._db,
            RULE,
            exchange,
            f"Many keys of {exchange} turned invalid at about the same time. The messages to their tenants are held. "
            "Wait until it accepts them again; if they are really dead, "
            "`alertd deliveries replay --state held --event credential.failed` releases the messages.",
            now=now,
        )
