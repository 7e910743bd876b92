"""One entry per exchange; adding an exchange is one file here and one name in `FILES`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from alertd.credentials.quirks import (
    binance,
    bingx,
    bitfinex,
    bitget,
    bitstamp,
    bybit,
    coinbase,
    cryptocom,
    deribit,
    gate,
    htx,
    hyperliquid,
    kraken,
    krakenfutures,
    kucoin,
    mexc,
    okx,
    phemex,
    whitebit,
)
from alertd.credentials.quirks.shape import Quirks

FILES: Final = (
    binance,
    bingx,
    bitfinex,
    bitget,
    bitstamp,
    bybit,
    coinbase,
    cryptocom,
    deribit,
    gate,
    htx,
    hyperliquid,
    kraken,
    krakenfutures,
    kucoin,
    mexc,
    okx,
    phemex,
    whitebit,
)

EXCHANGES: Final[Mapping[str, Quirks]] = MappingProxyType({entry.id: entry for file in FILES for entry in file.ENTRIES})
