"""OKX: the trading account's total, in USD, unrealised profit included; the funding account is not in it."""

from collections.abc import Sequence
from typing import Final

from alertd.credentials.equity.shape import Valuation, Valued, number, readable
from alertd.credentials.quirks.shape import Call


def total(body: object) -> float | None:
    return number(body, "data", 0, "totalEq")


def value(bodies: Sequence[object]) -> Valued | None:
    equity = total(bodies[0])
    return None if equity is None else Valued(equity, "USD")


CALLS: Final = (Call(method="privateGetAccountBalance", good=readable(total)),)

VALUATIONS: Final = tuple(
    Valuation(exchange=exchange, calls=CALLS, value=value) for exchange in ("okx", "myokx", "okxus")
)
