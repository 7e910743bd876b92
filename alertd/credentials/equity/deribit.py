"""Deribit: the equity of each currency's account, which the index prices turn into USD."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from alertd.credentials.equity.shape import Valuation, Valued, number, readable
from alertd.credentials.quirks.reading import listed, word
from alertd.credentials.quirks.shape import Call
from alertd.model import Secret

PRICED: Final = ("BTC", "ETH")
DOLLARS: Final = frozenset({"USDC", "USDT"})  # at par: the exchange itself margins them so


def summaries(body: object) -> list[object] | None:
    return listed(body, "result", "summaries") or None


def price(body: object) -> float | None:
    return number(body, "result", "index_price")


def index_of(currency: str) -> Callable[[Secret, tuple[object, ...]], Mapping[str, object]]:
    return lambda _secret, _earlier: {"index_name": f"{currency.lower()}_usd"}


def value(bodies: Sequence[object]) -> Valued | None:
    prices = dict.fromkeys(DOLLARS, 1.0)
    prices |= {name: found for name, body in zip(PRICED, bodies[1:], strict=True) if (found := price(body)) is not None}
    total, unpriced = 0.0, []
    for account in summaries(bodies[0]) or ():
        currency, equity = word(account, "currency"), number(account, "equity")
        if equity is None or (equity != 0 and currency not in prices):
            unpriced.append(currency or "an account")
        elif equity != 0:
            total += equity * prices[currency]
    return Valued(total, "USD", tuple(unpriced))


VALUATIONS: Final = (
    Valuation(
        exchange="deribit",
        calls=(
            Call(method="privateGetGetAccountSummaries", good=readable(summaries)),
            *(
                Call(method="publicGetGetIndexPrice", good=readable(price), params=index_of(currency))
                for currency in PRICED
            ),
        ),
        value=value,
    ),
)
