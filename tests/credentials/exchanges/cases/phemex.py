from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import NO_END, Cases

PHEMEX = Cases(
    exchange="phemex",
    reads=frozenset({"GET /spot/wallets"}),
    shown=((Rights(), Permissions(read=True)),),
    reasons={State.WRONG_SITE: Reason.INVALID_KEY},
    lacks={State.EXPIRED: NO_END},
    rulings=(
        (401, {"code": "401", "msg": "401 Failed to load API KEY."}, Reason.INVALID_KEY),
        (200, {"code": 10500, "msg": "Failed to find api-key 1c5ec63fd-660d-43ea"}, Reason.INVALID_KEY),
        (200, {"code": "10500", "msg": "Api key not found 698dc9e3-6faa-4910"}, Reason.INVALID_KEY),
        (200, {"code": 10500, "msg": "API Signature verification failed."}, Reason.BAD_SECRET),
        (401, {"code": "401", "msg": "401 Request IP mismatch."}, Reason.IP_RESTRICTED),
        (401, {"code": "401", "msg": "401 Insufficient privilege."}, Reason.PERMISSION),
        (401, {"code": 401, "msg": "401 Request Expired at 1618547919"}, Reason.CLOCK_SKEW),
        (401, {"code": 401, "msg": "401 Something new."}, Reason.BAD_RESPONSE),
        (200, {"code": 11022, "msg": "TE_REJECT_DUE_TO_BANNED"}, Reason.ACCOUNT_DISABLED),
        (200, {"code": "39995", "msg": "Too many requests."}, Reason.RATE_LIMITED),
        (200, {"code": 34003, "msg": "Access forbidden", "data": None}, Reason.BAD_RESPONSE),
        (200, {"error": {"code": 6001, "message": "invalid argument"}, "id": None}, Reason.BAD_RESPONSE),
        (200, {"code": 0, "msg": "", "data": None}, Reason.BAD_RESPONSE),
    ),
)

CASES = (PHEMEX,)
