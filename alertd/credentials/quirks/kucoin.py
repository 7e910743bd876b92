"""KuCoin: the key tells its own rights; `Transfer` is the right to withdraw, `InnerTransfer` the harmless one."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from alertd.credentials.quirks.reading import at, listed, parts, restricted, said, table, word
from alertd.credentials.quirks.shape import Call, Quirks, Said, on
from alertd.model import Permissions, Reason, Secret

READS: Final = frozenset({"General"})
WITHDRAWS: Final = frozenset({"Transfer", "Withdrawal"})
TRANSFERS: Final = frozenset({"InnerTransfer", "FlexTransfers"})


def key_facts(body: object) -> Permissions | None:
    """Rights that are not known yet count as trading, so that none slips through."""
    key = table(body, "data")
    rights = parts(key, "permission")
    if word(body, "code") != "200000" or not rights:
        return None
    addresses = at(key, "ipWhitelist")
    return Permissions(
        read=bool(rights & READS),
        trade=bool(rights - READS - WITHDRAWS - TRANSFERS),
        withdraw=bool(rights & WITHDRAWS),
        transfer=bool(rights & TRANSFERS),
        ip_restricted=None if addresses is None else restricted(parts(key, "ipWhitelist")),
    )


def accounts(body: object) -> Permissions | None:
    good = word(body, "code") == "200000" and listed(body, "data") is not None
    return Permissions(read=True) if good else None


def few_accounts(_secret: Secret, _earlier: tuple[object, ...]) -> Mapping[str, object]:
    return {"currency": "USDT"}


def refusal(body: object) -> Said:
    return said(word(body, "code"), word(body, "msg"))


KYC: Final = ("identity", "verification", "kyc")

ERRORS: Final = (
    on(Reason.INVALID_KEY, "400003"),
    on(Reason.BAD_PASSPHRASE, "400004"),
    on(Reason.BAD_SECRET, "400005"),
    on(Reason.IP_RESTRICTED, "400006"),
    on(Reason.PERMISSION, "400007"),
    on(Reason.CLOCK_SKEW, "400002"),
    on(Reason.ACCOUNT_DISABLED, "411100", "130201", "130302", "126047", "126048"),
    on(Reason.ACCOUNT_DISABLED, "400303", "600004", "200009", says=KYC),
    on(Reason.REGION_BLOCKED, "400500", "400303", "600004"),
    on(Reason.RATE_LIMITED, "429000", says=("system-level",)),
    # the pool of requests of one user, not of our address
    on(Reason.RATE_LIMITED, "429000", "200002", stay_away=timedelta(seconds=2)),
    on(Reason.RATE_LIMITED, "429", "1015"),
    on(Reason.EXCHANGE_DOWN, "500", "503", "500000", "230005", "408000"),
    # headers that we always send, and what is not about the key
    on(Reason.BAD_RESPONSE, "400001", "400008", "400401", "401", "101030", "112010", "126005"),
)

KUCOIN: Final = Quirks(
    id="kucoin",
    ask=(
        Call(method="privateGetUserApiKey", good=key_facts),
        Call(method="privateGetAccounts", good=accounts, params=few_accounts),
    ),
    errors=ERRORS,
    read=refusal,
    needs=("api_key", "api_secret", "passphrase"),
)

ENTRIES: Final = (KUCOIN,)
