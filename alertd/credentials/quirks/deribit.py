"""Deribit: the list of keys tells rights and addresses, but holds every secret: only our key's facts are kept."""

from datetime import timedelta
from typing import Final

from alertd.credentials.quirks.reading import at, listed, restricted, said, table, word, words
from alertd.credentials.quirks.shape import PERMISSION_ONLY, Call, Quirks, Said, on
from alertd.model import Permissions, Reason, Secret

FACTS: Final = ("client_id", "max_scope", "ip_whitelist")


def our_key(body: object, secret: Secret) -> object:
    """The facts about this key and about no other; `{}` where the list does not name it."""
    keys = listed(body, "result")
    if keys is None:
        return body
    ours = next((key for key in keys if word(key, "client_id") == secret.api_key), None)
    return {"key": {name: at(ours, name) for name in FACTS}}


def scopes(body: object) -> Permissions | None:
    """Scopes are pairs like `trade:read_write`; whoever may list keys may read the account."""
    key = table(body, "key")
    if key is None:
        return None
    granted = frozenset(word(key, "max_scope").split())
    if not granted:
        return Permissions(read=True)
    moves = "wallet:read_write" in granted
    return Permissions(
        read=True,
        trade=any(scope in granted for scope in ("trade:read_write", "block_trade:read_write", "block_rfq:read_write")),
        withdraw=moves,
        transfer=moves,
        ip_restricted=None if listed(key, "ip_whitelist") is None else restricted(words(key, "ip_whitelist")),
    )


def summaries(body: object) -> Permissions | None:
    return None if listed(body, "result", "summaries") is None else Permissions(read=True)


def refusal(body: object) -> Said:
    return said(word(body, "error", "code"), word(body, "error", "message"))


# What the trading engine and the website's log-in refuse: ccxt reads accusations into some of them.
ELSEWHERE: Final = (
    *("10013", "10014", "10015", "10016", "10017", "10018"),
    *("12000", "12003", "12004", "12998", "12999", "13000", "13003", "13005", "13006", "13007"),
)

ERRORS: Final = (
    # an unknown key, a wrong secret, an address that is not allowed, a wrong time
    on(Reason.INVALID_KEY, "13009", "10000", hides_clock=True),
    on(Reason.INVALID_KEY, "13004"),
    on(Reason.PERMISSION, "13021", "11042", "13012"),
    on(Reason.ACCOUNT_DISABLED, "13002", "13001", "9999", "10019"),
    on(Reason.REGION_BLOCKED, "12005"),
    # credits of one account, which the tenant's own trading uses up
    on(Reason.RATE_LIMITED, "10028", "10066", "10047", stay_away=timedelta(seconds=2)),
    on(Reason.EXCHANGE_DOWN, "11051", "10040", "10041", "11094", "13028", "13888"),
    on(Reason.BAD_RESPONSE, *ELSEWHERE),
)

# Both reads need `account:read`; a key without it is alive, and may trade for all we know.
ASK: Final = (
    Call(method="privateGetListApiKeys", good=scopes, mine=our_key, accepted=PERMISSION_ONLY),
    Call(method="privateGetGetAccountSummaries", good=summaries, accepted=PERMISSION_ONLY),
)

DERIBIT: Final = Quirks(id="deribit", ask=ASK, errors=ERRORS, read=refusal, testnet_ask=ASK)

ENTRIES: Final = (DERIBIT,)
