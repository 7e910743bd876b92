from datetime import UTC, datetime

from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import Cases

EXPIRY = datetime(2026, 3, 1, tzinfo=UTC)

KRAKEN = Cases(
    exchange="kraken",
    reads=frozenset({"POST /0/private/GetApiKeyInfo", "POST /0/private/Balance"}),
    falls_back=True,
    shown=(
        (Rights(), Permissions(True, True, False, None, True)),
        (Rights(read=False, trade=False, addresses=()), Permissions(False, False, False, None, False)),
        (Rights(withdraw=True, expires_at=EXPIRY), Permissions(True, True, True, None, True, EXPIRY)),
    ),
    # Kraken has no word of its own for these
    reasons={State.EXPIRED: Reason.INVALID_KEY, State.IP_BLOCKED: Reason.PERMISSION},
    rulings=(
        (200, {"error": ["EAPI:Invalid key"]}, Reason.INVALID_KEY),
        (200, {"error": ["EAPI:Invalid signature"]}, Reason.BAD_SECRET),
        (200, {"error": ["EAPI:Invalid nonce"]}, Reason.CLOCK_SKEW),
        (200, {"error": ["EGeneral:Permission denied"]}, Reason.PERMISSION),
        (200, {"error": ["EGeneral:Temporary lockout"]}, Reason.RATE_LIMITED),
        (200, {"error": ["EAPI:Rate limit exceeded"]}, Reason.RATE_LIMITED),
        (200, {"error": ["EService:Unavailable"]}, Reason.EXCHANGE_DOWN),
        (200, {"error": ["WGeneral:Danger zone", "EService:Busy"]}, Reason.EXCHANGE_DOWN),
        (200, {"error": ["EAuth:Account temporary disabled"]}, Reason.ACCOUNT_DISABLED),
        (200, {"error": []}, Reason.BAD_RESPONSE),
        (520, "<html><title>520: Web server is returning an unknown error</title></html>", Reason.EXCHANGE_DOWN),
    ),
    malformed=(("key", "not base64!", ""), ("key", "abc", "")),
)

CASES = (KRAKEN,)
