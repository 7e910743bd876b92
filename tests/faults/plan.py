"""What a seed means: which keys break and heal in each round, and what goes wrong meanwhile. Pure."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Final

from alertd.demo.exchanges.shape import Outage, State
from tests.e2e.town import EXCHANGES


class Fault(StrEnum):
    """What goes wrong; `seconds` of a strike says for how long, where it does not end by itself."""

    KILL_DAEMON = "kill a daemon"
    FREEZE_DAEMON = "freeze a daemon"
    SET_CLOCK = "set the clock of a daemon"
    BAD_NAMES = "name servers that fail or lie"
    KILL_DATABASE = "kill the database"
    DROP_CONNECTIONS = "drop the database's connections"
    FILL_DISK = "fill the database's disk"
    SEAL_STORE = "seal the secret store"
    KILL_STORE = "kill the secret store"
    END_LOGINS = "end all logins to the secret store"
    FORBID = "take permissions away in the secret store"
    OUTAGE = "an exchange's outage"
    SLOW_EXCHANGE = "an exchange that is slow"
    LYING_EXCHANGE = "an exchange that calls good keys bad"
    BAD_ENDPOINTS = "endpoints that fail"
    LYING_ENDPOINTS = "endpoints that lie"


class Kind(StrEnum):
    """What becomes of a strategy."""

    HEALTHY = "healthy"
    DECAYING = "decaying"
    SILENT = "silent"


class Full(StrEnum):
    """What finds no room first: tables refuse a statement, without its log the server cannot live."""

    TABLES = "tables"
    LOG = "log"


class Ban(StrEnum):
    """What the daemons may no longer do in the secret store."""

    LIST = "list"
    READ = "read"
    BOTH = "list and read"


class Lookup(StrEnum):
    """What is wrong with the name servers."""

    FAILS = "fails"
    HANGS = "hangs"
    LIES = "lies"  # and names an address of somebody's own network


class Step(StrEnum):
    """How a clock is set, by minutes."""

    FORWARD = "forward"
    BACK = "back"


class Mood(StrEnum):
    """How an endpoint behaves. Of those that lie only NONSENSE has not taken the message."""

    GOOD = "good"
    # fail
    ERROR = "error"
    RESET = "reset"
    SLOW = "slow"  # takes it, and says so too late
    REDIRECT = "redirect"
    THROTTLE = "throttle"
    # lie
    LATE_BODY = "late body"  # 200 at once, and the rest too late
    HALF_BODY = "half a body"
    CUT_OFF = "cut off"  # 204, and the connection is reset
    ENDLESS = "endless"
    LONG_BODY = "long body"  # more than it announced
    HANGS_UP = "hangs up"  # promises to keep the connection, and closes it
    NONSENSE = "nonsense"  # a status that is none


KILLS: Final = (Fault.KILL_DAEMON, Fault.KILL_DATABASE, Fault.KILL_STORE)
# Dealt like cards, so that each comes up in every so many. Kills come most often: they leave the most behind.
DECK: Final = (*Fault, Fault.KILL_DAEMON, Fault.KILL_DAEMON, Fault.KILL_DATABASE)
# The ways in which a fault may come about.
WAYS: Final[Mapping[Fault, tuple[StrEnum, ...]]] = {
    Fault.SET_CLOCK: tuple(Step),
    Fault.BAD_NAMES: tuple(Lookup),
    Fault.FILL_DISK: tuple(Full),
    Fault.FORBID: tuple(Ban),
    Fault.OUTAGE: (
        Outage.HTML_503,
        Outage.HTML_200,
        Outage.EMPTY_200,
        Outage.RESET,
        Outage.TRUNCATED,
        Outage.TIMEOUT,
    ),
    Fault.BAD_ENDPOINTS: (Mood.ERROR, Mood.RESET, Mood.SLOW, Mood.REDIRECT, Mood.THROTTLE),
    Fault.LYING_ENDPOINTS: (
        Mood.LATE_BODY,
        Mood.HALF_BODY,
        Mood.CUT_OFF,
        Mood.ENDLESS,
        Mood.LONG_BODY,
        Mood.HANGS_UP,
        Mood.NONSENSE,
    ),
}
BREAKS: Final[dict[str, tuple[tuple[State, str], ...]]] = {
    "binance": ((State.REVOKED, "invalid_key"), (State.FROZEN, "account_disabled")),
    "bybit": ((State.EXPIRED, "expired"), (State.IP_BLOCKED, "ip_restricted"), (State.REVOKED, "invalid_key")),
    "coinbase": ((State.NO_RIGHT, "permission"),),
    "kraken": ((State.REVOKED, "invalid_key"),),
    "okx": ((State.IP_BLOCKED, "ip_restricted"), (State.FROZEN, "account_disabled")),
}
LONGEST: Final = 2.0  # seconds
CALM: Final = 8.0  # seconds, about as long as it takes until the first tenants are told


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault, `after` seconds since the one before. `which` picks the victim among those there are.

    `way` is one of the WAYS of a fault that has several.
    """

    fault: Fault
    after: float
    seconds: float
    which: int
    way: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A key that changes at its exchange; `reason` is what its tenant must be told, None when it heals."""

    key: int
    state: State
    reason: str | None


@dataclass(frozen=True, slots=True)
class Round:
    """Keys change, and after `calm` seconds everything goes wrong.

    Strategies of these numbers go live before, and those that broke in the round before recover; the scheduled
    checks are due when the first strike, the death of a daemon, is on its way.
    """

    calm: float
    begins: Sequence[int]
    mends: Sequence[int]
    changes: Sequence[Change]
    strikes: Sequence[Strike]


def kind_of(strategy: int) -> Kind:
    return tuple(Kind)[strategy % len(Kind)]


def exchange_of(key: int) -> str:
    return EXCHANGES[key % len(EXCHANGES)]


def rounds(seed: int, *, keys: int, changes: int, strikes: int) -> Iterator[Round]:
    """Without end. At most `changes` keys break in a round, and half of those that are broken heal."""
    chance = random.Random(seed)
    faults = _dealt(chance)
    broken: set[int] = set()
    begins: Sequence[int] = ()
    for number in count():
        healing = chance.sample(sorted(broken), k=len(broken) // 2)
        breaking = chance.sample(sorted(set(range(keys)) - broken), k=changes)
        changed = [Change(key, State.GOOD, None) for key in healing]
        changed += [Change(key, *chance.choice(BREAKS[exchange_of(key)])) for key in breaking]
        broken = (broken - set(healing)) | set(breaking)
        chance.shuffle(changed)
        mends = [each for each in begins if kind_of(each) is not Kind.HEALTHY]
        begins = range(number * len(Kind), (number + 1) * len(Kind))
        struck = [Fault.KILL_DAEMON, *(next(faults) for _ in range(strikes - 1))]
        yield Round(chance.uniform(0, CALM), begins, mends, changed, [_strike(chance, fault) for fault in struck])


def _dealt(chance: random.Random) -> Iterator[Fault]:
    while True:
        yield from chance.sample(DECK, k=len(DECK))


def _strike(chance: random.Random, fault: Fault) -> Strike:
    return Strike(
        fault=fault,
        after=chance.uniform(0, LONGEST),
        seconds=chance.uniform(0.2, LONGEST),
        which=chance.randrange(1_000_000),
        way=str(chance.choice(WAYS.get(fault, ("",)))),
    )
