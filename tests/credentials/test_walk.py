"""How an exchange's calls are walked, with an exchange that answers from a script."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from alertd.config import Settings
from alertd.credentials.asking import DEAD_AFTER, Exchanges, Heard
from alertd.credentials.classify import Ruling
from alertd.credentials.limits import Limits
from alertd.credentials.quirks.shape import Call, Quirks, Site
from alertd.model import CheckResult, CredentialRef, CredentialType, Permissions, Reason, Secret

REF = CredentialRef(UUID(int=1), "venue", CredentialType.READONLY)
HELD = Secret("key", "secret")
REFUSED = Heard(ruling=Ruling(Reason.PERMISSION, "http 403 7", "7"))
ABSENT = Heard(ruling=Ruling(Reason.BAD_RESPONSE, "http 400 40085", "40085"))
MISSING = Heard(ruling=Ruling(Reason.BAD_RESPONSE, "http 404 html", "html", missing=True))
DOWN = Heard(ruling=Ruling(Reason.EXCHANGE_DOWN, "http 503 html"))


def read(permissions: Permissions, body: object = None) -> Heard:
    return Heard(seconds=0.5, permissions=permissions, body=body)


def call(name: str, *, enough: bool = True, accepted: bool = False, absent: str = "") -> Call:
    return Call(
        method=name,
        good=lambda _: None,
        enough=enough,
        accepted=frozenset({Reason.PERMISSION}) if accepted else frozenset(),
        absent=frozenset({absent}) if absent else frozenset(),
    )


@dataclass
class Scripted:
    """Hears what it is told to, in order, and remembers what it was asked with."""

    calls: tuple[Call, ...]
    answers: list[Heard]
    semaphore: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(5))
    earlier: list[tuple[object, ...]] = field(default_factory=list)

    @property
    def quirks(self) -> Quirks:
        return Quirks(id="venue", ask=self.calls)

    def check(self, _secret: Secret) -> "Scripted":
        return self

    async def hear(self, _call: Call, earlier: tuple[object, ...]) -> Heard:
        self.earlier.append(earlier)
        return self.answers.pop(0)


Ask = Callable[[Scripted], Exchanges]


def wall_clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path, exchanges={"venue": {"requests_per_second": 100_000}})


@pytest.fixture
def limits(settings: Settings) -> Limits:
    return Limits(None, settings, wall_clock)


@pytest.fixture
def exchanges(settings: Settings, limits: Limits) -> Ask:
    def made(venue: Scripted) -> Exchanges:
        def build(_settings: Settings, _exchange: str, _site: Site) -> Scripted:
            return venue

        return Exchanges(settings, limits=limits, now=wall_clock, build=build, stalled_since=lambda _: False)

    return made


@pytest.mark.parametrize(
    ("calls", "answers", "reason", "permissions"),
    [
        ([call("a"), call("b")], [read(Permissions(True))], Reason.OK, Permissions(True)),
        ([call("a"), call("b")], [REFUSED], Reason.PERMISSION, Permissions()),
        (
            [call("a", enough=False), call("b")],
            [read(Permissions(trade=True)), read(Permissions(ip_restricted=True))],
            Reason.OK,
            Permissions(trade=True, ip_restricted=True),
        ),
        ([call("a", accepted=True), call("b")], [REFUSED, read(Permissions(True))], Reason.OK, Permissions(True)),
        ([call("a", accepted=True)], [REFUSED], Reason.OK, Permissions()),
        ([call("a", accepted=True), call("b")], [REFUSED, DOWN], Reason.EXCHANGE_DOWN, Permissions()),
        ([call("a", absent="40085"), call("b")], [ABSENT, read(Permissions(True))], Reason.OK, Permissions(True)),
        ([call("a", absent="40085"), call("b")], [ABSENT, REFUSED], Reason.PERMISSION, Permissions()),
        ([call("a"), call("b")], [MISSING, read(Permissions(True))], Reason.OK, Permissions(True)),
        ([call("a"), call("b")], [MISSING, MISSING], Reason.BAD_RESPONSE, Permissions()),
        ([call("a", absent="40085")], [ABSENT], Reason.BAD_RESPONSE, Permissions()),
        ([call("a", enough=False), call("b")], [read(Permissions(True)), DOWN], Reason.EXCHANGE_DOWN, Permissions()),
    ],
)  # fmt: skip
async def test_the_calls_are_walked_until_one_decides(
    calls: list[Call], answers: list[Heard], reason: Reason, permissions: Permissions, exchanges: Ask
) -> None:
    venue = Scripted(tuple(calls), list(answers))

    result = await exchanges(venue).ask(REF, HELD)

    assert (result.reason, result.permissions, venue.answers) == (reason, permissions, [])


async def test_a_later_call_knows_what_the_earlier_ones_said(exchanges: Ask) -> None:
    calls = (call("a", enough=False), call("b", accepted=True), call("c"))
    venue = Scripted(calls, [read(Permissions(), {"uid": 7}), REFUSED, read(Permissions())])

    await exchanges(venue).ask(REF, HELD)

    assert venue.earlier == [(), ({"uid": 7},), ({"uid": 7}, None)]


async def test_the_time_of_all_requests_is_added_up(exchanges: Ask) -> None:
    venue = Scripted((call("a", enough=False), call("b")), [read(Permissions()), read(Permissions())])

    result = await exchanges(venue).ask(REF, HELD)

    assert result.exchange_seconds == 1.0


async def test_a_back_off_that_opens_while_waiting_holds_for_those_in_the_queue(exchanges: Ask, limits: Limits) -> None:
    venue = Scripted((call("a"),), [])
    venue.semaphore = asyncio.Semaphore(0)
    waiting = asyncio.create_task(exchanges(venue).ask(REF, HELD))
    await asyncio.sleep(0)
    await limits.back_off("venue", 30, Reason.RATE_LIMITED)
    venue.semaphore.release()

    assert await waiting == CheckResult(Reason.RATE_LIMITED)


async def test_an_exchange_that_stays_dead_is_left_alone_for_a_moment(exchanges: Ask, limits: Limits) -> None:
    venue = Scripted((call("a"),), [DOWN] * DEAD_AFTER)
    asking = exchanges(venue)

    await asyncio.gather(*(asking.ask(REF, HELD) for _ in range(DEAD_AFTER)))

    assert limits.backed_off("venue") is Reason.EXCHANGE_DOWN


async def test_one_answer_in_earnest_shows_that_it_lives(exchanges: Ask, limits: Limits) -> None:
    venue = Scripted((call("a"),), [*[DOWN] * (DEAD_AFTER - 1), REFUSED, DOWN])
    asking = exchanges(venue)

    await asyncio.gather(*(asking.ask(REF, HELD) for _ in range(DEAD_AFTER + 1)))

    assert limits.backed_off("venue") is None


async def test_a_refusal_says_when_to_come_back(exchanges: Ask) -> None:
    throttled = Ruling(Reason.RATE_LIMITED, "http 429", stay_away=timedelta(seconds=7))

    result = await exchanges(Scripted((call("a"),), [Heard(ruling=throttled)])).ask(REF, HELD)

    assert (result.retry_after, result.code) == (timedelta(seconds=7), "http 429")
