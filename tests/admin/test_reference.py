"""The page for readers says what the document says."""

import re
from pathlib import Path

import pytest

from alertd.admin.openapi import document
from alertd.admin.reference import page
from alertd.admin.routes import TABLE
from alertd.admin.routing import Route

COPY = Path(__file__).parents[2] / "docs" / "api.md"
PAGE = page(document(TABLE))


def test_page_in_the_repository_is_the_reference() -> None:
    """If not: make docs"""
    assert COPY.read_text(encoding="utf-8") == PAGE


@pytest.mark.parametrize("route", TABLE, ids=lambda route: f"{route.method} {route.path}")
def test_route_has_its_section_with_an_example(route: Route) -> None:
    [section] = re.findall(rf"^### {route.method} {re.escape(route.path)}\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S)

    assert route.summary in section
    assert len(re.findall(r"^curl .*http://127\.0\.0\.1:8089/", section, re.M)) == 1


def test_fields_of_items_and_statuses_of_its_own_are_named() -> None:
    [section] = re.findall(r"^### POST /api/v1/keys\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S)

    assert "| `role`\\* | `viewer`, `operator`, `admin`, `tenant` |" in section
    assert "Answers 201, `application/json`:" in section
    assert "409 Conflict" in section
    assert "| `items[].verdict` | `valid`, `invalid`, `inconclusive` or null |" in PAGE
    assert "| `items[].last_used_at` | time or null |" in PAGE


def test_page_names_no_other_host() -> None:
    hosts = set(re.findall(r"https?://([^/\s'\"`)]+)", PAGE))

    assert {host for host in hosts if not host.endswith(("127.0.0.1:8089", "example.com"))} == set()
