"""One entry per exchange; adding an exchange is one file here and one name in `FILES`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from alertd.credentials.quirks import (
    binance,
    bitget,
    bybit,
    coinbase,
    gate,
    kraken,
    kucoin,
    okx,
)
from alertd.credentials.quirks.shape import Quirks

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

EXCHANGES: Final[Mapping[str, Quirks]] = MappingProxyType({entry.id: entry for file in FILES for entry in file.ENTRIES})
