"""MEXC: a key's own entry tells rights and days left; that path must only ever be read, a POST changes the key."""

from collections.abc import Mapping
from typing import Final

from alertd.credentials.quirks.reading import at, days_left, parts, restricted, said, word, words
from alertd.credentials.quirks.shape import PERMISSION_ONLY, Call, Quirks, Said, on
from alertd.model import Permissions, Reason, Secret


def key_facts(body: object) -> Permissions | None:
    """Rights are names such as SPOT_DEAL_WRITE, between commas or in a list."""
    rights = parts(body, "permissions") or words(body, "permissions")
    if at(body, "permissions") is None or _status(body) not in {"", "VALID"}:
        return None
    writes = {right for right in rights if not right.endswith("_READ")}
    addresses = at(body, "ipWhiteList")
    return Permissions(
        read=any(right.endswith("_READ") for right in rights),
        trade=any("DEAL" in right for right in writes),
        withdraw=any("WITHDRAW" in right for right in writes),
        transfer=any("TRANSFER" in right for right in writes),
        ip_restricted=None
        if addresses is None
        else restricted(parts(body, "ipWhiteList") or words(body, "ipWhiteList")),
    )


def about_itself(secret: Secret, _earlier: tuple[object, ...]) -> Mapping[str, object]:
    return {"accessKey": secret.api_key}


def uid(body: object) -> Permissions | None:
    return Permissions(read=True) if word(body, "uid") else None


def refusal(body: object) -> Said:
    code = word(body, "code")
    if not code and _status(body):
        return said(f"status {_status(body)}", "")
    return said(code, word(body, "msg") or word(body, "message"))


def _status(body: object) -> str:
    return word(body, "status").upper()


ERRORS: Final = (
    on(Reason.INVALID_KEY, "10072", "700001", "10001", "status INVALID"),
    # the same code for a key that has expired
    on(Reason.BAD_SECRET, "700002", "602"),
    on(Reason.EXPIRED, "402", "status EXPIRED"),
    on(Reason.IP_RESTRICTED, "700006", "406"),
    on(Reason.PERMISSION, "700007", "701", "702", "703", "704"),
    on(Reason.CLOCK_SKEW, "700003", "10073"),
    on(Reason.ACCOUNT_DISABLED, "60005", "730100", "140002"),
    on(Reason.RATE_LIMITED, "429", "510"),
    on(Reason.EXCHANGE_DOWN, "500", "501", "503", "504", "604", "801", "11444", "20002"),
    # the firewall's words, and headers and parameters that are ours
    on(Reason.BAD_RESPONSE, "403", "511", "700005", "700013"),
)

MEXC: Final = Quirks(
    id="mexc",
    ask=(
        Call(
            method="spotPrivateGetApiKeyInfo",
            good=key_facts,
            params=about_itself,
            accepted=PERMISSION_ONLY,
            absent=frozenset({"730706"}),
            lasts=lambda body: days_left(body, "remainingValidity"),
        ),
        Call(method="spotPrivateGetUid", good=uid),
    ),
    errors=ERRORS,
    read=refusal,
)

ENTRIES: Final = (MEXC,)
