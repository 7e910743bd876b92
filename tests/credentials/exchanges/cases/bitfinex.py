from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import NO_END, NO_WORD, Cases

BITFINEX = Cases(
    exchange="bitfinex",
    falls_back=True,
    reads=frozenset({"POST /v2/auth/r/permissions", "POST /v2/auth/r/info/user"}),
    shown=(
        (Rights(), Permissions(True, True, False, False)),
        (Rights(trade=False), Permissions(True, False, False, False)),
        (Rights(withdraw=True, transfer=True), Permissions(True, True, True, True)),
    ),
    # an address that is not allowed has no word of its own; what is unknown comes under 500, too
    reasons={State.IP_BLOCKED: Reason.INVALID_KEY, State.UNHEARD_OF: Reason.EXCHANGE_DOWN},
    lacks={State.EXPIRED: NO_END, State.FROZEN: NO_WORD},
    rulings=(
        (500, ["error", 10100, "apikey: invalid"], Reason.INVALID_KEY),
        (500, ["error", 10100, "apikey: digest invalid"], Reason.BAD_SECRET),
        (200, ["error", 10100, "apikey: invalid"], Reason.INVALID_KEY),
        (500, ["error", 10114, "nonce: small"], Reason.CLOCK_SKEW),
        (500, ["error", 10001, "api_key: permission invalid"], Reason.PERMISSION),
        (500, ["error", 10001, "something"], Reason.BAD_RESPONSE),
        (500, ["error", 10020, "auth: invalid"], Reason.BAD_RESPONSE),
        (429, ["error", 11010, "ratelimit: error"], Reason.RATE_LIMITED),
        (429, {"error": "ERR_RATE_LIMIT"}, Reason.RATE_LIMITED),
        (500, ["error", 20060, "maintenance"], Reason.EXCHANGE_DOWN),
        (503, {"code": 503, "error": "temporarily_unavailable"}, Reason.EXCHANGE_DOWN),
        (200, [], Reason.BAD_RESPONSE),
        (200, [["account", 1, 0]], Reason.BAD_RESPONSE),
    ),
)

CASES = (BITFINEX,)
