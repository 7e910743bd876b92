"""The simulated exchanges; adding one is one file here and one name in `FILES`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from alertd.demo.exchanges import (
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
from alertd.demo.exchanges.shape import Simulated

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

SIMULATED: Final[Mapping[str, Simulated]] = MappingProxyType(
    {each.id: each for file in FILES for each in file.SIMULATED}
)
