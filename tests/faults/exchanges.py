"""How the simulated exchanges are broken, and how their keys change."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from typing import Final

from alertd.demo.exchanges.server import Recorded, Simulator
from alertd.demo.exchanges.shape import Account, Outage, State
from tests.e2e.town import EXCHANGES
from tests.faults.lasting import lasting
from tests.faults.plan import BREAKS, Change, Strike, exchange_of

LIED_TO: Final = 10  # keys of one strike


@dataclass
class Exchanges:
    """`accounts` by the number of the key. What goes wrong befalls one exchange of those there are."""

    simulator: Simulator
    accounts: list[Account] = field(default_factory=list)
    _lied_to: set[int] = field(default_factory=set)
    _lying: dict[str, int] = field(default_factory=dict)

    def open_account(self, number: int) -> Account:
        account = self.simulator.add(exchange_of(number), number)
        self.accounts.append(account)
        return account

    def change(self, change: Change) -> None:
        account = self.accounts[change.key]
        self._lying.pop(account.key, None)
        account.state = change.state

    def forget_nonces(self) -> None:
        """As if the time had come that a clock ahead had named: until then every nonce is too low."""
        for account in self.accounts:
            account.last_nonce = 0

    async def go_out(self, strike: Strike) -> int:
        script = self.simulator.exchange(_victim(strike))
        script.outage, latest = strike.way, self._latest(strike)
        try:
            return await lasting(strike.seconds, lambda: sum(one.state is None for one in latest()))
        finally:
            script.outage = Outage.NONE

    async def be_slow(self, strike: Strike) -> int:
        """Between one second and three for each answer; the daemons wait for two."""
        script = self.simulator.exchange(_victim(strike))
        script.delay_seconds, latest = 1 + strike.seconds, self._latest(strike)
        try:
            return await lasting(strike.seconds, lambda: sum(1 for _ in latest()))
        finally:
            script.delay_seconds = 0

    async def lie(self, strike: Strike) -> int:
        """Some good keys get the answer that belongs to a bad one. Once: a second time would be a reason to tell."""
        exchange = _victim(strike)
        lie = BREAKS[exchange][0][0]
        good = (n for n, each in enumerate(self.accounts) if each.exchange == exchange and each.state is State.GOOD)
        chosen = [number for number in good if number not in self._lied_to][:LIED_TO]
        self._lied_to |= set(chosen)
        for number in chosen:
            self.accounts[number].state = lie
            self._lying[self.accounts[number].key] = number
        told, latest = set[str](), self._latest(strike)

        def heard() -> int:
            asked = [one.key for one in latest() if one.state is lie and one.key in self._lying]
            told.update(key for key in asked if self._true_again(key))
            return len(told)

        try:
            return await lasting(strike.seconds, heard)
        finally:
            for number in chosen:
                self._true_again(self.accounts[number].key)

    def _true_again(self, key: str) -> bool:
        """Whether it was lied about until now."""
        number = self._lying.pop(key, None)
        if number is not None:
            self.accounts[number].state = State.GOOD
        return number is not None

    def _latest(self, strike: Strike) -> Callable[[], Iterator[Recorded]]:
        """The requests that reach the victim from now on, the last one first."""
        exchange, began = _victim(strike), datetime.now(UTC)

        def latest() -> Iterator[Recorded]:
            since = takewhile(lambda one: one.at >= began, reversed(self.simulator.requests))
            return (one for one in since if one.exchange == exchange)

        return latest


def _victim(strike: Strike) -> str:
    return EXCHANGES[strike.which % len(EXCHANGES)]
