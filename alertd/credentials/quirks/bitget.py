"""Bitget: an account is classic or unified, each with a look-up of its own; the classic one says which is which."""

from collections.abc import Iterable, Mapping
from typing import Final

from alertd.credentials.quirks.reading import at, listed, parts, restricted, said, table, word, words
from alertd.credentials.quirks.shape import Call, Quirks, Said, on
from alertd.model import Permissions, Reason, Secret

GOOD: Final = "00000"
# What a look-up says to an account of the other kind.
UNIFIED: Final = frozenset({"40085"})
CLASSIC: Final = frozenset({"25245"})
# Short names of classic rights end in r for reading and in w for writing: stor and stow, coor and coow.
READS: Final = frozenset({"readonly", "stor", "coor", "cpor", "smor", "stow", "coow", "cpow", "smow"})
TRADES: Final = frozenset({"stow", "coow", "cpow", "smow"})
READ_ONLY: Final = frozenset({"read-only", "readonly"})
READ_WRITE: Final = frozenset({"read-and-write", "read-write"})
TRADING_WORDS: Final = ("trade", "order", "position")


def classic(body: object) -> Permissions | None:
    """A right that is not listed is not there; transfers are not always listed. `readonly` is itself a right."""
    account = table(body, "data")
    if word(body, "code") != GOOD or listed(account, "authorities") is None:
        return None
    rights = words(account, "authorities")
    return Permissions(
        read=bool(rights & READS),
        trade=trades(rights),
        withdraw=any("withdraw" in right for right in rights),
        transfer=True if any("transfer" in right for right in rights) else None,
        ip_restricted=bound(account),
    )


def unified(body: object) -> Permissions | None:
    """`permType` beats the list of rights."""
    account = table(body, "data")
    kind = word(account, "permType").replace("_", "-")
    if word(body, "code") != GOOD or kind not in READ_ONLY | READ_WRITE or listed(account, "permissions") is None:
        return None
    rights = words(account, "permissions")
    writes = kind in READ_WRITE
    moves = any("transfer" in right for right in rights) or None
    return Permissions(
        read=True,
        trade=writes and trades(rights),
        withdraw=writes and any("withdraw" in right for right in rights),
        transfer=moves if writes else False,
        ip_restricted=bound(account),
    )


def assets(body: object) -> Permissions | None:
    good = word(body, "code") == GOOD and listed(body, "data") is not None
    return Permissions(read=True) if good else None


def few_assets(_secret: Secret, _earlier: tuple[object, ...]) -> Mapping[str, object]:
    return {"assetType": "hold_only"}


def trades(rights: Iterable[str]) -> bool:
    return any(right in TRADES or any(piece in right for piece in TRADING_WORDS) for right in rights)


def bound(account: object) -> bool | None:
    """Whether the key is bound to addresses, which come as a list or between commas."""
    found = at(account, "ips")
    if found is None:
        return None
    return restricted(parts(account, "ips") or words(account, "ips"))


def refusal(body: object) -> Said:
    return said(word(body, "code") or word(body, "err_code"), word(body, "msg") or word(body, "err_msg"))


ERRORS: Final = (
    on(Reason.INVALID_KEY, "40006", "40037", "40041"),
    on(Reason.BAD_SECRET, "40009", "40507", "30013"),
    on(Reason.BAD_SECRET, "40010", says=("sign",)),
    # "apikey/password is incorrect" of a key that exists: the password is the passphrase
    on(Reason.BAD_PASSPHRASE, "40012", "40036", "30015"),
    on(Reason.WRONG_ENVIRONMENT, "40099"),
    on(Reason.IP_RESTRICTED, "40018", "40038", "49003", "30011"),
    on(Reason.PERMISSION, "40014", "40040"),
    on(Reason.CLOCK_SKEW, "40004", "40005", "40008", "40078", "40911", "30005", "30008"),
    on(Reason.ACCOUNT_DISABLED, "40013", "40016", "40022", "40023", "40025", "40026", "40031", "40916"),
    on(Reason.ACCOUNT_DISABLED, "30022", "30029"),
    on(Reason.ACCOUNT_DISABLED, "40024", says=("frozen", "freez")),
    on(Reason.ACCOUNT_DISABLED, "40027", "40035", "40100", "40101", "40111", says=("kyc", "identity", "verif")),
    on(Reason.REGION_BLOCKED, "40000", "40024", "40103", "40104", "59006", says=("region", "country")),
    on(Reason.RATE_LIMITED, "429", "1001", "30014", "30026"),
    on(Reason.EXCHANGE_DOWN, "40010", "40015", "40200", "40604", "40910", "500"),
    # headers that we always send, and answers without a cause
    on(Reason.BAD_RESPONSE, "40001", "40002", "40003", "40011", "40085", "25245", "401", "403"),
    on(Reason.BAD_RESPONSE, "30001", "30002", "30003", "30004"),
)

ASK: Final = (
    Call(method="privateSpotGetV2SpotAccountInfo", good=classic, absent=UNIFIED),
    Call(method="privateUtaGetV3AccountInfo", good=unified, absent=CLASSIC),
    Call(method="privateSpotGetV2SpotAccountAssets", good=assets, params=few_assets),
)

BITGET: Final = Quirks(
    id="bitget",
    ask=ASK,
    errors=ERRORS,
    read=refusal,
    needs=("api_key", "api_secret", "passphrase"),
    testnet_ask=ASK,
)

ENTRIES: Final = (BITGET,)
