"""Bitstamp: nothing tells rights, so balances are the probe; its call that revokes every key is never made."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from alertd.credentials.quirks.reading import at, listed, said, word
from alertd.credentials.quirks.shape import Call, Quirks, Said, on
from alertd.model import Permissions, Reason

# Answers that come without a code.
PHRASES: Final[Mapping[str, str]] = {
    "API key not found": "API0001",
    "IP address not allowed": "API0002",
    "No permission found": "API0003",
    "Invalid nonce": "API0004",
    "Invalid signature": "API0005",
    "Your account is frozen": "API0006",
    "Wrong API key format": "API0011",
    "Authentication failed": "authentication",
    "Missing key, signature and nonce parameters": "parameters",
    "Please update your profile with your FATCA information, before using API.": "fatca",
    "Trading is currently unavailable for your account.": "trading",
    "Bitstamp.net is under scheduled maintenance. We'll be back soon.": "maintenance",
}


def balances(body: object) -> Permissions | None:
    """A list of currencies; of an empty account an empty one."""
    held = listed(body)
    if held is None or not all(word(balance, "currency") for balance in held):
        return None
    return Permissions(read=True)


def refusal(body: object) -> Said:
    code = word(body, "code") or word(body, "response_code")
    message = word(body, "reason") or word(body, "error") or word(at(body, "reason", "__all__", 0))
    return said(code or PHRASES.get(message, ""), message)


ERRORS: Final = (
    on(Reason.INVALID_KEY, "API0001", "API0008", "API0011", "authentication"),
    on(Reason.BAD_SECRET, "API0005"),
    on(Reason.IP_RESTRICTED, "API0002"),
    on(Reason.PERMISSION, "API0003"),
    on(Reason.CLOCK_SKEW, "API0004", "API0017"),
    on(Reason.ACCOUNT_DISABLED, "API0006", "fatca", "trading"),
    on(Reason.RATE_LIMITED, "400.002", stay_away=timedelta(minutes=1)),
    on(Reason.EXCHANGE_DOWN, "maintenance"),
    # headers that we always send
    on(Reason.BAD_RESPONSE, "API0012", "API0013", "API0014", "API0015", "API0016", "parameters"),
    on(Reason.BAD_RESPONSE, "API0018", "API0019", "API0020"),
)

BITSTAMP: Final = Quirks(
    id="bitstamp",
    ask=(Call(method="privatePostAccountBalances", good=balances),),
    errors=ERRORS,
    read=refusal,
)

ENTRIES: Final = (BITSTAMP,)
