from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import NO_END, Cases

CRYPTOCOM = Cases(
    exchange="cryptocom",
    reads=frozenset({"POST /exchange/v1/private/user-balance"}),
    shown=((Rights(), Permissions(read=True)),),
    # one code for all of them
    reasons={
        State.WRONG_SITE: Reason.INVALID_KEY,
        State.BAD_SIGNATURE: Reason.INVALID_KEY,
        State.NO_RIGHT: Reason.INVALID_KEY,
    },
    lacks={State.EXPIRED: NO_END},
    rulings=(
        (401, {"code": 40101, "message": "Authentication failure"}, Reason.INVALID_KEY),
        (400, {"code": "10002", "message": "UNAUTHORIZED"}, Reason.INVALID_KEY),
        (401, {"code": 40103, "message": "IP address not whitelisted"}, Reason.IP_RESTRICTED),
        (401, {"code": 10003, "message": "IP_ILLEGAL"}, Reason.IP_RESTRICTED),
        (401, {"code": 40104, "message": "Disallowed based on user tier"}, Reason.PERMISSION),
        (400, {"code": 40102, "message": "Nonce value differs by more than 60 seconds"}, Reason.CLOCK_SKEW),
        (400, {"code": 202, "message": "ACCOUNT_IS_SUSPENDED"}, Reason.ACCOUNT_DISABLED),
        (429, {"code": 42901, "message": "RATE_LIMIT"}, Reason.RATE_LIMITED),
        (408, {"code": 40801, "message": "REQ_TIMEOUT"}, Reason.EXCHANGE_DOWN),
        (500, {"code": 50001, "message": "ERR_INTERNAL"}, Reason.EXCHANGE_DOWN),
        (200, {"code": 9010001, "message": "SYSTEM_MAINTENANCE"}, Reason.EXCHANGE_DOWN),
        (400, {"code": 20005, "message": "ACCOUNT_NOT_FOUND"}, Reason.BAD_RESPONSE),
        (400, {"code": 40001, "message": "BAD_REQUEST"}, Reason.BAD_RESPONSE),
        (200, {"code": 0, "result": {}}, Reason.BAD_RESPONSE),
        (502, "<html> <head><title>502 Bad Gateway</title></head> <body> <center>", Reason.EXCHANGE_DOWN),
    ),
)

CASES = (CRYPTOCOM,)
