from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import NO_END, NO_WORD, Cases

KRAKENFUTURES = Cases(
    exchange="krakenfutures",
    reads=frozenset({"GET /derivatives/api/v3/accounts"}),
    shown=((Rights(), Permissions(read=True)),),
    # one word for all of them
    reasons={
        State.WRONG_SITE: Reason.INVALID_KEY,
        State.IP_BLOCKED: Reason.INVALID_KEY,
        State.NO_RIGHT: Reason.INVALID_KEY,
        State.BAD_SIGNATURE: Reason.INVALID_KEY,
    },
    lacks={State.EXPIRED: NO_END, State.FROZEN: NO_WORD},
    rulings=(
        (200, {"result": "error", "error": "authenticationError"}, Reason.INVALID_KEY),
        (200, {"result": "error", "error": "nonceBelowThreshold"}, Reason.CLOCK_SKEW),
        (200, {"result": "error", "error": "nonceDuplicate: 12"}, Reason.CLOCK_SKEW),
        (200, {"result": "error", "error": "apiLimitExceeded"}, Reason.RATE_LIMITED),
        (429, {"result": "error", "error": "apiLimitExceeded"}, Reason.RATE_LIMITED),
        (200, {"result": "error", "error": "Unavailable"}, Reason.EXCHANGE_DOWN),
        (500, {"errors": [{"code": 98, "message": "Server Error"}]}, Reason.EXCHANGE_DOWN),
        (200, {"result": "error", "error": "accountInactive"}, Reason.BAD_RESPONSE),
        (200, {"result": "success"}, Reason.BAD_RESPONSE),
        (520, "<html><title>520: Web server is returning an unknown error</title></html>", Reason.EXCHANGE_DOWN),
    ),
    malformed=(("key", "not base64!", ""), ("key", "abc", "")),
)

CASES = (KRAKENFUTURES,)
