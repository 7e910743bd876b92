"""What a simulated exchange is made of: a check of the signature, and its own words for each state of a key."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl


class State(StrEnum):
    """How a key stands, or what is wrong with a request; each exchange has its own answer to it."""

    GOOD = "good"
    # what may befall a key: set on an account
    REVOKED = "revoked"
    EXPIRED = "expired"
    IP_BLOCKED = "ip_blocked"
    NO_RIGHT = "no_right"
    FROZEN = "frozen"
    THROTTLED = "throttled"
    UNHEARD_OF = "unheard_of"  # a code that nobody has documented
    # what a request itself can get wrong: found by `verify`
    BAD_SIGNATURE = "bad_signature"
    BAD_PASSPHRASE = "bad_passphrase"
    BAD_TIME = "bad_time"
    WRONG_SITE = "wrong_site"
    # the exchange's own announcement
    MAINTENANCE = "maintenance"


class Outage(StrEnum):
    """What can be wrong with a whole exchange, or with the way to it; the same for all."""

    NONE = ""
    HTML_503 = "html503"
    HTML_403 = "html403"
    HTML_200 = "html200"
    EMPTY_200 = "empty200"
    RESET = "reset"
    TRUNCATED = "truncated"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    REGION = "region"
    REDIRECT = "redirect"
    HUGE = "huge"


@dataclass(frozen=True, slots=True)
class Rights:
    """What a key may do, and from where, and until when."""

    read: bool = True
    trade: bool = True
    withdraw: bool = False
    transfer: bool = False
    addresses: tuple[str, ...] = ("203.0.113.7",)
    expires_at: datetime | None = None


@dataclass(slots=True)
class Account:
    """A key as the exchange knows it; everything may be changed while the simulator runs.

    `variant` is a kind of account that an exchange's file may tell apart; `forbidden` are paths that
    this key has no right to.
    """

    exchange: str
    key: str
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)
    state: State = State.GOOD
    rights: Rights = Rights()
    testnet: bool = False
    last_nonce: int = 0
    number: int = 0
    variant: str = ""
    forbidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came over the wire."""

    method: str
    host: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    body: str = field(repr=False)

    @property
    def params(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Reply:
    """JSON, or text as it stands."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.body if isinstance(self.body, str) else json.dumps(self.body)

    @property
    def content_type(self) -> str:
        if not isinstance(self.body, str):
            return "application/json"
        return "text/html" if self.body.startswith("<") else "text/plain"


@dataclass(frozen=True, slots=True)
class Minted:
    """A key pair in the exchange's own format."""

    key: str
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)


def no_aliases(_account: Account) -> tuple[str, ...]:
    return ()


def never_testnet(_request: Request) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """One exchange.

    `mint` makes the n-th key pair, the same one each time. `key_of` reads the key out of a request.
    `verify` says GOOD, or what is wrong with signature, passphrase or time. `answers` are the reads it
    knows, by method and path; `refusals` its words for everything but GOOD: a state that has none does
    not exist at this exchange. A refusal that depends on what was asked is a function; nobody's key has no
    account. `aliases` are further names that `key_of` may find an account under. `public` are answers for everybody.
    """

    id: str
    hosts: tuple[str, ...]
    mint: Callable[[int], Minted]
    key_of: Callable[[Request], str]
    verify: Callable[[Request, Account, datetime], State]
    answers: Mapping[str, Callable[[Request, Account], Reply]]
    refusals: Mapping[State, Reply | Callable[[Request, Account | None], Reply]]
    on_testnet: Callable[[Request], bool] = never_testnet
    aliases: Callable[[Account], tuple[str, ...]] = no_aliases
    unknown_path: Reply = Reply(404, {"message": "Not Found"})
    public: Mapping[str, Callable[[Request], Reply]] = field(default_factory=dict)
