"""`GET /api/v1/overview`: figures that equal what is stored, and of those a tenant sees only his own."""

from datetime import timedelta
from typing import Any

import pytest

from alertd.admin.access import Role
from alertd.credentials import sweep_store
from alertd.credentials.sweep_store import Origin
from tests import factories
from tests.admin.port import VIEWER, Port
from tests.dashboard.scene import PICTURE, Scene

MINUTE = timedelta(minutes=1)


async def overview(port: Port, key: str = VIEWER) -> Any:
    answer = await port.ask("GET", "/api/v1/overview", key=key)
    assert answer.status == 200, answer.text
    return answer.json


async def test_keys_are_counted_by_exchange_and_verdict(port: Port, scene: Scene) -> None:
    seen = await overview(port)

    names = ("exchange", "total", "valid", "invalid", "inconclusive", "unchecked", "risky")
    assert [tuple(one[name] for name in names) for one in seen["exchanges"]] == [
        (PICTURE, 1, 0, 0, 1, 0, 0),
        ("kraken", 1, 1, 0, 0, 0, 1),
        ("nowhere", 1, 0, 1, 0, 0, 0),
    ]


async def test_a_retired_key_is_not_counted(port: Port, scene: Scene) -> None:
    await port.daemon.db.execute("UPDATE credentials SET retired_at = $1 WHERE exchange = 'kraken'", port.clock())

    seen = await overview(port)

    assert [one["exchange"] for one in seen["exchanges"]] == [PICTURE, "nowhere"]


async def test_messages_endpoints_and_alerts_are_counted(port: Port, scene: Scene) -> None:
    seen = await overview(port)

    assert seen["messages"] == {"pending": 0, "held": 0, "parked": 0, "failed_last_day": 2, "oldest_due_at": None}
    assert seen["endpoints"] == {"total": 2, "open_circuits": 1, "switched_off": 0}
    assert seen["alerts"] == {"info": 0, "warning": 0, "critical": 2, "emergency": 0, "acknowledged": 0}


async def test_an_acknowledged_alert_is_counted_apart(port: Port, scene: Scene) -> None:
    await port.ask("POST", f"/api/v1/alerts/{scene.alert}/ack", json={})

    seen = await overview(port)

    assert (seen["alerts"]["critical"], seen["alerts"]["acknowledged"]) == (1, 1)


async def test_an_exchange_that_is_left_alone_says_why(port: Port, scene: Scene) -> None:
    await port.daemon.db.execute(
        """
        INSERT INTO exchange_budgets (exchange, reserved_until, backed_off_until, backed_off_reason, backoffs)
        VALUES ('kraken', $1, $2, 'exchange_down', 1), ('nowhere', $1, $3, 'network', 1)
        """,
        port.clock(),
        port.clock() + MINUTE,
        port.clock() - MINUTE,
    )

    seen = {one["exchange"]: one["backed_off_reason"] for one in (await overview(port))["exchanges"]}

    assert (seen["kraken"], seen["nowhere"]) == ("exchange_down", None)


async def test_checks_of_the_last_minute_stand_against_the_budget(port: Port, scene: Scene) -> None:
    await port.daemon.db.execute("UPDATE credential_health_checks SET check_timestamp = $1", port.clock())

    seen = {one["exchange"]: one for one in (await overview(port))["exchanges"]}

    assert (seen["kraken"]["checked_last_minute"], seen["kraken"]["requests_per_second"]) == (5, 10.0)


async def test_the_soonest_checks_come_first_and_none_of_a_paused_tenant(port: Port, scene: Scene) -> None:
    await port.daemon.db.execute("UPDATE tenants SET paused = true WHERE id = $1", scene.other)
    await port.daemon.db.execute(
        "UPDATE credentials SET next_check_at = $1 WHERE exchange = 'nowhere'", port.clock() - MINUTE
    )

    seen = await overview(port)

    assert [one["exchange"] for one in seen["coming_checks"]] == ["nowhere", "kraken"]


async def test_a_sweep_that_runs_is_shown_before_one_that_is_over(port: Port, scene: Scene) -> None:
    before = (await overview(port))["sweep"]["state"]
    await sweep_store.begin(port.daemon.db, origin=Origin.API, requested_by="somebody", now=port.clock())

    assert (before, (await overview(port))["sweep"]["state"]) == ("completed", "running")


async def test_a_scheduled_pass_under_way_has_nothing_to_show(port: Port, scene: Scene) -> None:
    await sweep_store.begin(port.daemon.db, origin=Origin.SCHEDULE, requested_by="schedule", now=port.clock())

    assert (await overview(port))["sweep"]["origin"] == "command"


async def test_schedules_have_their_next_five_runs(port: Port) -> None:
    await port.ask("POST", "/api/performance-alerts/schedule/disable/daily_pnl_check")

    runs = {one["name"]: len(one["next_runs"]) for one in (await overview(port))["schedules"]}

    assert (len(runs), runs["daily_pnl_check"], runs["weekly_stability_check"]) == (6, 0, 5)


async def test_the_daemon_says_how_it_is(port: Port) -> None:
    platform = (await overview(port))["platform"]

    names = ("database", "secret_store", "secret_store_usable", "waiting_for")
    assert [platform[name] for name in names] == ["postgresql", "file", True, []]


async def test_a_tenant_sees_his_own(port: Port, scene: Scene) -> None:
    seen = await overview(port, await port.key(Role.TENANT, tenant_id=scene.tenant))

    assert [one["exchange"] for one in seen["exchanges"]] == ["kraken", "nowhere"]
    assert seen["messages"]["failed_last_day"] == 1
    assert seen["endpoints"]["total"] == 1
    assert {one["tenant_id"] for one in seen["coming_checks"]} == {str(scene.tenant)}


@pytest.mark.parametrize("name", ["alerts", "sweep", "schedules", "platform"])
async def test_a_tenant_sees_nothing_that_is_for_operators(port: Port, scene: Scene, name: str) -> None:
    seen = await overview(port, await port.key(Role.TENANT, tenant_id=scene.tenant))

    assert seen[name] is None


async def test_an_empty_platform_has_an_overview(port: Port) -> None:
    seen = await overview(port)

    assert (seen["exchanges"], seen["sweep"], seen["coming_checks"]) == ([], None, [])


async def test_a_late_message_shows_since_when(port: Port) -> None:
    tenant = await factories.tenant(port.daemon.db)
    webhook = await factories.webhook(port.daemon.db, tenant)
    due = port.clock() - MINUTE
    await port.daemon.db.execute("UPDATE tenant_webhooks SET next_due_at = $2 WHERE id = $1", webhook, due)

    assert (await overview(port))["messages"]["oldest_due_at"] == f"{due:%Y-%m-%dT%H:%M:%SZ}"
