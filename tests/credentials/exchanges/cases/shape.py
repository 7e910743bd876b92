"""What the tests know about one exchange: one file each, found by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason

# What each state of the simulator should be called, unless the exchange cannot tell.
REASONS: Mapping[State, Reason] = {
    State.REVOKED: Reason.INVALID_KEY,
    State.EXPIRED: Reason.EXPIRED,
    State.IP_BLOCKED: Reason.IP_RESTRICTED,
    State.NO_RIGHT: Reason.PERMISSION,
    State.FROZEN: Reason.ACCOUNT_DISABLED,
    State.THROTTLED: Reason.RATE_LIMITED,
    State.UNHEARD_OF: Reason.BAD_RESPONSE,
    State.BAD_SIGNATURE: Reason.BAD_SECRET,
    State.BAD_PASSPHRASE: Reason.BAD_PASSPHRASE,
    State.BAD_TIME: Reason.CLOCK_SKEW,
    State.WRONG_SITE: Reason.WRONG_ENVIRONMENT,
    State.MAINTENANCE: Reason.EXCHANGE_DOWN,
}

# Why a simulator has no answer for a state, where the exchange's documentation has none.
NO_END: Final = "its keys do not end by themselves, as far as it documents"
NO_WORD: Final = "no answer to a frozen account is documented"


@dataclass(frozen=True, kw_only=True)
class Cases:
    """One exchange.

    `reasons`: where it differs from `REASONS`. `lacks`: states that cannot be played, and why. `shown`:
    what `Permissions` each of some `Rights` become. `rulings`: recorded answers (status, JSON or text) and
    the reason they must come to. `reads`: all that may ever be requested. `falls_back`: the second look-up
    answers for any key. `malformed`: secrets (key, secret, passphrase) that cannot be signed with.
    """

    exchange: str
    reads: frozenset[str]
    shown: tuple[tuple[Rights, Permissions], ...]
    falls_back: bool = False
    reasons: Mapping[State, Reason] = field(default_factory=dict)
    lacks: Mapping[State, str] = field(default_factory=dict)
    rulings: tuple[tuple[int, Any, Reason], ...] = ()
    malformed: tuple[tuple[str, str, str], ...] = ()

    def reason(self, state: State) -> Reason:
        return self.reasons.get(state, REASONS[state])
