"""Crypto.com Exchange: one code for an unknown key and a wrong secret; no look-up of rights."""

from datetime import timedelta
from typing import Final

from alertd.credentials.quirks.reading import listed, said, word
from alertd.credentials.quirks.shape import Call, Quirks, Said, on
from alertd.model import Permissions, Reason


def balance(body: object) -> Permissions | None:
    return None if listed(body, "result", "data") is None or word(body, "code") != "0" else Permissions(read=True)


def refusal(body: object) -> Said:
    return said(word(body, "code"), word(body, "message"))


# The second of two codes is that of the older numbering.
ERRORS: Final = (
    on(Reason.INVALID_KEY, "40101", "10002"),
    on(Reason.IP_RESTRICTED, "40103", "10003"),
    on(Reason.PERMISSION, "40104", "10005"),
    on(Reason.CLOCK_SKEW, "40102", "10007"),
    on(Reason.ACCOUNT_DISABLED, "202"),
    # three calls in a tenth of a second, of one key
    on(Reason.RATE_LIMITED, "42901", "10006", stay_away=timedelta(seconds=2)),
    on(Reason.EXCHANGE_DOWN, "50001", "10001", "40801", "9010001"),
    # an account that a key may have or not
    on(Reason.BAD_RESPONSE, "20005"),
)

BALANCE: Final = Call(method="v1PrivatePostPrivateUserBalance", good=balance)

CRYPTOCOM: Final = Quirks(id="cryptocom", ask=(BALANCE,), errors=ERRORS, read=refusal, testnet_ask=(BALANCE,))

ENTRIES: Final = (CRYPTOCOM,)
