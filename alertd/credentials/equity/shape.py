"""What one exchange's valuation is made of: the reads it needs, and a pure function over their answers.

Only exchanges that value a whole account themselves, open positions included, have one: what a bare list of
balances leaves out is not known, and half an equity would look like a loss.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alertd.credentials.quirks.reading import at
from alertd.credentials.quirks.shape import Call
from alertd.model import Permissions


@dataclass(frozen=True, slots=True)
class Valued:
    """An account in one currency. `unpriced` names what could not be valued: the rest alone is not its equity."""

    equity: float
    currency: str
    unpriced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """`value` makes of the answers to `calls` an equity, None where they are not of the expected shape."""

    exchange: str
    calls: tuple[Call, ...]
    value: Callable[[Sequence[object]], Valued | None]


def number(body: object, *path: str | int) -> float | None:
    """A finite number, as such or as text; None for anything else, empty text among it."""
    found = at(body, *path)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    try:
        value = float(found)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def readable(value: Callable[[object], object | None]) -> Callable[[object], Permissions | None]:
    """An answer is good when this finds something in it; it tells nothing of rights but that one may read."""
    return lambda body: None if value(body) is None else Permissions(read=True)
