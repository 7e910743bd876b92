"""One check from budget to verdict: walks an exchange's calls, keeps to its limits, and judges what came back."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from alertd.config import Settings
from alertd.credentials.classify import Ruling, flaw
from alertd.credentials.limits import Limits
from alertd.credentials.quirks.shape import Call, Quirks, Site, merged
from alertd.credentials.rights import trading_cannot_trade, warnings
from alertd.model import UNKNOWN_PERMISSIONS, CheckResult, CredentialRef, Permissions, Reason, Secret

DEAD: Final = frozenset({Reason.EXCHANGE_DOWN, Reason.NETWORK})
# So many in a row, of any keys, and the exchange is left alone for a moment: each one costs a timeout.
DEAD_AFTER: Final = 50
DEAD_SECONDS: Final = 5.0
DEAD_CEILING: Final = timedelta(minutes=1)
# What says nothing about the exchange.
OURS: Final = frozenset({Reason.RATE_LIMITED, Reason.INTERNAL_ERROR, Reason.BAD_SECRET})

# Whether our own loop stood still at some time since this moment of `time.monotonic`.
StalledSince = Callable[[float], bool]


@dataclass(frozen=True, slots=True)
class Heard:
    """What one request came to: permissions and the body, or a ruling. `seconds` is the exchange's time."""

    seconds: float = 0.0
    permissions: Permissions | None = None
    body: object = field(default=None, repr=False)
    ruling: Ruling | None = None


UNHEARD: Final = Heard()


class Check(Protocol):
    """One key on its way through an exchange's calls."""

    async def hear(self, call: Call, earlier: tuple[object, ...]) -> Heard:
        """One signed request. Never raises for what secret, transport or exchange do."""
        ...


class Venue(Protocol):
    """One exchange, live or testnet, as something that can be asked."""

    @property
    def quirks(self) -> Quirks: ...

    @property
    def calls(self) -> tuple[Call, ...]: ...

    @property
    def semaphore(self) -> asyncio.Semaphore: ...

    def check(self, secret: Secret) -> Check: ...


class Exchanges:
    """Every exchange that can be asked, each built when it is first needed."""

    def __init__(
        self,
        settings: Settings,
        *,
        limits: Limits,
        now: Callable[[], datetime],
        build: Callable[[Settings, str, Site], Venue | None],
        stalled_since: StalledSince,
    ) -> None:
        self._settings = settings
        self._limits = limits
        self._now = now
        self._build = build
        self._stalled_since = stalled_since
        self._dead: Counter[str] = Counter()
        self._venues: dict[tuple[str, Site], Venue | None] = {}

    def adopt(self, settings: Settings) -> None:
        """Use these settings from the next check on; checks under way end as they began."""
        self._settings = settings
        self._venues.clear()

    def known(self, exchange: str) -> bool:
        """Whether keys of this exchange can be checked: it is switched on and this version has it."""
        return self._venue(exchange, Site.LIVE) is not None

    async def ask(self, ref: CredentialRef, secret: Secret) -> CheckResult:
        """The verdict on one key. Raises only Transient, when the database that keeps the budget is gone."""
        venue = self._venue(ref.exchange, Site.TESTNET if secret.testnet else Site.LIVE)
        if venue is None:
            return CheckResult(Reason.UNSUPPORTED_EXCHANGE)
        secret = _trimmed(secret)
        reason = flaw(venue.quirks, secret) or self._limits.backed_off(ref.exchange)
        if reason is not None:
            return CheckResult(reason)
        # Signing comes after all waiting: a timestamp must not age in a queue.
        async with venue.semaphore:
            return await self._walk(venue, ref, secret)

    async def read(self, ref: CredentialRef, secret: Secret, calls: Sequence[Call]) -> tuple[object, ...] | None:
        """The answers to these reads, which are no check; None where one is refused or cannot be asked now.

        It keeps to the same budget and back-off as checks do.
        """
        venue = self._venue(ref.exchange, Site.TESTNET if secret.testnet else Site.LIVE)
        if venue is None or flaw(venue.quirks, _trimmed(secret)) or self._limits.backed_off(ref.exchange):
            return None
        bodies: tuple[object, ...] = ()
        async with venue.semaphore:
            check = venue.check(_trimmed(secret))
            for call in calls:
                heard = await self._hear(check, ref.exchange, call, bodies)
                if heard.permissions is None:
                    return None
                bodies = (*bodies, heard.body)
        return bodies

    def _venue(self, exchange: str, site: Site) -> Venue | None:
        place = (exchange, site)
        if place not in self._venues:
            enabled = self._settings.exchange(exchange).enabled
            self._venues[place] = self._build(self._settings, exchange, site) if enabled else None
        return self._venues[place]

    async def _walk(self, venue: Venue, ref: CredentialRef, secret: Secret) -> CheckResult:
        """The calls in their order until one is enough or one is refused."""
        known, works, seconds = UNKNOWN_PERMISSIONS, False, 0.0
        earlier: tuple[object, ...] = ()
        refusal = Ruling(Reason.BAD_RESPONSE, "")
        check = venue.check(secret)
        for call in venue.calls:
            heard = await self._hear(check, ref.exchange, call, earlier)
            seconds += heard.seconds
            if heard.permissions is not None:
                known, works = merged(known, heard.permissions), True
                earlier = (*earlier, heard.body)
                if call.enough:
                    break
            elif heard.ruling is not None:
                refusal = heard.ruling
                earlier = (*earlier, heard.body)
                if refusal.reason in call.accepted:
                    works = True
                elif not refusal.missing and refusal.label not in call.absent:
                    return _refused(refusal, seconds)
        return self._accepted(ref, known, seconds) if works else _refused(refusal, seconds)

    async def _hear(self, check: Check, exchange: str, call: Call, earlier: tuple[object, ...]) -> Heard:
        """One answer. What is heard while our own loop stands still is asked again once, not believed."""
        heard = UNHEARD
        for _ in range(2):
            if not self._limits.take_at_once(exchange, call.cost):
                await self._limits.take(exchange, call.cost)
                opened = self._limits.backed_off(exchange)
                if opened is not None:
                    return Heard(ruling=Ruling(opened, ""))
            began = time.monotonic()
            heard = await check.hear(call, earlier)
            if heard.ruling is None or heard.ruling.stay_away is not None or not self._stalled_since(began):
                break
        else:
            return Heard(heard.seconds, ruling=Ruling(Reason.INTERNAL_ERROR, "stalled"))
        if heard.ruling is not None or self._dead[exchange] or self._limits.shaken(exchange):
            await self._note(exchange, heard.ruling)
        return heard

    async def _note(self, exchange: str, ruling: Ruling | None) -> None:
        """Backs off where the answer asks for it, or where there is none any more; an answer in earnest ends that."""
        if ruling is not None and ruling.stay_away is not None:
            await self._limits.back_off(exchange, ruling.stay_away.total_seconds(), ruling.reason)
        elif ruling is not None and ruling.reason in DEAD:
            self._dead[exchange] += 1
            if self._dead[exchange] >= DEAD_AFTER:
                await self._limits.back_off(exchange, DEAD_SECONDS, ruling.reason, ceiling=DEAD_CEILING)
        elif ruling is None or ruling.reason not in OURS:
            self._dead[exchange] = 0
            await self._limits.recover(exchange)

    def _accepted(self, ref: CredentialRef, permissions: Permissions, seconds: float) -> CheckResult:
        if trading_cannot_trade(ref.credential_type, permissions):
            return CheckResult(Reason.PERMISSION, permissions, exchange_seconds=seconds)
        risky = warnings(
            permissions,
            ref.credential_type,
            now=self._now(),
            expiry_warning_days=self._settings.credentials.expiry_warning_days,
        )
        return CheckResult(Reason.OK, permissions, risky, exchange_seconds=seconds)


def _refused(ruling: Ruling, seconds: float) -> CheckResult:
    return CheckResult(ruling.reason, code=ruling.code, exchange_seconds=seconds, retry_after=ruling.stay_away)


def _trimmed(secret: Secret) -> Secret:
    """Without the blanks and line ends that copying leaves around a value."""
    key, text, passphrase = secret.api_key.strip(), secret.api_secret.strip(), secret.passphrase.strip()
    if (key, text, passphrase) == (secret.api_key, secret.api_secret, secret.passphrase):
        return secret
    return replace(secret, api_key=key, api_secret=text, passphrase=passphrase)
