from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import NO_END, Cases

WHITEBIT = Cases(
    exchange="whitebit",
    reads=frozenset({"POST /api/v4/trade-account/balance"}),
    shown=((Rights(), Permissions(read=True)),),
    # one sentence for all of them
    reasons={State.IP_BLOCKED: Reason.INVALID_KEY, State.FROZEN: Reason.INVALID_KEY},
    lacks={State.EXPIRED: NO_END},
    rulings=(
        (
            401,
            {"code": 2, "message": "This action is unauthorized. Enable your key in API settings"},
            Reason.INVALID_KEY,
        ),
        (401, {"code": 0, "message": "This action is unauthorized."}, Reason.INVALID_KEY),
        (401, {"code": 10, "message": "Unauthorized request."}, Reason.BAD_SECRET),
        (403, {"code": 4, "message": "This API Key is not authorized to perform this action."}, Reason.PERMISSION),
        (403, {"code": 0, "message": "You don't have permission to use this endpoint."}, Reason.PERMISSION),
        (
            400,
            {"code": 0, "message": "Your nonce is more than 5 seconds lesser than the current nonce"},
            Reason.CLOCK_SKEW,
        ),
        (400, {"message": [["Too many requests."]], "result": [], "success": False}, Reason.CLOCK_SKEW),
        (400, {"message": [["Nonce not provided."]], "result": [], "success": False}, Reason.BAD_RESPONSE),
        (429, {"code": 0, "message": "Too Many Attempts."}, Reason.RATE_LIMITED),
        (401, {"code": 9, "message": "Invalid payload."}, Reason.BAD_RESPONSE),
        (200, {"response": None, "status": 503, "errors": {"message": [""]}}, Reason.EXCHANGE_DOWN),
        (422, {"code": 0, "message": {"limit": ["Validation failed"]}}, Reason.BAD_RESPONSE),
        (200, {}, Reason.BAD_RESPONSE),
    ),
)

CASES = (WHITEBIT,)
