"""What a check says about a subject: one finding for each of its rules, whether or not anything is wrong."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from alertd.alerts.lifecycle import Sign
from alertd.model import Severity

Detail = str | int | float | None


class Rule(StrEnum):
    """What can be found; a part of an alert's identity."""

    DRIFT = "drift"
    DAY_TAIL = "day_tail"
    VOLATILITY = "volatility"
    BREACHES = "interval_breaches"
    PNL_DEVIATION = "pnl_deviation"
    CONE = "cone"
    FRESH_RETURNS = "fresh_returns"
    DRAWDOWN = "drawdown"
    DAILY_LOSS = "daily_loss"
    SHARPE = "sharpe"
    EQUITY_READING = "equity_reading"
    FRESH_EQUITY = "fresh_equity"
    STABILITY = "stability"
    WALK_FORWARD = "walk_forward"
    OUT_OF_SAMPLE = "out_of_sample"
    FORWARD_TEST = "forward_test"
    PROJECTION = "projection"


class Status(StrEnum):
    """How a rule stands. The last two say that it cannot be judged: shown, neither an alert nor a success."""

    OK = "ok"
    INFO = "info"  # worth a look in a digest; wakes nobody
    WARNING = "warning"
    CRITICAL = "critical"
    EMERGENCY = "emergency"
    NO_DATA = "no_data"  # too little yet; the finding has `have` and `need`
    STALE = "stale_data"  # there was enough, and nothing new comes

    @property
    def severity(self) -> Severity | None:
        """What an alert about it would be; None where there is none."""
        return Severity(self.value) if self in RAISED else None


NUMBERS: Final = ("value", "expected", "low", "high", "statistic", "threshold")
RAISED = frozenset({Status.WARNING, Status.CRITICAL, Status.EMERGENCY})
UNJUDGED = frozenset({Status.NO_DATA, Status.STALE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule's answer. `message` is one sentence of ours.

    `value` and `expected` are what a person would compare, `low` and `high` the range that is normal;
    `statistic` and `threshold` are what decided. `clears` False: not raised, and yet too near for an
    open alert to be closed.
    """

    rule: Rule
    status: Status
    message: str
    value: float | None = None
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    statistic: float | None = None
    threshold: float | None = None
    have: int | None = None
    need: int | None = None
    clears: bool = True
    details: Mapping[str, Detail] = field(default_factory=dict)

    @property
    def sign(self) -> Sign:
        """What it means for an alert of this rule: opens or keeps it, closes it, or leaves it as it is."""
        if self.status in RAISED:
            return Sign.BAD
        if self.status in UNJUDGED or self.status is Status.INFO or not self.clears:
            return Sign.UNKNOWN
        return Sign.GOOD


def plain(finding: Finding) -> Finding:
    """The same as people and JSON have it: twelve digits, and None for what is no number or has no end."""
    numbers = {name: _plain(getattr(finding, name)) for name in NUMBERS}
    return replace(finding, **numbers, details={name: _plain(value) for name, value in finding.details.items()})


def _plain(value: Detail) -> Any:
    if not isinstance(value, float):
        return value
    return float(f"{value:.12g}") if math.isfinite(value) else None


def no_data(rule: Rule, have: int, need: int, of_what: str) -> Finding:
    """Too little yet, in numbers: "12 of 30 live days"."""
    return Finding(
        rule=rule, status=Status.NO_DATA, message=f"Not judged yet: {have} of {need} {of_what}.", have=have, need=need
    )


def cannot_judge(rule: Rule, why: str) -> Finding:
    """No amount of waiting helps; `why` is a sentence."""
    return Finding(rule=rule, status=Status.NO_DATA, message=f"Not judged: {why}")
