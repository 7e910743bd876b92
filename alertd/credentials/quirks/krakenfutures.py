"""Kraken Futures: words under HTTP 200, one of them for key, secret, address and right alike."""

from typing import Final

from alertd.credentials.quirks.kraken import not_base64
from alertd.credentials.quirks.reading import said, table, word
from alertd.credentials.quirks.shape import Call, Quirks, Said, on
from alertd.model import Permissions, Reason


def accounts(body: object) -> Permissions | None:
    succeeded = word(body, "result") == "success" and table(body, "accounts") is not None
    return Permissions(read=True) if succeeded else None


def refusal(body: object) -> Said:
    """Newer endpoints have a list of errors instead."""
    phrase = word(body, "error") or word(body, "errors", 0, "message")
    return said(phrase, phrase)


ERRORS: Final = (
    on(Reason.INVALID_KEY, "authenticationError"),
    on(Reason.CLOCK_SKEW, says=("noncebelowthreshold", "nonceduplicate")),
    on(Reason.RATE_LIMITED, "apiLimitExceeded"),
    on(Reason.EXCHANGE_DOWN, "unavailable", "Unavailable", "Server Error", "unknownError"),
)

ACCOUNTS: Final = Call(method="privateGetAccounts", good=accounts)

KRAKENFUTURES: Final = Quirks(
    id="krakenfutures",
    ask=(ACCOUNTS,),
    errors=ERRORS,
    read=refusal,
    malformed=not_base64,
    testnet_ask=(ACCOUNTS,),
    labels=frozenset({"accountInactive", "nonceBelowThreshold", "nonceDuplicate"}),
)

ENTRIES: Final = (KRAKENFUTURES,)
