"""BingX: rights come as numbers or as switches, wrapped or bare; some codes mean what their message says."""

from typing import Final

from alertd.credentials.quirks.binance import restrictions
from alertd.credentials.quirks.reading import listed, restricted, said, table, word, words
from alertd.credentials.quirks.shape import Call, Quirks, Said, on
from alertd.model import Permissions, Reason

READ: Final = "2"
WITHDRAW: Final = "5"
# universal, and to sub-accounts
TRANSFERS: Final = frozenset({"4", "7"})


def key_permissions(body: object) -> Permissions | None:
    if word(body, "code") not in {"", "0"}:
        return None
    key = table(body, "data") or table(body)
    numbers = listed(key, "permissions")
    return restrictions(key) if numbers is None else by_number(key, frozenset(str(number) for number in numbers))


def by_number(key: object, numbers: frozenset[str]) -> Permissions:
    """1 is the spot market, 3 perpetuals. Unknown numbers count as trading, so that none slips through."""
    addresses = listed(key, "ipAddresses")
    if not all(number.isdigit() for number in numbers):
        return Permissions()
    return Permissions(
        read=READ in numbers,
        trade=bool(numbers - TRANSFERS - {READ, WITHDRAW}),
        withdraw=WITHDRAW in numbers,
        transfer=bool(TRANSFERS & numbers),
        ip_restricted=None if addresses is None else restricted(words(key, "ipAddresses")),
    )


def balance(body: object) -> Permissions | None:
    return None if listed(body, "data", "balances") is None else Permissions(read=True)


def refusal(body: object) -> Said:
    return said(word(body, "code"), word(body, "msg"))


ERRORS: Final = (
    # 100421 is also what a halted market is called
    on(Reason.CLOCK_SKEW, says=("timestamp mismatch", "timestamp is invalid")),
    on(Reason.INVALID_KEY, "100413"),
    on(Reason.BAD_SECRET, "100001"),
    on(Reason.IP_RESTRICTED, "100419"),
    on(Reason.PERMISSION, "100004"),
    on(Reason.ACCOUNT_DISABLED, "100414"),
    # 100410 is either of the two
    on(Reason.RATE_LIMITED, "100410", says=("frequency limit", "rate limit", "too many")),
    on(Reason.RATE_LIMITED, "429", "418"),
    on(Reason.EXCHANGE_DOWN, "100410", "100500", "100503", "109500", "110500", "500", "504"),
    # a header that we always send, and statuses that name no cause
    on(Reason.BAD_RESPONSE, "100412", "401", "403"),
)

# There is no testnet key: the demo market takes live ones.
BINGX: Final = Quirks(
    id="bingx",
    ask=(
        Call(method="accountV1PrivateGetAccountApiPermissions", good=key_permissions, absent=frozenset({"100400"})),
        Call(method="spotV1PrivateGetAccountBalance", good=balance),
    ),
    errors=ERRORS,
    read=refusal,
)

ENTRIES: Final = (BINGX,)
