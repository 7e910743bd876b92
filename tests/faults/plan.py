"""What a seed means: which keys break and heal in each round, and what goes wrong meanwhile. Pure."""

import random
from collections.abc import Iterator, Sequence
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
    KILL_DATABASE = "kill the database"
    DROP_CONNECTIONS = "drop the database's connections"
    SEAL_STORE = "seal the secret store"
    KILL_STORE = "kill the secret store"
    OUTAGE = "an exchange's outage"
    BAD_ENDPOINTS = "endpoints that fail"


class Mood(StrEnum):
    """How an endpoint misbehaves."""

    GOOD = "good"
    ERROR = "error"
    RESET = "reset"
    SLOW = "slow"
    REDIRECT = "redirect"
    THROTTLE = "throttle"


# Kills come most often: they are what leaves the most behind.
FAULTS: Final = (*Fault, Fault.KILL_DAEMON, Fault.KILL_DAEMON, Fault.KILL_DAEMON, Fault.KILL_DATABASE)
OUTAGES: Final = (Outage.HTML_503, Outage.HTML_200, Outage.EMPTY_200, Outage.RESET, Outage.TRUNCATED, Outage.TIMEOUT)
BREAKS: Final[dict[str, tuple[tuple[State, str], ...]]] = {
    "binance": ((State.REVOKED, "invalid_key"), (State.FROZEN, "account_disabled")),
    "bybit": ((State.EXPIRED, "expired"), (State.IP_BLOCKED, "ip_restricted"), (State.REVOKED, "invalid_key")),
    "coinbase": ((State.NO_RIGHT, "permission"),),
    "kraken": ((State.REVOKED, "invalid_key"),),
    "okx": ((State.IP_BLOCKED, "ip_restricted"), (State.FROZEN, "account_disabled")),
}
LONGEST: Final = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault, `after` seconds since the one before. `which` picks the victim among those there are."""

    fault: Fault
    after: float
    seconds: float
    which: int
    outage: Outage = Outage.NONE
    mood: Mood = Mood.GOOD


@dataclass(frozen=True, slots=True)
class Change:
    """A key that changes at its exchange; `reason` is what its tenant must be told, None when it heals."""

    key: int
    state: State
    reason: str | None


@dataclass(frozen=True, slots=True)
class Round:
    """Keys change while everything goes wrong."""

    changes: Sequence[Change]
    strikes: Sequence[Strike]


def exchange_of(key: int) -> str:
    return EXCHANGES[key % len(EXCHANGES)]


def rounds(seed: int, *, keys: int, changes: int, strikes: int) -> Iterator[Round]:
    """Without end. At most `changes` keys break in a round, and half of those that are broken heal."""
    chance = random.Random(seed)
    broken: set[int] = set()
    for _ in count():
        healing = chance.sample(sorted(broken), k=len(broken) // 2)
        breaking = chance.sample(sorted(set(range(keys)) - broken), k=changes)
        changed = [Change(key, State.GOOD, None) for key in healing]
        changed += [Change(key, *chance.choice(BREAKS[exchange_of(key)])) for key in breaking]
        broken = (broken - set(healing)) | set(breaking)
        chance.shuffle(changed)
        yield Round(changed, [_strike(chance) for _ in range(strikes)])


def _strike(chance: random.Random) -> Strike:
    return Strike(
        fault=chance.choice(FAULTS),
        after=chance.uniform(0, LONGEST),
        seconds=chance.uniform(0.2, LONGEST),
        which=chance.randrange(1_000_000),
        outage=chance.choice(OUTAGES),
        mood=chance.choice(tuple(Mood)[1:]),
    )
