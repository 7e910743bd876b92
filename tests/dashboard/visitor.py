"""A person at the dashboard, in a real browser. Whatever the browser complains of is written down."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from shutil import which
from typing import Any, Literal

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import ConsoleMessage, Locator, Page, Request, async_playwright, expect

# Nothing of Chromium's own goes out, and no process is sandboxed where everybody is root.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
PATIENCE = 15_000
GRAVE = {"serious", "critical"}

expect.set_options(timeout=PATIENCE)


@dataclass
class Visitor:
    """`faults` are errors on the console, broken scripts, dialogs that opened by themselves, and requests elsewhere."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)

    async def sign_in(self, key: str) -> None:
        await self.page.goto(f"{self.url}/")
        await self.page.get_by_label("API key").fill(key)
        await self.page.get_by_role("button", name="Sign in").click()
        await expect(self.menu).to_be_visible()

    @property
    def menu(self) -> Locator:
        return self.page.get_by_role("navigation", name="Pages")

    @property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    def button(self, name: str, *, exact: bool = True) -> Locator:
        return self.page.get_by_role("button", name=name, exact=exact)

    def said(self, text: str) -> Locator:
        """A note that the page shows for a few seconds."""
        return self.page.locator(".note-card").filter(has_text=text)

    async def go(self, place: str) -> None:
        """To a page by its address, until it has shown what it knows."""
        await self.page.goto(f"{self.url}/#/{place}")
        await self.settled()

    async def settled(self) -> None:
        await expect(self.heading).to_be_visible()
        await expect(self.page.get_by_text("Loading …")).to_have_count(0)

    async def pages(self) -> Sequence[str]:
        """What the menu offers."""
        names = await self.menu.get_by_role("link").locator("span:not(.count)").all_inner_texts()
        return [name for name in names if name]

    async def walk(self) -> Mapping[str, str]:
        """Through the whole menu; the heading of each page."""
        seen = {}
        for name in await self.pages():
            await self.menu.get_by_role("link").filter(has_text=name).first.click()
            await expect(self.page).to_have_title(f"{name} · alertd")
            await self.settled()
            seen[name] = await self.heading.inner_text()
        return seen

    async def barriers(self, places: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """What keeps people out, by the pages where it is."""
        found = {}
        for place in places:
            await self.go(place)
            found[place] = await self.barriers_here()
        return {place: each for place, each in found.items() if each}

    async def barriers_here(self) -> Sequence[str]:
        results = await Axe().run(self.page, options={"resultTypes": ["violations"]})
        violations: list[dict[str, Any]] = results.response["violations"]
        return [
            f"{one['id']}: {node['target']} {node['any'][:1]}"
            for one in violations
            if one["impact"] in GRAVE
            for node in one["nodes"][:2]
        ]

    async def overflows(self, places: Sequence[str]) -> Sequence[str]:
        """Pages that are wider than the screen."""
        wide = []
        for place in places:
            await self.go(place)
            if await self.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append(place)
        return wide

    async def offered(self, places: Sequence[str]) -> set[str]:
        """What can be done on these pages, by what stands on the buttons."""
        found = set()
        for place in places:
            await self.go(place)
            found |= set(await self.page.locator("#main").get_by_role("button").all_inner_texts())
        return found

    async def read(self, places: Sequence[str]) -> str:
        """All that stands on these pages."""
        texts = []
        for place in places:
            await self.go(place)
            texts.append(await self.page.locator("#main").inner_text())
        return "\n".join(texts)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def focus_on(self, name: str, *, most: int = 80) -> str:
        """Tab until something with this text has the focus. What has it at the end."""
        focused = ""
        for _ in range(most):
            focused = await self.page.evaluate(
                "(document.activeElement.ariaLabel || document.activeElement.innerText || '').trim()"
            )
            if focused.startswith(name):
                return focused
            await self.page.keyboard.press("Tab")
        return focused


@asynccontextmanager
async def visiting(
    url: str, *, size: Mapping[str, int] = DESK, scheme: Literal["light", "dark"] = "light"
) -> AsyncIterator[Visitor]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=which("chromium"), args=list(ARGUMENTS))
        context = await browser.new_context(
            viewport={"width": size["width"], "height": size["height"]}, color_scheme=scheme, reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE)
        visitor = Visitor(await context.new_page(), url)
        _watch(visitor)
        yield visitor
        await browser.close()


def _watch(visitor: Visitor) -> None:
    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            visitor.faults.append(f"console: {message.text}")

    def asked(request: Request) -> None:
        if not request.url.startswith(f"{visitor.url}/"):
            visitor.faults.append(f"elsewhere: {request.url}")

    async def opened(dialog: Any) -> None:
        visitor.faults.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    visitor.page.on("console", heard)
    visitor.page.on("pageerror", lambda error: visitor.faults.append(f"broke: {error}"))
    visitor.page.on("request", asked)
    visitor.page.on("dialog", opened)
