"""Bybit: the unified account's total equity in USD. Its wallet balance leaves unrealised profit out."""

from collections.abc import Sequence
from typing import Final

from alertd.credentials.equity.shape import Valuation, Valued, number, readable
from alertd.credentials.quirks.bybit import unified
from alertd.credentials.quirks.shape import Call


def total(body: object) -> float | None:
    return number(body, "result", "list", 0, "totalEquity")


def value(bodies: Sequence[object]) -> Valued | None:
    equity = total(bodies[0])
    return None if equity is None else Valued(equity, "USD")


CALLS: Final = (Call(method="privateGetV5AccountWalletBalance", good=readable(total), params=unified),)

VALUATIONS: Final = tuple(
    Valuation(exchange=exchange, calls=CALLS, value=value) for exchange in ("bybit", "bybiteu", "bybitid")
)
