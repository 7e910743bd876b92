"""Bybit: any key may ask about itself; `readOnly` beats every right in the lists."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from alertd.credentials.quirks.reading import (
    flag,
    listed,
    moment_iso,
    restricted,
    said,
    table,
    word,
    words,
)
from alertd.credentials.quirks.shape import EMPTY, Call, Quirks, Said, on
from alertd.model import Permissions, Reason, Secret

TRADES: Final = ("Spot", "ContractTrade", "Options", "Derivatives", "CopyTrading", "BlockTrade")
TRANSFERS: Final = frozenset({"AccountTransfer", "SubMemberTransfer"})


def key_facts(body: object) -> Permissions | None:
    key = table(body, "result")
    read_only = flag(key, "readOnly")
    rights = table(key, "permissions")
    if word(body, "retCode") != "0" or read_only is None or rights is None:
        return None
    wallet = words(rights, "Wallet")
    return Permissions(
        read=True,
        trade=not read_only and any(words(rights, name) for name in TRADES),
        withdraw=not read_only and "Withdraw" in wallet,
        transfer=not read_only and bool(TRANSFERS & wallet),
        ip_restricted=restricted(words(key, "ips")),
        expires_at=moment_iso(key, "expiredAt"),
    )


def wallet(body: object) -> Permissions | None:
    return None if listed(body, "result", "list") is None else Permissions(read=True)


def unified(_secret: Secret, _earlier: tuple[object, ...]) -> Mapping[str, object]:
    return {"accountType": "UNIFIED"}


def refusal(body: object) -> Said:
    return said(word(body, "retCode") or word(body, "ret_code"), word(body, "retMsg") or word(body, "ret_msg"))


ERRORS: Final = (
    on(Reason.INVALID_KEY, EMPTY, status=401),
    on(Reason.REGION_BLOCKED, status=403, says=("from your country", "restricted location")),
    on(Reason.RATE_LIMITED, status=403, says=("too frequent", "too many"), stay_away=timedelta(minutes=10)),
    on(Reason.INVALID_KEY, "10003", "10007"),
    on(Reason.BAD_SECRET, "10004"),
    on(Reason.CLOCK_SKEW, "10002", "-1021"),
    on(Reason.PERMISSION, "10005"),
    # ten requests a second of one user, not of our address
    on(Reason.RATE_LIMITED, "10006", stay_away=timedelta(seconds=2)),
    on(Reason.RATE_LIMITED, "10018", "429"),
    # an address ban is about the platform's network, not about the key
    on(Reason.RATE_LIMITED, "10009", stay_away=timedelta(minutes=10)),
    on(Reason.IP_RESTRICTED, "10010"),
    on(Reason.EXPIRED, "33004", "-2015"),
    on(Reason.ACCOUNT_DISABLED, "10008", "10024", "10027"),
    on(Reason.EXCHANGE_DOWN, "10000", "10016"),
)

ASK: Final = (
    Call(method="privateGetV5UserQueryApi", good=key_facts),
    Call(method="privateGetV5AccountWalletBalance", good=wallet, params=unified),
)

BYBIT: Final = Quirks(id="bybit", ask=ASK, errors=ERRORS, read=refusal, testnet_ask=ASK)

ENTRIES: Final = (BYBIT, *(replace(BYBIT, id=site, testnet_ask=()) for site in ("bybiteu", "bybitid")))
