"""A strategy that loses what it promised: its curves, and what each of them means."""

import random
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.async_api import expect

from alertd.admin.access import Role
from tests import factories
from tests.admin.port import VIEWER, Port
from tests.dashboard.visitor import PHONE, Visitor, visiting

pytestmark = pytest.mark.browser

LIVE_DAYS = 120


@pytest.fixture
async def subject(port: Port) -> UUID:
    """Judged once, after 120 days of which the second half loses half a percent a day."""
    tenant, chance = await factories.tenant(port.daemon.db), random.Random(7)
    start = port.clock().date() - timedelta(days=LIVE_DAYS)
    backtest = [round(chance.gauss(0.003, 0.01), 6) for _ in range(200)]
    reference = {"subject": "grid-eth", "returns": backtest, "last_date": str(start - timedelta(days=1)), "trials": 3}
    returns = [
        {
            "subject": "grid-eth",
            "date": str(start + timedelta(days=number)),
            "return": round(chance.gauss(0.003 if number < 60 else -0.005, 0.01), 6),
        }
        for number in range(LIVE_DAYS)
    ]
    address = "/api/v1/performance/{}?tenant_id=" + str(tenant)
    loaded = await port.ask("POST", address.format("references"), json=[reference])
    sent = await port.ask("POST", address.format("returns"), json=returns)
    for check in ("daily_pnl_check", "performance_threshold_check"):
        await port.ask("POST", f"/api/performance-alerts/schedule/trigger/{check}")
    assert (loaded.status, sent.status) == (200, 200), (loaded.text, sent.text)
    listed = await port.ask("GET", "/api/v1/performance/subjects")
    return UUID(listed.json["items"][0]["id"])


async def test_a_strategy_is_found_and_its_curves_are_drawn(visitor: Visitor, subject: UUID) -> None:
    await visitor.sign_in(VIEWER)
    await visitor.go("performance")

    await visitor.page.get_by_role("link", name="grid-eth").click()

    await expect(visitor.heading).to_have_text("grid-eth")
    await expect(visitor.page.get_by_role("img", name="Cumulative return")).to_be_visible()
    await expect(visitor.page.get_by_role("img", name="Drawdown")).to_be_visible()
    await expect(visitor.page.get_by_role("img", name="Sum of shortfalls")).to_be_visible()
    await expect(visitor.page.get_by_role("img", name="Annual Sharpe ratio")).to_be_visible()
    assert visitor.faults == []


async def test_an_alert_leads_to_its_strategy(visitor: Visitor, port: Port, subject: UUID) -> None:
    alerts = await port.ask("GET", "/api/v1/alerts?check=performance_threshold_check")
    await visitor.sign_in(VIEWER)
    await visitor.go(f"alerts/{alerts.json['items'][0]['id']}")

    await expect(visitor.page.get_by_label("What was found")).to_contain_text("of the limit")
    await visitor.page.get_by_role("link", name="See the strategy").click()

    await expect(visitor.heading).to_have_text("grid-eth")


async def test_each_curve_says_what_it_means(visitor: Visitor, port: Port, subject: UUID) -> None:
    detail = (await port.ask("GET", f"/api/v1/performance/subjects/{subject}")).json
    said = {one["rule"]: one["message"] for check in detail["checks"] for one in check["findings"]}
    await visitor.sign_in(VIEWER)

    await visitor.go(f"performance/{subject}")

    await expect(visitor.page.get_by_role("region", name="Drawdown against its limit")).to_contain_text(
        said["drawdown"]
    )
    await expect(visitor.page.get_by_role("region", name="Drift")).to_contain_text(said["drift"])


async def test_limits_are_drawn_where_they_are(visitor: Visitor, subject: UUID) -> None:
    await visitor.sign_in(VIEWER)
    await visitor.go(f"performance/{subject}")

    names = await visitor.page.locator(".level text").all_text_contents()

    assert names[:4] == ["warning -8.0 %", "critical -12.0 %", "warning 12.0", "critical 17.5"]


async def test_curves_keep_nobody_out_and_fit_a_phone(port: Port, subject: UUID) -> None:
    async with visiting(port.address.url, size=PHONE, scheme="dark") as visitor:
        await visitor.sign_in(VIEWER)
        places = ["performance", f"performance/{subject}"]

        assert await visitor.barriers(places) == {}
        assert await visitor.overflows(places) == []


async def test_a_tenant_does_not_see_somebody_elses_curves(visitor: Visitor, port: Port, subject: UUID) -> None:
    stranger = await factories.tenant(port.daemon.db, name="Other")
    await visitor.sign_in(await port.key(Role.TENANT, tenant_id=stranger))

    await visitor.page.goto(f"{visitor.url}/#/performance/{subject}")

    await expect(visitor.page.get_by_text("This could not be loaded.")).to_be_visible()
