from dataclasses import replace
from datetime import UTC, datetime

from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import Cases

EXPIRY = datetime(2026, 3, 1, tzinfo=UTC)

BYBIT = Cases(
    exchange="bybit",
    reads=frozenset({"GET /v5/user/query-api", "GET /v5/account/wallet-balance"}),
    falls_back=True,
    shown=(
        (Rights(), Permissions(True, True, False, False, True)),
        (Rights(trade=False), Permissions(True, False, False, False, True)),
        (Rights(withdraw=True, transfer=True, addresses=()), Permissions(True, True, True, True, False)),
        (Rights(expires_at=EXPIRY), Permissions(True, True, False, False, True, EXPIRY)),
    ),
    reasons={State.WRONG_SITE: Reason.INVALID_KEY},
    rulings=(
        (401, "", Reason.INVALID_KEY),
        (200, {"retCode": 10003, "retMsg": "API key is invalid."}, Reason.INVALID_KEY),
        (200, {"retCode": 10004, "retMsg": "error sign! origin_string[XXXXXXXXXX]"}, Reason.BAD_SECRET),
        (200, {"retCode": 10005, "retMsg": "Permission denied, please check."}, Reason.PERMISSION),
        (200, {"retCode": 10010, "retMsg": "Unmatched IP, please check."}, Reason.IP_RESTRICTED),
        (200, {"retCode": 33004, "retMsg": "Your api key has expired."}, Reason.EXPIRED),
        (200, {"retCode": -2015, "retMsg": "Your api key has expired."}, Reason.EXPIRED),
        (200, {"retCode": 10008, "retMsg": "User has been banned."}, Reason.ACCOUNT_DISABLED),
        (200, {"retCode": 10009, "retMsg": "IP has been banned."}, Reason.RATE_LIMITED),
        (200, {"retCode": 10006, "retMsg": "Too many visits. Exceeded the API Rate Limit."}, Reason.RATE_LIMITED),
        (200, {"ret_code": 10002, "ret_msg": "invalid request"}, Reason.CLOCK_SKEW),
        (403, "403, access too frequent", Reason.RATE_LIMITED),
        (
            403,
            "<HTML><BODY>The Amazon CloudFront distribution is configured to block access from your country.</BODY>",
            Reason.REGION_BLOCKED,
        ),
        (200, "<html><body>maintenance</body></html>", Reason.BAD_RESPONSE),
        (200, {"retCode": 0, "retMsg": "", "result": {}}, Reason.BAD_RESPONSE),
        (401, "<html><body>a proxy's login page</body></html>", Reason.BAD_RESPONSE),
    ),
)

CASES = (BYBIT, replace(BYBIT, exchange="bybiteu"), replace(BYBIT, exchange="bybitid"))
