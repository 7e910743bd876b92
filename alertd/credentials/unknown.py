"""Answers that no rule knows: counted, and told to operators with exchange, status and code, once a day each."""

from datetime import datetime, timedelta
from typing import Final

from alertd import metrics
from alertd.alerts import pipeline
from alertd.credentials.check_store import Check
from alertd.db import Db
from alertd.errors import Transient
from alertd.model import Reason, Severity

RULE: Final = "unknown_answer"
AGAIN_AFTER: Final = timedelta(days=1)
MEANINGLESS: Final = frozenset({Reason.BAD_RESPONSE, Reason.INTERNAL_ERROR})
REMEMBERED: Final = 1000


class UnknownAnswers:
    """Remembers what was told, so that an exchange with a new error does not cost a query for each key."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._told: dict[tuple[str, str], datetime] = {}

    async def note(self, check: Check) -> None:
        """Tell of this check's answer if it is one that no rule knows."""
        result, exchange = check.result, check.claim.ref.exchange
        if result.reason not in MEANINGLESS or not result.code.startswith("http "):
            return  # understood, or no answer at all
        metrics.UNKNOWN_ANSWERS.labels(exchange).inc()
        known = (exchange, result.code)
        told_at = self._told.get(known)
        if told_at is not None and check.checked_at - told_at < AGAIN_AFTER:
            return
        if len(self._told) >= REMEMBERED:
            self._told.clear()
        self._told[known] = check.checked_at
        try:
            await pipeline.platform_trouble(
                self._db,
                RULE,
                f"{exchange} {result.code}",
                f"{exchange} gave an answer that alertd does not know ({result.code}); nobody is accused of it. "
                "Look the code up, and report it so that a rule can be added.",
                now=check.checked_at,
                again_after=AGAIN_AFTER,
                severity=Severity.WARNING,  # nobody need get up for it
            )
        except Transient:
            del self._told[known]  # told with the next such answer
