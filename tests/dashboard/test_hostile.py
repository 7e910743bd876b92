"""Names, labels, answers and comments that somebody else wrote are text, whatever they hold."""

import pytest
from playwright.async_api import expect

from tests.admin.port import ADMIN, Port
from tests.dashboard.scene import ATTRIBUTE, PICTURE, SCRIPT, Scene
from tests.dashboard.test_walks import places
from tests.dashboard.visitor import Visitor

pytestmark = pytest.mark.browser


async def test_no_page_runs_what_others_wrote(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(ADMIN)

    await visitor.overflows([*places(scene), f"alerts/{scene.hostile_alert}", f"credentials/{scene.other}/x/main"])

    assert await visitor.page.evaluate("window.pwned") is None
    assert [fault for fault in visitor.faults if "404" not in fault] == []


async def test_an_answer_is_shown_as_text_with_what_hides_in_it(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(ADMIN)
    await visitor.go(f"deliveries/{scene.delivery}")

    answer = visitor.page.locator(".answer")

    await expect(answer).to_contain_text(SCRIPT)
    await expect(answer).to_contain_text(PICTURE)
    await expect(answer).to_contain_text("abc\\u202egnp.exe\\u0007")


async def test_an_alert_is_shown_as_text(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(ADMIN)
    await visitor.go(f"alerts/{scene.hostile_alert}")

    await expect(visitor.heading).to_contain_text(SCRIPT)
    await expect(visitor.page.locator("#main")).to_contain_text(ATTRIBUTE)


async def test_a_comment_is_shown_as_text(visitor: Visitor, port: Port, scene: Scene) -> None:
    comment = f"{SCRIPT}{PICTURE}{ATTRIBUTE}"
    await port.ask("POST", f"/api/v1/alerts/{scene.alert}/ack", json={"comment": comment})
    await visitor.sign_in(ADMIN)
    await visitor.go(f"alerts/{scene.alert}")

    await expect(visitor.page.get_by_label("State", exact=True)).to_contain_text(comment)
    assert await visitor.page.evaluate("window.pwned") is None
    assert visitor.faults == []


async def test_the_browser_refuses_script_that_gets_in_nevertheless(visitor: Visitor, scene: Scene) -> None:
    await visitor.sign_in(ADMIN)

    refused = await visitor.page.evaluate(
        "(text) => { try { document.body.innerHTML = text; return false; } catch { return true; } }", PICTURE
    )

    assert refused
