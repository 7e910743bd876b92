"""What one exchange's entry is made of: data and small pure functions; no ccxt, no I/O.

An entry says which secret fields are needed, which reads may be asked in which order, what a good
answer looks like, and what the refusals mean. Everything a driver of ccxt gets wrong is mended here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Final

from alertd.model import UNKNOWN_PERMISSIONS, Permissions, Reason, Secret

# What an answer without a JSON body is called, in rules and in the code that operators see.
EMPTY: Final = "empty"
HTML: Final = "html"
TEXT: Final = "text"

PERMISSION_ONLY: Final = frozenset({Reason.PERMISSION})


class Site(Enum):
    """Which of an exchange's environments a key belongs to."""

    LIVE = "live"
    TESTNET = "testnet"


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete HTTP answer; `body` is its JSON, None where it has none. It may hold balances: never kept."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    text: str = field(default="", repr=False)
    body: object = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """An exchange's refusal, taken apart. `message` is the exchange's own text: matched, never passed on."""

    code: str = ""
    message: str = field(default="", repr=False)


def nothing(_body: object) -> Said:
    return Said()


def no_params(_secret: Secret, _earlier: tuple[object, ...]) -> Mapping[str, object]:
    return {}


def everything(body: object, _secret: Secret) -> object:
    return body


def no_end(_body: object) -> timedelta | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of an error table. Every condition that is set must hold; the first rule that matches decides.

    `says` are lower-case pieces of the message, any of which must occur. `stay_away` is how long the
    whole exchange is left alone (zero: this refusal concerns one key only; None: as the answer and
    the reason suggest). `hides_clock`: the exchange uses this answer for a wrong timestamp, too.
    """

    reason: Reason
    codes: frozenset[str] = frozenset()
    statuses: frozenset[int] = frozenset()
    says: tuple[str, ...] = ()
    stay_away: timedelta | None = None
    hides_clock: bool = False

    def matches(self, status: int, said: Said) -> bool:
        return (
            (not self.codes or said.code in self.codes)
            and (not self.statuses or status in self.statuses)
            and (not self.says or any(piece in said.message for piece in self.says))
        )


def on(
    reason: Reason,
    *codes: str,
    status: int | None = None,
    says: tuple[str, ...] = (),
    stay_away: timedelta | None = None,
    hides_clock: bool = False,
) -> Rule:
    """A rule in one line: `on(Reason.EXPIRED, "33004", "-2015")`."""
    return Rule(
        reason=reason,
        codes=frozenset(codes),
        statuses=frozenset() if status is None else frozenset({status}),
        says=says,
        stay_away=stay_away,
        hides_clock=hides_clock,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One allow-listed read.

    `method` is ccxt's implicit method. `good` turns the JSON of a 2xx answer into permissions, or None
    where it has not the expected shape. `params` may use the bodies of the earlier calls. A refusal in
    `accepted` shows that the key itself works and only this look-up is not allowed: the next call is
    asked, if there is one. A code in `absent`, as HTTP 404, means that this account or site has no such
    endpoint: the next call decides. `enough`: a good answer ends the asking. `mine` is the part of an
    answer that speaks of this key, where the exchange lists several; all that reads the answer sees this
    part only. `lasts` is how much longer the key lives, where the exchange counts days instead of naming the day.
    `lapses`: whoever answers has not seen the key used, so that an end in the past is ours to notice.
    """

    method: str
    good: Callable[[object], Permissions | None]
    params: Callable[[Secret, tuple[object, ...]], Mapping[str, object]] = no_params
    cost: float = 1.0
    accepted: frozenset[Reason] = frozenset()
    absent: frozenset[str] = frozenset()
    enough: bool = True
    mine: Callable[[object, Secret], object] = everything
    lasts: Callable[[object], timedelta | None] = no_end
    lapses: bool = False


def plain_credentials(secret: Secret) -> Mapping[str, str]:
    return {"apiKey": secret.api_key, "secret": secret.api_secret, "password": secret.passphrase}


def never(_secret: Secret) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """All that is particular about one exchange.

    `driver` is the class of ccxt. `needs` names the fields of `Secret` that must not be empty. `ask` is
    walked in order; `testnet_ask` likewise for a testnet credential (empty: no testnet that could be
    asked). `read` finds code and message in a JSON body. `malformed`: signing with this secret cannot work.
    `wallet`: the secret is a wallet's private key, which no call needs: they see its address in its place.
    """

    id: str
    ask: tuple[Call, ...]
    errors: tuple[Rule, ...] = ()
    read: Callable[[object], Said] = nothing
    driver: str = ""
    needs: tuple[str, ...] = ("api_key", "api_secret")
    credentials: Callable[[Secret], Mapping[str, str]] = plain_credentials
    malformed: Callable[[Secret], bool] = never
    testnet_ask: tuple[Call, ...] = ()
    labels: frozenset[str] = frozenset()
    options: Mapping[str, object] = field(default_factory=dict)
    wallet: bool = False

    def calls(self, site: Site) -> tuple[Call, ...]:
        return self.ask if site is Site.LIVE else self.testnet_ask


def merged(known: Permissions, more: Permissions) -> Permissions:
    """`known`, its gaps filled from `more`."""
    if known is UNKNOWN_PERMISSIONS:
        return more
    return Permissions(
        read=more.read if known.read is None else known.read,
        trade=more.trade if known.trade is None else known.trade,
        withdraw=more.withdraw if known.withdraw is None else known.withdraw,
        transfer=more.transfer if known.transfer is None else known.transfer,
        ip_restricted=more.ip_restricted if known.ip_restricted is None else known.ip_restricted,
        expires_at=more.expires_at if known.expires_at is None else known.expires_at,
    )
