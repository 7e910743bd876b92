"""What tenants are told about keys that work."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from alertd.credentials.advice import Told, advise, fields
from alertd.db import Db
from alertd.model import CheckResult, CredentialRef, CredentialType, EventType, Permissions, Reason, Warn
from tests.credentials.checking import Scene, scene
from tests.credentials.test_sweep import swept

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
DAYS = (14, 7, 1)
REF = CredentialRef(UUID(int=1), "bybit", CredentialType.TRADING)
RISK, EXPIRING = EventType.CREDENTIAL_RISK, EventType.CREDENTIAL_EXPIRING
WITHDRAW, OPEN = Warn.CAN_WITHDRAW, Warn.NO_IP_RESTRICTION


def good(*warnings: Warn, expires_in: timedelta | None = None) -> CheckResult:
    expires_at = None if expires_in is None else NOON + expires_in
    return CheckResult(Reason.OK, Permissions(read=True, trade=True, expires_at=expires_at), warnings)


@pytest.mark.parametrize(
    ("told", "result", "after", "events"),
    [
        (Told(), good(), Told(), ()),
        (Told(), good(WITHDRAW), Told(frozenset({WITHDRAW})), (RISK,)),
        (Told(frozenset({WITHDRAW})), good(WITHDRAW), Told(frozenset({WITHDRAW})), ()),
        (Told(frozenset({WITHDRAW})), good(WITHDRAW, OPEN), Told(frozenset({WITHDRAW, OPEN})), (RISK,)),
        (Told(frozenset({WITHDRAW, OPEN})), good(OPEN), Told(frozenset({OPEN})), ()),
        (Told(frozenset({WITHDRAW})), good(), Told(), ()),
        (Told(), good(expires_in=timedelta(days=20)), Told(), ()),
        (Told(), good(expires_in=timedelta(days=14)), Told(expiry_days=14), (EXPIRING,)),
        (Told(expiry_days=14), good(expires_in=timedelta(days=9)), Told(expiry_days=14), ()),
        (Told(expiry_days=14), good(expires_in=timedelta(days=6)), Told(expiry_days=7), (EXPIRING,)),
        (Told(expiry_days=7), good(expires_in=timedelta(hours=20)), Told(expiry_days=1), (EXPIRING,)),
        (Told(expiry_days=7), good(expires_in=timedelta(days=90)), Told(), ()),
        (Told(expiry_days=7), CheckResult(Reason.EXPIRED), Told(expiry_days=7), ()),
        (Told(frozenset({OPEN})), CheckResult(Reason.NETWORK), Told(frozenset({OPEN})), ()),
    ],
)
def test_each_state_is_told_once(told: Told, result: CheckResult, after: Told, events: tuple[EventType, ...]) -> None:
    assert advise(told, result, now=NOON, expiry_warning_days=DAYS) == (after, events)


@pytest.mark.parametrize("told", [Told(), Told(frozenset({OPEN, WITHDRAW}), 7)])
def test_what_was_told_survives_the_database(told: Told) -> None:
    assert Told.of(told.as_json()) == told


def test_the_risk_message_says_what_to_switch_off() -> None:
    said = fields(REF, good(WITHDRAW, OPEN), RISK, NOON)

    assert said["warnings"] == ["can_withdraw", "no_ip_restriction"]
    assert said["what_to_do"] == (
        "At Bybit, switch withdrawals and transfers off for this key and restrict it to the platform's addresses."
    )


def test_the_expiry_message_says_when() -> None:
    said = fields(REF, good(Warn.EXPIRES_SOON, expires_in=timedelta(days=7)), EXPIRING, NOON)

    assert said["expires_at"] == "2026-01-12T12:00:00Z"


@pytest.fixture
async def world(db: Db, tmp_path: Path, now: datetime) -> AsyncIterator[Scene]:
    async with scene(db, tmp_path, now) as made:
        yield made


async def test_a_risky_key_is_announced_once_over_many_sweeps(world: Scene) -> None:
    ref = await world.key()
    world.good[ref] = good(WITHDRAW)

    for _ in range(3):
        await swept(world)

    assert await world.events(ref) == ["credential.risk"]
    assert (await world.row(ref))["warnings"] == ["can_withdraw"]


async def test_a_replaced_key_is_judged_anew(world: Scene) -> None:
    ref = await world.key()
    world.good[ref] = good(WITHDRAW)
    await swept(world)

    await world.store.write(ref, {"api_key": "k2", "api_secret": "s2"})
    await swept(world)

    assert await world.events(ref) == ["credential.risk", "credential.risk"]


async def test_quiet_mode_tells_nothing_and_does_not_forget_it(db: Db, tmp_path: Path, now: datetime) -> None:
    async with scene(db, tmp_path, now, aloud=False) as quiet:
        ref = await quiet.key()
        quiet.good[ref] = good(WITHDRAW)
        await swept(quiet)
        assert await quiet.events(ref) == []

    async with scene(db, tmp_path, now) as loud:
        loud.good[ref] = good(WITHDRAW)
        loud.says[ref] = [Reason.OK]
        await swept(loud)

        assert await loud.events(ref) == ["credential.risk"]
