from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import NO_WORD, Cases

KEY = "organizations/3b910e93-0000-4000-8000-000000000000/apiKeys/0f8fad5b-0000-4000-8000-000000000000"

COINBASE = Cases(
    exchange="coinbase",
    reads=frozenset({"GET /api/v3/brokerage/key_permissions", "GET /api/v3/brokerage/accounts"}),
    falls_back=True,
    shown=(
        (Rights(), Permissions(True, True, False, False)),
        (Rights(trade=False), Permissions(True, False, False, False)),
        (Rights(withdraw=True), Permissions(True, True, True, True)),
    ),
    # one mute 401 for all of them
    reasons={
        State.EXPIRED: Reason.INVALID_KEY,
        State.IP_BLOCKED: Reason.INVALID_KEY,
        State.BAD_SIGNATURE: Reason.INVALID_KEY,
    },
    lacks={State.FROZEN: NO_WORD},
    rulings=(
        (401, "Unauthorized", Reason.INVALID_KEY),
        (403, {"error": "PERMISSION_DENIED", "message": "Missing required scopes"}, Reason.PERMISSION),
        (403, {"error": "unknown", "error_details": "Missing required scopes"}, Reason.PERMISSION),
        (429, {"errors": [{"id": "rate_limit_exceeded"}]}, Reason.RATE_LIMITED),
        (503, "<html><body><h1>503 Service Unavailable</h1> No server is available", Reason.EXCHANGE_DOWN),
        (200, {"accounts": []}, Reason.BAD_RESPONSE),
    ),
    malformed=(
        (KEY, "-----BEGIN EC PRIVATE KEY-----\nnot a key\n-----END EC PRIVATE KEY-----", ""),
        (KEY, "not base64!", ""),
        (KEY, "c2hvcnQ=", ""),
    ),
)

CASES = (COINBASE,)
