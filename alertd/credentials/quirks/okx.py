"""OKX and its regional sites: passphrase, environment and address have codes of their own."""

from dataclasses import replace
from typing import Final

from alertd.credentials.quirks.reading import at, parts, restricted, said, table, word
from alertd.credentials.quirks.shape import Call, Quirks, Said, on
from alertd.model import Permissions, Reason


def account_config(body: object) -> Permissions | None:
    account = table(body, "data", 0)
    rights = parts(account, "perm")
    if word(body, "code") != "0" or not rights:
        return None
    listed = at(account, "ip")
    return Permissions(
        read="read_only" in rights,
        trade="trade" in rights,
        withdraw="withdraw" in rights,
        ip_restricted=None if listed is None else restricted(parts(account, "ip")),
    )


def balance(body: object) -> Permissions | None:
    good = word(body, "code") == "0" and table(body, "data", 0) is not None
    return Permissions(read=True) if good else None


def refusal(body: object) -> Said:
    return said(word(body, "code"), word(body, "msg"))


ERRORS: Final = (
    on(Reason.INVALID_KEY, "50111", "50119", "50114"),
    on(Reason.BAD_SECRET, "50113"),
    on(Reason.BAD_PASSPHRASE, "50105"),
    on(Reason.WRONG_ENVIRONMENT, "50101"),
    on(Reason.IP_RESTRICTED, "50110"),
    on(Reason.PERMISSION, "50120", "50030", "50035"),
    on(Reason.ACCOUNT_DISABLED, "50100", "50007", "50008", "50009", "50012", "50027"),
    on(Reason.CLOCK_SKEW, "50102", "50112"),
    on(Reason.RATE_LIMITED, "50011", "50040", "50061"),
    on(Reason.EXCHANGE_DOWN, "50001", "50004", "50005", "50013", "50026"),
    # headers that we always send
    on(Reason.BAD_RESPONSE, "50103", "50104", "50106", "50107"),
)

ASK: Final = (
    Call(method="privateGetAccountConfig", good=account_config),
    Call(method="privateGetAccountBalance", good=balance),
)

OKX: Final = Quirks(
    id="okx",
    ask=ASK,
    errors=ERRORS,
    read=refusal,
    needs=("api_key", "api_secret", "passphrase"),
    testnet_ask=ASK,
)

ENTRIES: Final = (OKX, replace(OKX, id="myokx"), replace(OKX, id="okxus"))
