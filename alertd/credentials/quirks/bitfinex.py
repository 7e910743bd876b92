"""Bitfinex: a matrix of scopes tells the rights; errors are lists under HTTP 500; an address has few requests."""

from datetime import timedelta
from typing import Final

from alertd.credentials.quirks.reading import any_of, at, flag, listed, said, word
from alertd.credentials.quirks.shape import Call, Quirks, Said, on
from alertd.model import Permissions, Reason

TRADES: Final = ("orders", "funding", "positions")
# 90 requests a minute of one address are allowed; as a share of ten a second.
COST: Final = 7.0
BLOCKED: Final = timedelta(minutes=1)


def scopes(body: object) -> Permissions | None:
    """Rows of scope, may read, may write; a scope that is not listed stays unknown."""
    rows = {word(row, 0): row for row in listed(body) or () if isinstance(row, list)}
    if "wallets" not in rows:
        return None
    return Permissions(
        read=flag(rows["wallets"], 1),
        trade=any_of(flag(rows.get(name), 2) for name in TRADES),
        withdraw=flag(rows.get("withdraw"), 2),
        transfer=flag(rows["wallets"], 2),
    )


def user(body: object) -> Permissions | None:
    """A list that begins with the user's number."""
    return Permissions(read=True) if word(body, 0).isdigit() else None


def refusal(body: object) -> Said:
    """`["error", 10100, "apikey: invalid"]`, or a table from the servers in front."""
    if isinstance(body, list):
        return said(word(body, 1), word(body, 2)) if at(body, 0) == "error" else Said()
    return said(word(body, "error") or word(body, "message"), word(body, "error_description"))


ERRORS: Final = (
    on(Reason.BAD_SECRET, "10100", says=("digest",)),
    on(Reason.BAD_SECRET, "10112", "10113"),
    # of an address that is not allowed it says the same
    on(Reason.INVALID_KEY, "10100"),
    on(Reason.CLOCK_SKEW, "10114"),
    on(Reason.PERMISSION, "10001", says=("permission",)),
    on(Reason.RATE_LIMITED, "11010", "ERR_RATE_LIMIT", stay_away=BLOCKED),
    on(Reason.RATE_LIMITED, status=429, stay_away=BLOCKED),
    on(Reason.EXCHANGE_DOWN, "20060", "20061", "temporarily_unavailable"),
    # anything, and payloads that are ours
    on(Reason.BAD_RESPONSE, "10000", "10001", "10020", "10111"),
)

BITFINEX: Final = Quirks(
    id="bitfinex",
    ask=(
        Call(method="privatePostAuthRPermissions", good=scopes, cost=COST),
        Call(method="privatePostAuthRInfoUser", good=user, cost=COST),
    ),
    errors=ERRORS,
    read=refusal,
)

ENTRIES: Final = (BITFINEX,)
