from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import Cases

KUCOIN = Cases(
    exchange="kucoin",
    falls_back=True,
    reads=frozenset({"GET /api/v1/user/api-key", "GET /api/v1/accounts"}),
    shown=(
        (Rights(), Permissions(True, True, False, False, True)),
        (Rights(trade=False, addresses=()), Permissions(True, False, False, False, False)),
        (Rights(withdraw=True), Permissions(True, True, True, False, True)),
        (Rights(trade=False, transfer=True), Permissions(True, False, False, True, True)),
    ),
    # KuCoin deletes a key that has expired
    reasons={State.EXPIRED: Reason.INVALID_KEY},
    rulings=(
        (401, {"code": "400003", "msg": "The API key does not exist or site mismatch."}, Reason.INVALID_KEY),
        (401, {"code": "400004", "msg": "Invalid KC-API-PASSPHRASE"}, Reason.BAD_PASSPHRASE),
        (401, {"code": "400005", "msg": "Invalid KC-API-SIGN"}, Reason.BAD_SECRET),
        (401, {"code": "400006", "msg": "The requested ip address is not in the api whitelist"}, Reason.IP_RESTRICTED),
        (403, {"code": "400007", "msg": "Access denied, require more permission."}, Reason.PERMISSION),
        (401, {"code": "400002", "msg": "KC-API-TIMESTAMP Invalid"}, Reason.CLOCK_SKEW),
        (
            200,
            {"code": "411100", "msg": "User is frozen, please contact us via support center"},
            Reason.ACCOUNT_DISABLED,
        ),
        (
            200,
            {"code": "130302", "msg": "Your relevant permission rights have been restricted"},
            Reason.ACCOUNT_DISABLED,
        ),
        (400, {"code": "400303", "msg": "Please complete the identity verification process."}, Reason.ACCOUNT_DISABLED),
        (400, {"code": "400303", "msg": "Not available here"}, Reason.REGION_BLOCKED),
        (400, {"code": "400500", "msg": "Your located country/region is not supported"}, Reason.REGION_BLOCKED),
        (429, {"code": "429000", "msg": "Too many requests. System-level rate limit exceeded."}, Reason.RATE_LIMITED),
        (200, {"code": "429000", "msg": "Too many requests"}, Reason.RATE_LIMITED),
        (500, {"code": "500000", "msg": "Internal Server Error"}, Reason.EXCHANGE_DOWN),
        (401, {"code": "400001", "msg": "Any of KC-API-KEY, KC-API-SIGN is missing"}, Reason.BAD_RESPONSE),
        (200, {"code": "200000", "data": {"apiKey": "6705f5c3"}}, Reason.BAD_RESPONSE),
    ),
)

CASES = (KUCOIN,)
