from typing import Any

from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import Cases


def refused(message: str, code: str = "api-signature-not-valid") -> dict[str, Any]:
    return {"status": "error", "err-code": code, "err-msg": message, "data": None}


HTX = Cases(
    exchange="htx",
    falls_back=True,
    reads=frozenset({"GET /v2/user/uid", "GET /v2/user/api-key", "GET /v1/account/accounts"}),
    shown=(
        (Rights(), Permissions(True, True, False, None, True)),
        (Rights(trade=False, addresses=()), Permissions(True, False, False, None, False)),
        (Rights(withdraw=True), Permissions(True, True, True, None, True)),
    ),
    lacks={State.FROZEN: "it has a code, which is among the rulings, and the look-up of a key never says it"},
    rulings=(
        (200, refused("Signature not valid: Incorrect Access key [Access key错误]"), Reason.INVALID_KEY),
        (200, refused("Signature not valid: Verification failure [校验失败]"), Reason.BAD_SECRET),
        (200, refused("Signature not valid: Incorrect IP address [IP地址错误]:104.128.67.45"), Reason.IP_RESTRICTED),
        (
            200,
            refused("Signature not valid: Invalid submission time or incorrect time format [无效的提交时间"),
            Reason.CLOCK_SKEW,
        ),
        (200, refused("Signature not valid: API key has no permission [API Key没有权限]"), Reason.PERMISSION),
        (200, refused("Signature not valid: APIkey has expired"), Reason.EXPIRED),
        (200, refused("Signature not valid: for a reason of its own"), Reason.BAD_RESPONSE),
        (200, refused("", "api-signature-check-failed"), Reason.BAD_SECRET),
        (200, {"code": 1002, "message": "unauthorized"}, Reason.INVALID_KEY),
        (200, {"code": 1003, "message": "invalid signature"}, Reason.BAD_SECRET),
        (200, {"code": 2002, "message": "auth.fail"}, Reason.INVALID_KEY),
        (200, {"code": 2002, "message": "invalid field value in `uid`"}, Reason.BAD_RESPONSE),
        (200, {"code": 2000, "message": "invalid.ip"}, Reason.IP_RESTRICTED),
        (200, {"status": "error", "err_code": 403, "err_msg": "Incorrect Access key"}, Reason.INVALID_KEY),
        (200, {"status": "error", "err_code": 12004, "err_msg": "Expired"}, Reason.EXPIRED),
        (200, {"status": "error", "err_code": 1084, "err_msg": "API access disabled"}, Reason.ACCOUNT_DISABLED),
        (429, refused("exceeded rate limit", "rate-too-many-requests"), Reason.RATE_LIMITED),
        (200, refused("request limit", "invalid-parameter"), Reason.RATE_LIMITED),
        (200, refused("System is in maintenance!", "system-maintenance"), Reason.EXCHANGE_DOWN),
        (200, refused("Failed to load data. Try again later.", "gateway-internal-error"), Reason.EXCHANGE_DOWN),
        (200, {"accessKey": "key", "permission": "readOnly", "status": "expired"}, Reason.EXPIRED),
        (200, {"accessKey": "key", "permission": "readOnly", "status": "odd"}, Reason.BAD_RESPONSE),
        (200, {"code": 200, "data": []}, Reason.BAD_RESPONSE),
        (200, {"code": 200}, Reason.BAD_RESPONSE),
    ),
)

CASES = (HTX,)
