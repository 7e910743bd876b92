"""Binance: every wallet of the account, spot, funding, margin, futures and earn, valued in USDT by the exchange."""

from collections.abc import Mapping, Sequence
from typing import Final

from alertd.credentials.equity.shape import Valuation, Valued, number, readable
from alertd.credentials.quirks.reading import flag, listed, word
from alertd.credentials.quirks.shape import Call
from alertd.model import Secret


def wallets(body: object) -> list[object] | None:
    return listed(body) or None


def in_tethers(_secret: Secret, _earlier: tuple[object, ...]) -> Mapping[str, object]:
    return {"quoteAsset": "USDT"}


def value(bodies: Sequence[object]) -> Valued | None:
    """A wallet that is in use and has no balance that can be read makes the sum only a part."""
    found = [wallet for wallet in listed(bodies[0]) or () if flag(wallet, "activate") is not False]
    balances = [number(wallet, "balance") for wallet in found]
    unpriced = [word(wallet, "walletName") or "a wallet" for wallet in found if number(wallet, "balance") is None]
    known = [balance for balance in balances if balance is not None]
    return Valued(sum(known), "USDT", tuple(unpriced)) if known else None


VALUATIONS: Final = (
    Valuation(
        exchange="binance",
        calls=(Call(method="sapiGetAssetWalletBalance", good=readable(wallets), params=in_tethers, cost=2.0),),
        value=value,
    ),
)
