from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import NO_END, Cases

BITSTAMP = Cases(
    exchange="bitstamp",
    reads=frozenset({"POST /api/v2/account_balances/"}),
    shown=((Rights(withdraw=True), Permissions(read=True)),),
    lacks={State.EXPIRED: NO_END},
    rulings=(
        (403, {"status": "error", "reason": "API key not found", "code": "API0001"}, Reason.INVALID_KEY),
        (403, {"status": "error", "reason": "Invalid signature", "code": "API0005"}, Reason.BAD_SECRET),
        (403, {"status": "error", "reason": "IP address not allowed", "code": "API0002"}, Reason.IP_RESTRICTED),
        (403, {"status": "error", "reason": "No permission found", "code": "API0003"}, Reason.PERMISSION),
        (403, {"error": "No permission found"}, Reason.PERMISSION),
        (403, {"status": "error", "reason": "Invalid nonce", "code": "API0004"}, Reason.CLOCK_SKEW),
        (403, {"status": "error", "reason": "Timestamp", "code": "API0017"}, Reason.CLOCK_SKEW),
        (403, {"status": "error", "reason": "Your account is frozen", "code": "API0006"}, Reason.ACCOUNT_DISABLED),
        (
            403,
            {"status": "error", "reason": {"__all__": ["Trading is currently unavailable for your account."]}},
            Reason.ACCOUNT_DISABLED,
        ),
        (403, {"error": "Missing key, signature and nonce parameters"}, Reason.BAD_RESPONSE),
        (403, {"error": {"amount": ["Ensure this"]}}, Reason.BAD_RESPONSE),
        (429, {"reason": "Request rate limit exceeded.", "response_code": "400.002"}, Reason.RATE_LIMITED),
        (
            503,
            {"error": "Bitstamp.net is under scheduled maintenance. We'll be back soon."},
            Reason.EXCHANGE_DOWN,
        ),
        (200, {"balances": []}, Reason.BAD_RESPONSE),
        (200, [1], Reason.BAD_RESPONSE),
    ),
)

CASES = (BITSTAMP,)
