"""What an account is worth, by the exchange's own valuation: one file for each exchange, one line below for each."""

from collections.abc import Mapping
from typing import Final

from alertd.credentials.equity import binance, bybit, deribit, kraken, okx
from alertd.credentials.equity.shape import Valuation, Valued

__all__ = ["VALUATIONS", "Valuation", "Valued"]

FILES: Final = (binance, bybit, deribit, kraken, okx)

VALUATIONS: Final[Mapping[str, Valuation]] = {
    valuation.exchange: valuation for file in FILES for valuation in file.VALUATIONS
}
