"""The dashboard's files: all there, nothing inline, nothing from elsewhere, and nothing else of the disk."""

import re
from collections.abc import Iterator
from importlib.resources import files
from posixpath import join, normpath

import pytest

from alertd.admin.dashboard import listed, shell
from tests.admin.port import Port

PAGE = shell(signing_in=True).content.decode()
OURS = {path: file.content.decode() for path, file in listed().items() if not path.startswith("vendor/")}
SCRIPTS = {path: file.content.decode() for path, file in listed().items() if path.endswith(".js")}

IMPORT = re.compile(r'(?:from|import)\s*"(\.{1,2}/[^"]+)"')
ADDRESS = re.compile(r"(?:https?:)?//[\w.-]+\.\w{2,}")
# What is written for people, and the name of a format.
WRITTEN = {"//hooks.example.com", "//www.w3.org"}
STRANGE = (
    "none.js",
    "index.html",
    "__init__.py",
    "pages/",
    "pages/none.js",
    "..%2f..%2fapi.py",
    "vendor/README.md",
    "%00",
)


def imports(path: str) -> Iterator[str]:
    for target in IMPORT.findall(SCRIPTS[path]):
        yield normpath(join(path, "..", target))


async def test_the_page_is_served_at_both_addresses(port: Port) -> None:
    first, below = [await port.ask("GET", path, key=None) for path in ("/", "/ui/")]

    assert first.headers["Content-Type"] == "text/html; charset=utf-8"
    assert (first.text, below.text) == (PAGE, PAGE)


async def test_no_script_may_be_inline_or_from_elsewhere(port: Port) -> None:
    answer = await port.ask("GET", "/", key=None)

    policy = answer.headers["Content-Security-Policy"].split("; ")

    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'", "trusted-types 'none'"} <= set(policy)
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


async def test_each_file_is_served_as_what_it_is(port: Port) -> None:
    answers = {path: await port.ask("GET", f"/ui/{path}", key=None) for path in listed()}

    assert {path: (answer.text.encode(), answer.headers["Content-Type"]) for path, answer in answers.items()} == {
        path: (file.content, f"{file.media_type}; charset=utf-8") for path, file in listed().items()
    }
    assert {answer.headers["X-Content-Type-Options"] for answer in answers.values()} == {"nosniff"}


async def test_who_has_a_file_already_gets_nothing(port: Port) -> None:
    first = await port.ask("GET", "/ui/app.js", key=None)

    again = await port.ask("GET", "/ui/app.js", key=None, headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status, again.text) == (304, "")


async def test_nothing_else_is_there(port: Port) -> None:
    answers = [await port.ask("GET", f"/ui/{path}", key=None) for path in STRANGE]

    assert {answer.status for answer in answers} <= {400, 404}


@pytest.mark.parametrize("path", SCRIPTS)
def test_every_import_is_there(path: str) -> None:
    assert set(imports(path)) <= set(SCRIPTS)


def test_every_script_is_used() -> None:
    used = {target for path in SCRIPTS for target in imports(path)} | {"app.js"}

    assert used == set(SCRIPTS)


@pytest.mark.parametrize("path", OURS)
def test_nothing_is_from_elsewhere(path: str) -> None:
    assert set(ADDRESS.findall(OURS[path].replace("https:", "").replace("http:", ""))) <= WRITTEN


@pytest.mark.parametrize("path", [path for path in OURS if path.endswith(".js")])
def test_no_text_becomes_markup_or_script(path: str) -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function|dangerouslySet|style=\""

    assert re.findall(forbidden, OURS[path]) == []


def test_nothing_is_inline_in_the_page() -> None:
    assert re.findall(r"<script(?![^>]*src=)|<style|\son\w+=|style=", PAGE) == []


def test_without_authentication_the_page_asks_for_no_key() -> None:
    assert b'data-signing-in="no"' in shell(signing_in=False).content
    assert b'data-signing-in="yes"' in shell(signing_in=True).content


def test_licences_go_with_what_others_wrote() -> None:
    vendor = files("alertd.admin.dashboard") / "vendor"

    assert {each.name for each in vendor.iterdir()} >= {"preact.LICENSE", "htm.LICENSE", "README.md"}
