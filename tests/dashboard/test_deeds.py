"""What people do at the dashboard is done, and said; what their key may not do is not offered."""

import pytest
from playwright.async_api import expect

from alertd.admin.access import Role
from tests.admin.port import ADMIN, OPERATOR, VIEWER, Port
from tests.dashboard.scene import Scene
from tests.dashboard.visitor import Visitor

pytestmark = pytest.mark.browser

LISTS = ("credentials", "alerts", "silences", "deliveries", "schedule", "performance")


async def test_filters_narrow_the_list_and_stand_in_the_address(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(VIEWER)
    await visitor.go("credentials")
    await expect(visitor.page.get_by_role("row")).to_have_count(4)

    await visitor.page.get_by_label("Verdict").select_option("invalid")

    await expect(visitor.page.get_by_role("row")).to_have_count(2)
    await expect(visitor.page.get_by_role("cell", name="Our address not on its list")).to_be_visible()
    assert visitor.page.url.endswith("#/credentials?verdict=invalid")


async def test_a_tenant_is_found_by_name(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(VIEWER)
    await visitor.go("credentials")
    await expect(visitor.page.get_by_role("row")).to_have_count(4)

    await visitor.page.get_by_label("Tenant").fill("acme capital")

    await expect(visitor.page.get_by_role("row")).to_have_count(3)


async def test_an_operator_acknowledges(visitor: Visitor, port: Port, scene: Scene) -> None:
    await visitor.sign_in(OPERATOR)
    await visitor.go(f"alerts/{scene.alert}")

    await visitor.button("Acknowledge").click()
    dialog = visitor.page.get_by_role("dialog")
    await dialog.get_by_label("Comment").fill("I am on it")
    await dialog.get_by_role("button", name="Acknowledge").click()

    await expect(visitor.said("Acknowledged")).to_be_visible()
    await expect(visitor.page.get_by_label("State", exact=True)).to_contain_text("I am on it")
    alert = await port.ask("GET", f"/api/v1/alerts/{scene.alert}")
    assert (alert.json["acked_by"], alert.json["ack_comment"]) == ("operator", "I am on it")


async def test_an_alert_says_what_to_do_and_leads_to_its_key(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(VIEWER)
    await visitor.go(f"alerts/{scene.alert}")

    await expect(visitor.page.get_by_label("The last check")).to_contain_text("Add the platform's addresses to the key")
    await visitor.page.get_by_role("link", name="See the key").click()

    await expect(visitor.heading).to_have_text("nowhere · Trading")


async def test_an_operator_silences_after_a_look_at_what_it_covers(visitor: Visitor, port: Port, scene: Scene) -> None:
    await visitor.sign_in(OPERATOR)
    await visitor.go("silences")

    await visitor.button("New silence").first.click()
    dialog = visitor.page.get_by_role("dialog")
    await dialog.get_by_label("Exchange").fill("now*")
    await expect(dialog.get_by_text("It would cover 1 alert that fires now.")).to_be_visible()
    await dialog.get_by_label("Why (needed)").fill("planned work")
    await dialog.get_by_role("button", name="Silence").click()

    await expect(visitor.page.get_by_role("cell", name="planned work")).to_be_visible()
    silences = await port.ask("GET", "/api/v1/silences")
    assert (silences.json["items"][0]["matchers"], silences.json["items"][0]["created_by"]) == (
        {"exchange": ["now*"]},
        "operator",
    )


async def test_a_silenced_alert_is_found_under_silenced(visitor: Visitor, port: Port, scene: Scene) -> None:
    wish = {"matchers": {"exchange": "nowhere"}, "comment": "planned work"}
    await port.ask("POST", "/api/v1/silences", json=wish)
    await visitor.sign_in(VIEWER)

    await visitor.go("alerts?view=silenced")

    await expect(visitor.page.get_by_role("row")).to_have_count(2)
    await expect(visitor.page.get_by_role("row").last).to_contain_text("Acme Capital")


async def test_a_silence_ends_early(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(OPERATOR)
    await visitor.go("silences")

    await visitor.button("End now").click()

    await expect(visitor.page.get_by_text("There is no active silence.")).to_be_visible()


async def test_what_a_list_is_narrowed_to_is_shown_and_taken_back(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(ADMIN)
    await visitor.go(f"deliveries/{scene.delivery}")
    await visitor.page.get_by_role("link", name="https://hooks.example.com/acme").click()
    await expect(visitor.page.get_by_role("row")).to_have_count(2)

    await visitor.button(f"Endpoint {scene.webhook}", exact=False).click()

    await expect(visitor.page.get_by_role("row")).to_have_count(3)


async def test_a_message_is_sent_again(visitor: Visitor, port: Port, scene: Scene) -> None:
    await visitor.sign_in(ADMIN)
    await visitor.go(f"deliveries/{scene.delivery}")

    await visitor.button("Send again").click()

    await expect(visitor.said("Queued again.")).to_be_visible()
    delivery = await port.ask("GET", f"/api/v1/deliveries/{scene.delivery}")
    assert delivery.json["state"] in {"pending", "parked"}


async def test_a_key_is_checked_now(visitor: Visitor, port: Port, scene: Scene) -> None:
    await visitor.sign_in(await port.key(Role.TENANT, tenant_id=scene.tenant))
    await visitor.go(scene.failing)

    await visitor.button("Check now").click()

    await expect(visitor.said("Checked: exchange not supported.")).to_be_visible()
    await expect(visitor.page.get_by_label("The last check")).to_contain_text("Exchange not supported")


async def test_a_circuit_is_closed_by_hand(visitor: Visitor, port: Port, scene: Scene) -> None:
    await visitor.sign_in(ADMIN)
    await visitor.go("endpoints")

    await visitor.button("Close the circuit").click()

    await expect(visitor.said("The circuit is closed")).to_be_visible()
    endpoint = await port.ask("GET", f"/api/v1/webhooks/{scene.webhook}")
    assert endpoint.json["circuit"] == "closed"


async def test_a_test_message_is_sent(visitor: Visitor, port: Port, scene: Scene) -> None:
    await visitor.sign_in(await port.key(Role.TENANT, tenant_id=scene.tenant))
    await visitor.go("endpoints")

    await visitor.button("Test").click()

    await expect(visitor.said("A test message is on its way")).to_be_visible()
    sent = await port.ask("GET", "/api/v1/deliveries", params={"event": "webhook.test"})
    assert len(sent.json["items"]) == 1


async def test_a_new_endpoint_shows_its_secret_once(visitor: Visitor, port: Port, scene: Scene) -> None:
    await visitor.sign_in(await port.key(Role.TENANT, tenant_id=scene.tenant))
    await visitor.go("endpoints")

    await visitor.button("Add an endpoint").click()
    await visitor.page.get_by_label("Address, https").fill("https://93.184.216.34/hook")
    await visitor.button("Add").click()

    await expect(visitor.page.get_by_role("dialog").locator("code")).to_contain_text("whsec_")
    await visitor.button("I have kept it").click()
    await expect(visitor.page.get_by_role("cell", name="https://93.184.216.34/hook")).to_be_visible()
    await expect(visitor.page.get_by_text("whsec_")).to_have_count(0)


async def test_what_the_daemon_refuses_is_said_where_it_was_asked(visitor: Visitor, port: Port, scene: Scene) -> None:
    await visitor.sign_in(await port.key(Role.TENANT, tenant_id=scene.tenant))
    await visitor.go("endpoints")

    await visitor.button("Add an endpoint").click()
    await visitor.page.get_by_label("Address, https").fill("https://127.0.0.1/hook")
    await visitor.button("Add").click()

    await expect(visitor.page.get_by_role("dialog").get_by_role("alert")).to_contain_text("url")


async def test_a_check_is_tried_dry_and_switched_off(visitor: Visitor, port: Port, scene: Scene) -> None:
    await visitor.sign_in(OPERATOR)
    await visitor.go("schedule")
    card = visitor.page.get_by_role("region", name="Daily P&L")

    await card.get_by_role("button", name="Dry run").click()
    await expect(visitor.page.get_by_role("dialog")).to_contain_text("nothing was stored")
    await visitor.button("Close").click()
    await card.get_by_role("button", name="Switch off").click()

    await expect(card.get_by_text("Switched off.")).to_be_visible()
    status = await port.ask("GET", "/api/performance-alerts/schedule/status")
    enabled = {one["name"]: one["enabled"] for one in status.json["data"]["scheduled_alerts"]}
    assert enabled["daily_pnl_check"] is False


async def test_a_sweep_begins(visitor: Visitor, port: Port, scene: Scene) -> None:
    await visitor.sign_in(OPERATOR)

    await visitor.button("Check every key now").click()

    await expect(visitor.said("A sweep of all keys began.")).to_be_visible()
    sweeps = await port.ask("GET", "/api/v1/sweeps")
    assert (sweeps.json["items"][0]["origin"], sweeps.json["items"][0]["requested_by"]) == ("api", "operator")


async def test_what_was_done_stands_in_the_audit(visitor: Visitor, port: Port, scene: Scene) -> None:
    await port.ask("POST", f"/api/v1/alerts/{scene.alert}/ack", json={"comment": "mine"}, key=OPERATOR)
    await visitor.sign_in(ADMIN)
    await visitor.go("audit?action=alert.ack")

    await expect(visitor.page.get_by_role("cell", name="Acknowledged an alert", exact=True)).to_be_visible()
    await visitor.button("Details: Acknowledged an alert").click()

    await expect(visitor.page.get_by_role("dialog")).to_contain_text('"comment": "mine"')


async def test_a_viewer_is_offered_nothing_to_change(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(VIEWER)

    offered = await visitor.offered(
        ["", scene.failing, f"alerts/{scene.alert}", f"deliveries/{scene.delivery}", *LISTS]
    )

    assert offered - {"Show all", "Newer page", "Further page"} == set()


async def test_an_operator_is_offered_what_he_may(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(OPERATOR)

    offered = await visitor.offered(
        ["", scene.failing, f"alerts/{scene.alert}", f"deliveries/{scene.delivery}", *LISTS]
    )

    assert offered == {
        "Check every key now",
        "Check now",
        "Acknowledge",
        "Silence",
        "New silence",
        "End now",
        "Run now",
        "Dry run",
        "Switch off",
    }


async def test_by_the_keyboard_alone(visitor: Visitor, port: Port, scene: Scene) -> None:
    await visitor.page.goto(visitor.url)
    await expect(visitor.page.get_by_label("API key")).to_be_focused()
    await visitor.page.keyboard.type(OPERATOR)
    await visitor.press("Enter")
    await expect(visitor.menu).to_be_visible()

    assert (await visitor.focus_on("Alerts")).startswith("Alerts")
    await visitor.press("Enter")
    await expect(visitor.heading).to_be_focused()
    assert (await visitor.focus_on("Acknowledge: nowhere")).startswith("Acknowledge")
    await visitor.press("Enter")
    await expect(visitor.page.get_by_role("dialog")).to_be_visible()
    await visitor.press("Escape")
    await expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    await visitor.focus_on("Acknowledge: nowhere")
    await visitor.press("Enter")
    await expect(visitor.page.get_by_role("dialog").get_by_label("Comment")).to_be_focused()
    await visitor.press("Enter")  # it may stay empty

    await expect(visitor.said("Acknowledged")).to_be_visible()
    assert visitor.faults == []
