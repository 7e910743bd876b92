"""Phemex: the message decides, since one code stands for key, address, right and time."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from alertd.credentials.quirks.reading import listed, said, word
from alertd.credentials.quirks.shape import Call, Quirks, Said, on
from alertd.model import Permissions, Reason, Secret


def wallets(body: object) -> Permissions | None:
    return None if listed(body, "data") is None or word(body, "code") != "0" else Permissions(read=True)


def one_currency(_secret: Secret, _earlier: tuple[object, ...]) -> Mapping[str, object]:
    return {"currency": "USDT"}


def refusal(body: object) -> Said:
    code = word(body, "error", "code") or word(body, "code")
    return said(code, word(body, "error", "message") or word(body, "msg"))


ERRORS: Final = (
    on(Reason.CLOCK_SKEW, says=("request expired",)),
    on(Reason.IP_RESTRICTED, says=("request ip mismatch",)),
    on(Reason.PERMISSION, says=("insufficient privilege",)),
    on(Reason.INVALID_KEY, says=("failed to load api key", "failed to find api-key", "api key not found")),
    on(Reason.BAD_SECRET, says=("api signature verification failed",)),
    on(Reason.ACCOUNT_DISABLED, "11022"),
    # a hundred weights a minute of one account
    on(Reason.RATE_LIMITED, "39995", stay_away=timedelta(seconds=5)),
    # nobody says whose fault these are
    on(Reason.BAD_RESPONSE, "401", "34003", "39996"),
)

WALLETS: Final = Call(method="privateGetSpotWallets", good=wallets, params=one_currency)

PHEMEX: Final = Quirks(id="phemex", ask=(WALLETS,), errors=ERRORS, read=refusal, testnet_ask=(WALLETS,))

ENTRIES: Final = (PHEMEX,)
