"""Every page, as each kind of key sees it: nothing broken, nothing asked for elsewhere, nobody kept out."""

from typing import Literal

import pytest

from alertd.admin.access import Role
from tests.admin.port import ADMIN, OPERATOR, VIEWER, Port
from tests.dashboard.scene import Scene
from tests.dashboard.visitor import PHONE, Visitor, visiting

pytestmark = pytest.mark.browser

SEEN = {
    "Overview": "Overview",
    "Credentials": "Credentials",
    "Alerts": "Alerts",
    "Silences": "Silences",
    "Deliveries": "Deliveries",
    "Performance": "Performance",
    "Schedule": "Schedule",
}
TENANTS = {name: name for name in ("Overview", "Credentials", "Deliveries", "Endpoints", "Performance")}


def places(scene: Scene) -> list[str]:
    return [
        "",
        "credentials",
        scene.failing,
        "alerts",
        "alerts?view=all",
        f"alerts/{scene.alert}",
        "silences",
        "deliveries",
        f"deliveries/{scene.delivery}",
        f"deliveries?webhook_id={scene.webhook}",
        "endpoints",
        "performance",
        "schedule",
        "audit",
    ]


@pytest.mark.parametrize("key", [VIEWER, OPERATOR])
async def test_viewers_and_operators_walk_their_pages(visitor: Visitor, scene: Scene, key: str) -> None:
    await visitor.sign_in(key)

    assert await visitor.walk() == SEEN
    assert visitor.faults == []


async def test_an_admin_walks_all_pages(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(ADMIN)

    assert await visitor.walk() == SEEN | {"Endpoints": "Endpoints", "Audit": "Audit"}
    assert visitor.faults == []


async def test_a_tenant_walks_his_own_world(visitor: Visitor, port: Port, scene: Scene) -> None:
    await visitor.sign_in(await port.key(Role.TENANT, tenant_id=scene.tenant))

    assert await visitor.walk() == TENANTS
    assert visitor.faults == []


async def test_a_tenant_sees_nothing_of_others(visitor: Visitor, port: Port, scene: Scene) -> None:
    await visitor.sign_in(await port.key(Role.TENANT, tenant_id=scene.tenant))

    shown = await visitor.read(["", "credentials", "deliveries", "endpoints", "performance"])

    assert ("Borealis" in shown, str(scene.other) in shown, "Acme Capital" in shown) == (False, False, True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nobody_is_kept_out(port: Port, scene: Scene, scheme: Literal["light", "dark"]) -> None:
    async with visiting(port.address.url, scheme=scheme) as visitor:
        await visitor.page.goto(visitor.url)
        signing_in = await visitor.barriers_here()
        await visitor.sign_in(ADMIN)

        assert (signing_in, await visitor.barriers(places(scene))) == ([], {})


async def test_on_a_phone_nobody_is_kept_out(port: Port, scene: Scene) -> None:
    async with visiting(port.address.url, size=PHONE) as visitor:
        await visitor.sign_in(ADMIN)

        assert await visitor.barriers(["", "credentials", f"alerts/{scene.alert}", "schedule"]) == {}


async def test_no_page_is_wider_than_a_phone(port: Port, scene: Scene) -> None:
    async with visiting(port.address.url, size=PHONE) as visitor:
        await visitor.sign_in(ADMIN)

        assert await visitor.overflows(places(scene)) == []
        assert visitor.faults == []


async def test_what_is_wrong_with_a_page_would_be_noticed(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(VIEWER)

    await visitor.page.evaluate(
        """() => {
            document.querySelector("#main").append(document.createElement("button"));
            fetch("https://elsewhere.example/").catch(() => console.error("refused"));
        }"""
    )

    assert any(barrier.startswith("button-name") for barrier in await visitor.barriers_here())
    assert any("elsewhere.example" in fault for fault in visitor.faults)
