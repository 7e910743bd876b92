from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import NO_END, Cases

BINGX = Cases(
    exchange="bingx",
    reads=frozenset({"GET /openApi/v1/account/apiPermissions", "GET /openApi/spot/v1/account/balance"}),
    shown=(
        (Rights(), Permissions(True, True, False, False, True)),
        (Rights(trade=False, addresses=()), Permissions(True, False, False, False, False)),
        (Rights(withdraw=True, transfer=True), Permissions(True, True, True, True, True)),
    ),
    lacks={State.EXPIRED: NO_END},
    rulings=(
        (200, {"code": 100413, "msg": "Incorrect apiKey"}, Reason.INVALID_KEY),
        (200, {"code": 100001, "msg": "Signature verification failed"}, Reason.BAD_SECRET),
        (200, {"code": 100419, "msg": "your current request IP is 203.0.113.50 does not match"}, Reason.IP_RESTRICTED),
        (200, {"code": 100004, "msg": "Permission denied as the API key was created without"}, Reason.PERMISSION),
        (200, {"code": 100421, "msg": "Null timestamp or timestamp mismatch"}, Reason.CLOCK_SKEW),
        (200, {"code": 100421, "msg": "This pair is currently restricted from API trading"}, Reason.BAD_RESPONSE),
        (200, {"code": 100414, "msg": "risk control check fail,code(1)"}, Reason.ACCOUNT_DISABLED),
        (200, {"code": 100410, "msg": "The endpoint trigger frequency limit rule"}, Reason.RATE_LIMITED),
        (200, {"code": 100410, "msg": "The current system is busy, please try again later"}, Reason.EXCHANGE_DOWN),
        (200, {"code": 418, "msg": ""}, Reason.RATE_LIMITED),
        (200, {"code": 100500, "msg": "The current system is busy"}, Reason.EXCHANGE_DOWN),
        (200, {"code": 100412, "msg": "Null signature"}, Reason.BAD_RESPONSE),
        (200, {"code": 403, "msg": "Forbidden"}, Reason.BAD_RESPONSE),
        (200, {"code": 0, "msg": "", "data": {}}, Reason.BAD_RESPONSE),
    ),
)

CASES = (BINGX,)
