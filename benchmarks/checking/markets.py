"""Binance's market data, invented: as many symbols, and as much text for each, as the real answers have."""

import gzip
import json
from collections.abc import Mapping
from typing import Any, Final

SYMBOLS: Final = 3000
FUTURES: Final = {"fapi": 600, "dapi": 60}
COINS: Final = 700
FILTERS: Final = (
    {"filterType": "PRICE_FILTER", "minPrice": "0.01000000", "maxPrice": "1000000.00000000", "tickSize": "0.01000000"},
    {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
    {"filterType": "ICEBERG_PARTS", "limit": 100},
    {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "134.41", "stepSize": "0.00000000"},
    {"filterType": "TRAILING_DELTA", "minTrailingAboveDelta": 10, "maxTrailingAboveDelta": 2000},
    {"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "5", "bidMultiplierDown": "0.2", "avgPriceMins": 5},
    {"filterType": "NOTIONAL", "minNotional": "5.0", "applyMinToMarket": True, "maxNotional": "9000000.0"},
    {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
    {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
)
PERMISSION_SETS: Final = [["SPOT", "MARGIN", *(f"TRD_GRP_{n:03d}" for n in range(4, 120))]]


def answers() -> Mapping[str, bytes]:
    """The packed body of each public path, and of the signed ones that loading markets asks for."""
    pages: dict[str, Any] = {
        "/api/v3/exchangeInfo": {"timezone": "UTC", "symbols": [_spot(number) for number in range(SYMBOLS)]},
        "/sapi/v1/capital/config/getall": [_coin(number) for number in range(COINS)],
        "/sapi/v1/margin/allPairs": [],
        "/sapi/v1/margin/isolated/allPairs": [],
    }
    for family, count in FUTURES.items():
        symbols = [_future(number) for number in range(count)]
        pages[f"/{family}/v1/exchangeInfo"] = {"timezone": "UTC", "symbols": symbols}
    return {path: gzip.compress(json.dumps(page).encode(), 5) for path, page in pages.items()}


def _spot(number: int) -> dict[str, Any]:
    base = f"C{number}"
    return {
        "symbol": f"{base}USDT",
        "status": "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": "USDT",
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True,
        "filters": FILTERS,
        "permissions": [],
        "permissionSets": PERMISSION_SETS,
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"],
    }


def _future(number: int) -> dict[str, Any]:
    return {
        **_spot(number),
        "pair": f"C{number}USDT",
        "contractType": "PERPETUAL",
        "contractStatus": "TRADING",
        "contractSize": 100,
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "marginAsset": "USDT",
        "pricePrecision": 2,
        "quantityPrecision": 3,
        "permissionSets": ["GRID", "COPY"],
    }


def _coin(number: int) -> dict[str, Any]:
    networks = [
        {
            "network": network,
            "coin": f"C{number}",
            "withdrawIntegerMultiple": "0.00000001",
            "isDefault": network == "ETH",
            "depositEnable": True,
            "withdrawEnable": True,
            "specialTips": "Enter both the address and the memo that are required to credit the deposit. " * 2,
            "name": network,
            "withdrawFee": "0.1",
            "withdrawMin": "1",
            "withdrawMax": "100000",
            "minConfirm": 12,
            "unLockConfirm": 64,
        }
        for network in ("ETH", "BSC", "ARBITRUM", "SOL")
    ]
    return {"coin": f"C{number}", "name": f"Coin {number}", "free": "0", "trading": True, "networkList": networks}
