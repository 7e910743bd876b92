"""Gate: a list of all the account's keys, their ids masked, tells the rights of ours; one label means two things."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Final

from alertd.credentials.quirks.reading import flag, listed, restricted, said, table, word, words
from alertd.credentials.quirks.shape import PERMISSION_ONLY, Call, Quirks, Said, on
from alertd.model import Permissions, Reason, Secret

MOVES: Final = frozenset({"wallet", "withdrawal", "withdraw"})
# Everything else is a market or may be one.
NO_MARKETS: Final = MOVES | {"account", "custody", "earn", "loan", "rebate", "sub_account", "sub_accounts"}
NORMAL: Final = "1"
UNLISTED: Final = "unlisted"

_MASK: Final = re.compile(r"\*+")
# A mask that leaves less than this of a key could be anybody's.
LEGIBLE: Final = 4


def our_key(body: object, secret: Secret) -> object:
    """The entry that is ours beyond doubt, else the whole list. Some accounts get a single entry instead of a list."""
    if not isinstance(body, list):
        return body
    ours = [entry for entry in body if _is_ours(word(entry, "key"), secret.api_key)]
    return ours[0] if len(ours) == 1 else body


def _is_ours(shown: str, key: str) -> bool:
    head, *tail = _MASK.split(shown, maxsplit=1)
    if not tail:
        return shown == key
    return len(head) + len(tail[0]) >= LEGIBLE and key.startswith(head) and key.endswith(tail[0])


def key_rights(body: object) -> Permissions | None:
    """A market with `read_only` false is trading; the wallet with `read_only` false is both ways of moving money."""
    perms = listed(body, "perms")
    if perms is None or word(body, "state") not in {"", NORMAL}:
        return None
    moves = _writes([perm for perm in perms if word(perm, "name") in MOVES])
    addresses = listed(body, "ip_whitelist")
    return Permissions(
        read=True,
        trade=_writes([perm for perm in perms if word(perm, "name") not in NO_MARKETS]),
        withdraw=moves,
        transfer=moves,
        ip_restricted=None if addresses is None else restricted(words(body, "ip_whitelist")),
    )


def _writes(perms: list[object]) -> bool | None:
    """False if there are none at all; None if it is not said of one, and none of the others writes."""
    read_only = [flag(perm, "read_only") for perm in perms]
    if False in read_only:
        return True
    return None if None in read_only else False


def detail(body: object) -> Permissions | None:
    if not word(body, "user_id"):
        return None
    addresses = listed(body, "ip_whitelist")
    restricts = None if addresses is None else restricted(words(body, "ip_whitelist"))
    return Permissions(read=True, ip_restricted=restricts)


def refusal(body: object) -> Said:
    if isinstance(body, list):
        return said(UNLISTED, "")
    state = word(body, "state")
    if table(body) is not None and state and not word(body, "label"):
        return said(f"state {state}", "")
    return said(word(body, "label"), word(body, "message") or word(body, "detail"))


ERRORS: Final = (
    on(Reason.INVALID_KEY, "INVALID_KEY", "INVALID_CREDENTIALS", "AUTHENTICATION_FAILED"),
    on(Reason.BAD_SECRET, "INVALID_SIGNATURE"),
    on(Reason.IP_RESTRICTED, "IP_FORBIDDEN"),
    on(Reason.IP_RESTRICTED, "FORBIDDEN", says=("request ip", "ip not in", "ip whitelist", "ip address")),
    on(Reason.PERMISSION, "FORBIDDEN", says=("permission",)),
    on(Reason.PERMISSION, "READ_ONLY"),
    on(Reason.CLOCK_SKEW, "REQUEST_EXPIRED"),
    on(Reason.ACCOUNT_DISABLED, "ACCOUNT_LOCKED", "SUB_ACCOUNT_LOCKED", "state 2", "state 3"),
    # counted for each user, in windows of ten seconds
    on(Reason.RATE_LIMITED, "TOO_MANY_REQUESTS", "TOO_FAST", stay_away=timedelta(seconds=10)),
    on(Reason.EXCHANGE_DOWN, "INTERNAL", "SERVER_ERROR", "TOO_BUSY"),
    # an unknown reason to forbid, headers that we always send, and accounts that have no such wallet
    on(Reason.BAD_RESPONSE, "FORBIDDEN", "MISSING_REQUIRED_HEADER", "USER_NOT_FOUND", "NOT_FOUND", UNLISTED),
)

ASK: Final = (
    # without the right to read the account, the key still works and only its rights stay unknown
    Call(
        method="privateAccountGetMainKeys",
        good=key_rights,
        mine=our_key,
        accepted=PERMISSION_ONLY,
        absent=frozenset({"NOT_FOUND", "FORBIDDEN", UNLISTED}),
    ),
    Call(method="privateAccountGetDetail", good=detail, accepted=PERMISSION_ONLY),
)

GATE: Final = Quirks(
    id="gate",
    ask=ASK,
    errors=ERRORS,
    read=refusal,
    testnet_ask=ASK,
    labels=frozenset({"INVALID_PARAM_VALUE", "BAD_REQUEST", "METHOD_NOT_ALLOWED"}),
)

# The European site has no testnet; ccxt would ask the other one's.
ENTRIES: Final = (GATE, replace(GATE, id="gateeu", testnet_ask=()))
