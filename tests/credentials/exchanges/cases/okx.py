from dataclasses import replace

from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import Cases

OKX = Cases(
    exchange="okx",
    reads=frozenset({"GET /api/v5/account/config", "GET /api/v5/account/balance"}),
    falls_back=True,
    shown=(
        (Rights(), Permissions(True, True, False, None, True)),
        (Rights(trade=False, addresses=()), Permissions(True, False, False, None, False)),
        (Rights(withdraw=True), Permissions(True, True, True, None, True)),
    ),
    # OKX deletes a key that has expired
    reasons={State.EXPIRED: Reason.INVALID_KEY},
    rulings=(
        (401, {"code": "50111", "msg": "Invalid OK-ACCESS-KEY"}, Reason.INVALID_KEY),
        (401, {"code": "50119", "msg": "API key doesn't exist"}, Reason.INVALID_KEY),
        (401, {"code": "50113", "msg": "Invalid Sign"}, Reason.BAD_SECRET),
        (401, {"code": "50105", "msg": "Request header OK-ACCESS-PASSPHRASE incorrect."}, Reason.BAD_PASSPHRASE),
        (401, {"code": "50101", "msg": "APIKey does not match current environment."}, Reason.WRONG_ENVIRONMENT),
        (401, {"code": "50110", "msg": "Your IP 1.2.3.4 is not included"}, Reason.IP_RESTRICTED),
        (400, {"code": "50100", "msg": "API frozen, please contact customer service"}, Reason.ACCOUNT_DISABLED),
        (401, {"code": "50102", "msg": "Timestamp request expired"}, Reason.CLOCK_SKEW),
        (401, {"code": "50112", "msg": "Invalid OK-ACCESS-TIMESTAMP"}, Reason.CLOCK_SKEW),
        (429, {"code": "50011", "msg": "Too Many Requests"}, Reason.RATE_LIMITED),
        (503, {"code": "50001", "msg": "Service temporarily unavailable."}, Reason.EXCHANGE_DOWN),
        (200, {"code": "50026", "msg": "System error. Try again later"}, Reason.EXCHANGE_DOWN),
        (200, "", Reason.BAD_RESPONSE),
        (200, {"code": "0", "data": [], "msg": ""}, Reason.BAD_RESPONSE),
    ),
)

CASES = (OKX, replace(OKX, exchange="myokx"), replace(OKX, exchange="okxus"))
