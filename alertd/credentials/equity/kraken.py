"""Kraken: all currencies' combined balance in USD, and the unrealised result of open positions."""

from collections.abc import Mapping, Sequence
from typing import Final

from alertd.credentials.equity.shape import Valuation, Valued, number, readable
from alertd.credentials.quirks.shape import Call
from alertd.model import Secret


def total(body: object) -> float | None:
    """`eb` is the equivalent balance of everything, `n` the net result of open positions."""
    balance, result = number(body, "result", "eb"), number(body, "result", "n")
    return None if balance is None or result is None else balance + result


def in_dollars(_secret: Secret, _earlier: tuple[object, ...]) -> Mapping[str, object]:
    return {"asset": "ZUSD"}


def value(bodies: Sequence[object]) -> Valued | None:
    equity = total(bodies[0])
    return None if equity is None else Valued(equity, "USD")


VALUATIONS: Final = (
    Valuation(
        exchange="kraken",
        calls=(Call(method="privatePostTradeBalance", good=readable(total), params=in_dollars),),
        value=value,
    ),
)
