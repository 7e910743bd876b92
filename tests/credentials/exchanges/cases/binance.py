from dataclasses import replace
from datetime import UTC, datetime

from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import Cases

EXPIRY = datetime(2026, 3, 1, tzinfo=UTC)

BINANCE = Cases(
    exchange="binance",
    reads=frozenset({"GET /sapi/v1/account/apiRestrictions", "GET /api/v3/account"}),
    falls_back=True,
    shown=(
        (Rights(), Permissions(True, True, False, False, True)),
        (Rights(trade=False, addresses=()), Permissions(True, False, False, False, False)),
        (Rights(withdraw=True, transfer=True), Permissions(True, True, True, True, True)),
        (Rights(expires_at=EXPIRY, addresses=()), Permissions(True, True, False, False, False, EXPIRY)),
    ),
    # -2015 for all of them
    reasons={
        State.EXPIRED: Reason.INVALID_KEY,
        State.IP_BLOCKED: Reason.INVALID_KEY,
        State.NO_RIGHT: Reason.INVALID_KEY,
        State.WRONG_SITE: Reason.INVALID_KEY,
    },
    rulings=(
        (401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}, Reason.INVALID_KEY),
        (
            401,
            {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action, request ip: 83.167.27.42"},
            Reason.INVALID_KEY,
        ),
        (401, {"code": -2014, "msg": "API-key format invalid."}, Reason.INVALID_KEY),
        (401, {"code": -2008, "msg": "Invalid Api-Key ID."}, Reason.INVALID_KEY),
        (400, {"code": -1022, "msg": "Signature for this request is not valid."}, Reason.BAD_SECRET),
        (
            400,
            {"code": -1021, "msg": "Timestamp for this request was 1000ms ahead of the server's time."},
            Reason.CLOCK_SKEW,
        ),
        (429, {"code": -1003, "msg": "Too much request weight used; current limit is 1200."}, Reason.RATE_LIMITED),
        (418, {"code": -1003, "msg": "Way too much request weight used; IP banned."}, Reason.RATE_LIMITED),
        (403, "<html><head><title>403 Forbidden</title></head></html>", Reason.RATE_LIMITED),
        (451, {"code": 0, "msg": "Service unavailable from a restricted location"}, Reason.REGION_BLOCKED),
        (503, {"code": -1008, "msg": "Server is currently overloaded with other requests."}, Reason.EXCHANGE_DOWN),
        (500, {"code": -1000, "msg": "An unknown error occurred while processing the request."}, Reason.EXCHANGE_DOWN),
        (200, {"code": 0, "msg": ""}, Reason.BAD_RESPONSE),
        (200, [], Reason.BAD_RESPONSE),
    ),
    malformed=(("key", "-----BEGIN PRIVATE KEY-----\nnot a key\n-----END PRIVATE KEY-----" + " " * 40, ""),),
)

CASES = (
    BINANCE,
    replace(
        BINANCE,
        exchange="binanceus",
        reads=frozenset({"GET /api/v3/account"}),
        falls_back=False,
        shown=((Rights(), Permissions(read=True)),),
    ),
)
