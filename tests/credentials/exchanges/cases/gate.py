from dataclasses import replace

from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import NO_END, Cases

GATE = Cases(
    exchange="gate",
    falls_back=True,
    reads=frozenset({"GET /api/v4/account/main_keys", "GET /api/v4/account/detail"}),
    shown=(
        (Rights(), Permissions(True, True, False, False, True)),
        (Rights(trade=False, addresses=()), Permissions(True, False, False, False, False)),
        (Rights(withdraw=True), Permissions(True, True, True, True, True)),
    ),
    # only the look-up needs the right; and there is no word for another site
    reasons={State.NO_RIGHT: Reason.OK, State.WRONG_SITE: Reason.INVALID_KEY},
    lacks={State.EXPIRED: NO_END},
    rulings=(
        (401, {"label": "INVALID_KEY", "message": "Invalid key provided"}, Reason.INVALID_KEY),
        (401, {"label": "INVALID_CREDENTIALS", "message": "Invalid credentials provided"}, Reason.INVALID_KEY),
        (401, {"label": "INVALID_SIGNATURE", "message": "Signature mismatch"}, Reason.BAD_SECRET),
        (403, {"label": "FORBIDDEN", "message": "Request IP not in whitelist: 1.2.3.4"}, Reason.IP_RESTRICTED),
        (403, {"label": "IP_FORBIDDEN", "message": "Request IP not in whitelist"}, Reason.IP_RESTRICTED),
        (
            403,
            {"label": "FORBIDDEN", "message": "Request API key does not have spot permission"},
            Reason.PERMISSION,
        ),
        (403, {"label": "FORBIDDEN", "message": "because"}, Reason.BAD_RESPONSE),
        (403, {"label": "READ_ONLY", "message": "API key is read-only"}, Reason.PERMISSION),
        (403, {"label": "REQUEST_EXPIRED", "message": "gap between request Timestamp"}, Reason.CLOCK_SKEW),
        (403, {"label": "ACCOUNT_LOCKED", "message": "Account is locked"}, Reason.ACCOUNT_DISABLED),
        (429, {"label": "TOO_MANY_REQUESTS", "message": "Request Rate limit Exceeded (1000)"}, Reason.RATE_LIMITED),
        (500, {"label": "SERVER_ERROR", "message": "Internal server error"}, Reason.EXCHANGE_DOWN),
        (401, {"label": "MISSING_REQUIRED_HEADER", "message": "Missing Timestamp"}, Reason.BAD_RESPONSE),
        (403, "<html><head><title>Access Denied</title></head><body><h1>Access Denied", Reason.EXCHANGE_DOWN),
        (200, {"state": 2, "perms": []}, Reason.ACCOUNT_DISABLED),
        (200, {"state": 7, "perms": []}, Reason.BAD_RESPONSE),
        (200, [], Reason.BAD_RESPONSE),
    ),
)

CASES = (GATE, replace(GATE, exchange="gateeu"))
