"""The simulated exchanges; adding one is one file here and one name in `FILES`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from alertd.demo.exchanges import (
    binance,
    bitget,
    bybit,
    coinbase,
    gate,
    kraken,
    kucoin,
    okx,
)
from alertd.demo.exchanges.shape import Simulated

FILES: Final = (
    binance,
    bitget,
    bybit,
    coinbase,
    gate,
    kraken,
    kucoin,
    okx,
)

SIMULATED: Final[Mapping[str, Simulated]] = MappingProxyType(
    {each.id: each for file in FILES for each in file.SIMULATED}
)
