from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import Cases

MEXC = Cases(
    exchange="mexc",
    falls_back=True,
    reads=frozenset({"GET /api/v3/apiKeyInfo", "GET /api/v3/uid"}),
    shown=(
        (Rights(), Permissions(True, True, False, False, True)),
        (Rights(trade=False, addresses=()), Permissions(True, False, False, False, False)),
        (Rights(withdraw=True), Permissions(True, True, True, False, True)),
        (Rights(trade=False, transfer=True), Permissions(True, False, False, True, True)),
    ),
    # MEXC says of an expired key that its signature is wrong
    reasons={State.EXPIRED: Reason.BAD_SECRET},
    rulings=(
        (400, {"code": 10072, "msg": "Api key info invalid"}, Reason.INVALID_KEY),
        (400, {"code": 700001, "msg": "API-key format invalid."}, Reason.INVALID_KEY),
        (400, {"code": 700002, "msg": "Signature for this request is not valid."}, Reason.BAD_SECRET),
        (200, {"success": False, "code": 602, "message": "Signature verification failed"}, Reason.BAD_SECRET),
        (200, {"success": False, "code": 402, "message": "API Key expired"}, Reason.EXPIRED),
        (403, {"code": 700006, "msg": "IP [33.33.33.33] not in the ip white list"}, Reason.IP_RESTRICTED),
        (400, {"code": 700007, "msg": "No permission to access the endpoint."}, Reason.PERMISSION),
        (400, {"code": 700003, "msg": "Timestamp for this request is outside of the recvWindow."}, Reason.CLOCK_SKEW),
        (400, {"code": 10073, "msg": "Request-Time error"}, Reason.CLOCK_SKEW),
        (400, {"code": 60005, "msg": "your account is abnormal"}, Reason.ACCOUNT_DISABLED),
        (429, {"code": 429, "msg": "Too Many Requests"}, Reason.RATE_LIMITED),
        (200, {"code": 500, "message": "Under maintenance, please try again later"}, Reason.EXCHANGE_DOWN),
        (403, {"code": 403, "msg": "Access Denied"}, Reason.BAD_RESPONSE),
        (400, {"code": 700013, "msg": "Invalid content Type."}, Reason.BAD_RESPONSE),
        (403, "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD></HTML>", Reason.EXCHANGE_DOWN),
        (200, {"permissions": "SPOT_ACCOUNT_READ", "status": "EXPIRED"}, Reason.EXPIRED),
        (200, {"permissions": "SPOT_ACCOUNT_READ", "status": "ODD"}, Reason.BAD_RESPONSE),
        (200, {"accessKey": "mx0"}, Reason.BAD_RESPONSE),
    ),
)

CASES = (MEXC,)
