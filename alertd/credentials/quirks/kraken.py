"""Kraken: errors are phrases under HTTP 200; a look-up that needs no right tells rights, addresses and expiry."""

import binascii
from base64 import b64decode
from datetime import timedelta
from typing import Final

from alertd.credentials.quirks.reading import listed, moment_s, restricted, said, table, words
from alertd.credentials.quirks.shape import Call, Quirks, Said, on
from alertd.model import Permissions, Reason, Secret


def key_info(body: object) -> Permissions | None:
    if listed(body, "result", "permissions") is None:
        return None
    rights = words(body, "result", "permissions")
    addresses = listed(body, "result", "ip_allowlist")
    return Permissions(
        read=any(right.startswith("query-") for right in rights),
        trade=bool(rights & {"modify-trades", "close-trades"}),
        withdraw="withdraw-funds" in rights,
        ip_restricted=None if addresses is None else restricted(words(body, "result", "ip_allowlist")),
        expires_at=moment_s(body, "result", "valid_until"),
    )


def balance(body: object) -> Permissions | None:
    return None if table(body, "result") is None else Permissions(read=True)


def refusal(body: object) -> Said:
    """The first error; phrases with a W are only warnings."""
    phrases = [text for text in listed(body, "error") or () if isinstance(text, str) and text.startswith("E")]
    phrase = phrases[0] if phrases else ""
    return said(phrase, phrase)


def not_base64(secret: Secret) -> bool:
    try:
        return not b64decode(secret.api_secret, validate=True)
    except (binascii.Error, ValueError):
        return True


ERRORS: Final = (
    on(Reason.INVALID_KEY, "EAPI:Invalid key"),
    on(Reason.BAD_SECRET, "EAPI:Invalid signature"),
    on(Reason.CLOCK_SKEW, "EAPI:Invalid nonce"),
    on(Reason.PERMISSION, "EGeneral:Permission denied", "EAPI:Feature disabled"),
    on(Reason.ACCOUNT_DISABLED, "EAuth:Account temporary disabled", "EAuth:Account unconfirmed"),
    on(Reason.ACCOUNT_DISABLED, "ETrade:User Locked"),
    # repeated refusals lock us out; about a quarter of an hour
    on(Reason.RATE_LIMITED, "EGeneral:Temporary lockout", stay_away=timedelta(minutes=15)),
    # the counter of one key, which the tenant's own trading uses up
    on(Reason.RATE_LIMITED, "EAPI:Rate limit exceeded", stay_away=timedelta(seconds=3)),
    on(Reason.RATE_LIMITED, "EAuth:Rate limit exceeded", "EAuth:Too many requests"),
    on(Reason.RATE_LIMITED, "EGeneral:Too many requests"),
    on(Reason.EXCHANGE_DOWN, "EService:Unavailable", "EService:Busy", "EService:Timeout"),
    on(Reason.EXCHANGE_DOWN, "EService:Deadline elapsed", "EGeneral:Internal error"),
    on(Reason.EXCHANGE_DOWN, "EDatabase:Internal error"),
)

KRAKEN: Final = Quirks(
    id="kraken",
    ask=(
        Call(
            method="privatePostGetApiKeyInfo",
            good=key_info,
            absent=frozenset({"EGeneral:Unknown method", "EAPI:Bad request"}),
        ),
        Call(method="privatePostBalance", good=balance),
    ),
    errors=ERRORS,
    read=refusal,
    malformed=not_base64,
)

ENTRIES: Final = (KRAKEN,)
