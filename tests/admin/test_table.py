"""The table of routes holds what it promises: documented, closed unless listed as open, and well-typed."""

import inspect
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from alertd.admin.daemon import Daemon
from alertd.admin.openapi import document, rendered
from alertd.admin.routes import TABLE
from alertd.admin.routing import Call, Route

COPY = Path(__file__).parents[2] / "docs" / "openapi.json"

# Everything else needs a key.
OPEN = {
    ("GET", "/-/healthy"),
    ("GET", "/-/ready"),
    ("GET", "/metrics"),  # as metrics.require_auth says
    ("GET", "/openapi.json"),
    ("GET", "/"),  # the dashboard, without data
    ("GET", "/ui/"),
    ("GET", "/ui/{file}"),
    ("GET", "/ui/{folder}/{file}"),
    ("POST", "/api/performance-alerts/auth/login"),
}

every_route = pytest.mark.parametrize("route", TABLE, ids=lambda route: f"{route.method} {route.path}")


def test_every_route_needs_a_permission_or_is_listed_as_open() -> None:
    assert {(route.method, route.path) for route in TABLE if route.permission is None} == OPEN


def test_no_two_routes_are_the_same_or_have_the_same_name() -> None:
    assert len({(route.method, route.path) for route in TABLE}) == len(TABLE)
    assert len({route.name for route in TABLE}) == len(TABLE)


def test_document_has_every_route_and_nothing_else() -> None:
    documented = document(TABLE)["paths"]

    assert {(method.upper(), path) for path in documented for method in documented[path]} == {
        (route.method, route.path.replace(":.*}", "}")) for route in TABLE
    }


def test_copy_in_the_repository_is_the_document() -> None:
    """If not: make docs"""
    assert COPY.read_text(encoding="utf-8") == rendered(document(TABLE))


@every_route
def test_handler_expects_what_the_table_gives_it(route: Route) -> None:
    daemon, call = list(get_type_hints(route.handler).items())[:2]

    assert daemon[1] is Daemon
    assert get_origin(call[1]) is Call
    assert get_args(call[1]) == (route.params, route.body)


@every_route
def test_parameters_of_the_path_are_in_the_model(route: Route) -> None:
    assert route.path_names <= set(route.params.model_fields)


@every_route
def test_route_has_a_summary_and_a_coroutine(route: Route) -> None:
    assert route.summary
    assert inspect.iscoroutinefunction(route.handler)


@every_route
def test_every_reference_of_the_document_leads_somewhere(route: Route) -> None:
    content = document([route])

    assert set(_references(content)) <= {f"#/components/schemas/{name}" for name in content["components"]["schemas"]}


def _references(content: Any) -> list[str]:
    match content:
        case {"$ref": str(reference)}:
            return [reference]
        case dict():
            return [found for value in content.values() for found in _references(value)]
        case list():
            return [found for value in content for found in _references(value)]
        case _:
            return []
