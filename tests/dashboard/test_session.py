"""Signing in and out, and pages that follow what happens, also over a restart of the daemon."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from alertd.admin.access import Role
from alertd.admin.streams import MOST_OF_ONE
from tests.admin.port import ADMIN, KEYS, VIEWER, Port, open_port
from tests.dashboard.scene import Scene, set_up
from tests.dashboard.visitor import Visitor, visiting

pytestmark = pytest.mark.browser

CREDENTIALS = "**/api/v1/credentials?limit=50"


async def test_a_wrong_key_is_told_and_forgotten(visitor: Visitor) -> None:
    await visitor.page.goto(visitor.url)
    await visitor.page.get_by_label("API key").fill("nobody's key")
    await visitor.button("Sign in").click()

    await expect(visitor.page.get_by_role("alert")).to_have_text("This key is not accepted.")


async def test_signing_out_leaves_nothing(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(VIEWER)

    await visitor.button("Sign out").click()

    await expect(visitor.page.get_by_label("API key")).to_be_visible()
    assert await visitor.page.evaluate("[sessionStorage.length, document.cookie]") == [0, ""]
    assert visitor.faults == []


async def test_an_answer_to_who_was_here_before_is_not_shown(visitor: Visitor, port: Port, scene: Scene) -> None:
    released, answered = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        answer = await route.fetch()
        await released.wait()
        await route.fulfill(response=answer)
        answered.set()

    await visitor.sign_in(VIEWER)
    await visitor.page.route(CREDENTIALS, lambda route: route.abort())
    await visitor.page.route(CREDENTIALS, late, times=1)
    async with visitor.page.expect_request(CREDENTIALS):
        await visitor.page.evaluate("location.hash = '#/credentials'")
    await visitor.button("Sign out").click()
    await visitor.page.get_by_label("API key").fill(await port.key(Role.TENANT, tenant_id=scene.tenant))
    await visitor.button("Sign in").click()
    await expect(visitor.page.get_by_text("The daemon does not answer")).to_be_visible()
    released.set()
    await answered.wait()
    await visitor.menu.get_by_role("link", name="Overview").click()
    await expect(visitor.page.get_by_text("What is wrong now")).to_be_visible()
    await visitor.menu.get_by_role("link", name="Credentials").click()

    await expect(visitor.page.get_by_text("The daemon does not answer")).to_be_visible()
    await expect(visitor.page.get_by_text("Borealis")).to_have_count(0)


async def test_the_key_itself_is_kept_nowhere(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(VIEWER)

    kept = await visitor.page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])")

    assert (VIEWER in kept, "access_token" in kept) == (False, False)


async def test_a_reload_stays_signed_in(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(VIEWER)

    await visitor.page.reload()

    await expect(visitor.menu).to_be_visible()


async def test_a_revoked_key_is_signed_out(visitor: Visitor, port: Port, scene: Scene) -> None:
    await visitor.sign_in(await port.key(Role.VIEWER))
    await port.daemon.db.execute("UPDATE api_keys SET revoked_at = now(), revoked_by = 'test'")

    await visitor.page.evaluate("location.hash = '#/credentials'")

    await expect(visitor.page.get_by_role("alert")).to_contain_text("You were signed out")


async def test_a_page_that_a_key_may_not_see_is_not_there(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(VIEWER)

    await visitor.page.goto(f"{visitor.url}/#/audit")

    await expect(visitor.page.get_by_text("There is nothing here.")).to_be_visible()


async def test_an_alert_appears_by_itself(visitor: Visitor, port: Port, scene: Scene) -> None:
    await visitor.sign_in(VIEWER)
    await visitor.go("alerts?view=acknowledged")
    await expect(visitor.page.get_by_text("Live", exact=True)).to_be_visible()
    await expect(visitor.page.get_by_text("Nobody looks after an alert")).to_be_visible()

    await port.ask("POST", f"/api/v1/alerts/{scene.alert}/ack", json={})

    await expect(visitor.page.get_by_role("cell", name="Acme Capital")).to_be_visible()


async def test_who_finds_no_room_to_listen_is_told(visitor: Visitor, port: Port, scene: Scene) -> None:
    headers = {"X-Alert-API-Key": VIEWER}
    tabs = [await port.client.get("/api/v1/events/stream", headers=headers) for _ in range(MOST_OF_ONE)]

    await visitor.sign_in(VIEWER)

    await expect(visitor.page.get_by_text("Every 30 s", exact=True)).to_be_visible()
    [tab.close() for tab in tabs]


async def test_without_any_key_pages_say_what_to_do(visitor: Visitor, port: Port) -> None:
    await visitor.sign_in(ADMIN)

    await expect(visitor.page.get_by_text("There is no key yet.")).to_be_visible()
    await expect(visitor.page.get_by_text("alertd credentials put")).to_be_visible()


async def test_without_authentication_nobody_signs_in_and_everybody_is_warned(dsn: str, tmp_path: Path) -> None:
    opening = open_port(dsn, tmp_path, datetime.now(UTC), environ={"ALERT_AUTH_ENABLED": "false"})
    async with opening as port, visiting(port.address.url) as visitor:
        await visitor.page.goto(visitor.url)

        await expect(visitor.page.get_by_text("Authentication is switched off")).to_be_visible()
        await expect(visitor.menu).to_be_visible()
        assert visitor.faults == []


async def test_a_restart_of_the_daemon_is_survived(dsn: str, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    async with AsyncExitStack() as stack:
        async with open_port(dsn, tmp_path, now) as before:
            scene, address = await set_up(before.daemon.db, before.daemon.secrets, now), before.address
            visitor = await stack.enter_async_context(visiting(address.url))
            await visitor.sign_in(VIEWER)
            await visitor.go("alerts")
            await expect(visitor.page.get_by_role("row")).to_have_count(3)
            await expect(visitor.page.get_by_text("Live", exact=True)).to_be_visible()
        await expect(visitor.page.get_by_text("Reconnecting …")).to_be_visible()

        after = await stack.enter_async_context(
            open_port(dsn, tmp_path, now, environ={**KEYS, "PORT": str(address.port)})
        )
        await expect(visitor.page.get_by_text("Live", exact=True)).to_be_visible()
        await after.ask("POST", f"/api/v1/alerts/{scene.alert}/ack", json={})

        await expect(visitor.page.get_by_role("row")).to_have_count(2)


async def test_what_is_wrong_stands_in_the_order_of_importance(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(VIEWER)
    wrong = visitor.page.locator(".wrong strong")
    await expect(wrong).to_have_count(7)

    assert [title.split(" ")[0] for title in await wrong.all_inner_texts()] == [
        "The",  # scheduler does not run
        "Rule:",  # what fires, the newest first
        "nowhere",
        "1",  # endpoint that does not answer
        "2",  # messages given up
        "No",  # key of an exchange can be judged
        "1",  # key works, with a warning
    ]


TROUBLES = """
async ({ alerts, invalid, failing }) => {
  const { troubles } = await import("/ui/troubles.js");
  const many = (length, make) => Array.from({ length }, (_, at) => make(at));
  const key = (at) => ({ id: `key-${at}`, exchange: "okx", leaf: "trading", reason: "expired", alerting: true });
  const alert = (at) => ({ id: `${at}`, subject: `key-${at}`, check: "credential_health_check", severity: "critical" });
  const now = {
    exchanges: [{ exchange: "okx", total: invalid, invalid, inconclusive: 0, unchecked: 0, risky: 0 }],
    messages: { held: 0, parked: 0, failed_last_day: 0, oldest_due_at: null },
    endpoints: { open_circuits: 0 },
    alerts: { emergency: 0, critical: alerts, warning: 0, info: 0 },
  };
  const listed = { alerts: many(Math.min(alerts, 100), alert), failing: many(failing, key), subjects: [] };
  const titles = troubles(now, listed, () => "Acme").map(({ title }) => title);
  return titles.filter((title) => title.includes("further"));
}
"""


@pytest.mark.parametrize(
    ("alerts", "invalid", "failing", "further"),
    [
        (30, 30, 20, []),  # each has its own line
        (0, 50, 20, ["30 further keys fail"]),
        (150, 150, 20, ["50 further alerts fire", "50 further keys fail"]),
    ],
)
async def test_what_the_list_leaves_out_is_counted(
    visitor: Visitor, alerts: int, invalid: int, failing: int, further: list[str]
) -> None:
    await visitor.page.goto(visitor.url)
    given = {"alerts": alerts, "invalid": invalid, "failing": failing}

    assert await visitor.page.evaluate(TROUBLES, given) == further
