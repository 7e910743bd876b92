"""WhiteBIT: rights are a list of endpoints that nobody can read; our nonces must not spoil the tenant's own."""

from collections.abc import Mapping
from typing import Final

from alertd.credentials.quirks.reading import at, said, word
from alertd.credentials.quirks.shape import Call, Quirks, Said, on
from alertd.model import Permissions, Reason, Secret


def balance(body: object) -> Permissions | None:
    return Permissions(read=True) if word(body, "available") and word(body, "freeze") else None


def one_currency(_secret: Secret, _earlier: tuple[object, ...]) -> Mapping[str, object]:
    """With a window a nonce is a time and need not rise: ours would be above every later one that counts seconds."""
    return {"ticker": "USDT", "nonceWindow": True}


def refusal(body: object) -> Said:
    return said(word(body, "code") or word(body, "status"), phrase(at(body, "message")))


def phrase(message: object) -> str:
    """The text; older answers wrap it in lists of lists."""
    while isinstance(message, list) and message:
        message = message[0]
    return message if isinstance(message, str) else ""


ERRORS: Final = (
    on(Reason.RATE_LIMITED, status=429),
    on(Reason.EXCHANGE_DOWN, "503"),
    # what we always send
    on(Reason.BAD_RESPONSE, says=("not provided", "invalid payload", "invalid noncewindow")),
    # "too many requests" are those whose nonce does not rise
    on(Reason.CLOCK_SKEW, says=("your nonce is more than", "too many requests")),
    on(Reason.PERMISSION, says=("not authorized to perform this action", "have permission to use this endpoint")),
    # an unknown or disabled key, or an address that is not allowed
    on(Reason.INVALID_KEY, says=("this action is unauthorized",)),
    on(Reason.BAD_SECRET, says=("unauthorized request",)),
)

WHITEBIT: Final = Quirks(
    id="whitebit",
    ask=(Call(method="v4PrivatePostTradeAccountBalance", good=balance, params=one_currency),),
    errors=ERRORS,
    read=refusal,
)

ENTRIES: Final = (WHITEBIT,)
