"""The reference for readers, made from the OpenAPI document."""

import json
from collections.abc import Collection, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

Json = Mapping[str, Any]

_BASE: Final = "http://127.0.0.1:8089"
_UUID: Final = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
_TIME: Final = "2026-01-05T12:00:00Z"
_DEEPEST: Final = 5
# Said once, above the routes.
_EVERYWHERE: Final = frozenset({400, 401, 403, 408, 413, 415, 421, 422, 429, 431, 500, 503})
_HEAD: Final = """\
# The HTTP API

Made from the same table as the server and its [OpenAPI document](openapi.json), by `make docs`.

{about}

A key goes into `X-Alert-API-Key`, or as a token into `Authorization: Bearer`. The examples have the key in `$KEY`.
What must be sent is marked with \\*; a field of a field is written `a.b`, a field of each item `a[].b`.

What any route may answer besides its own statuses:

| status | when |
| --- | --- |
| 400 | the request cannot be understood: broken JSON, a cursor of another list |
| 401, 403, 429 | no key that works, a key that may not, too many wrong keys or too many checks of one tenant |
| 408, 413, 415 | a body that comes too late, is too large, or of another kind |
| 421, 431 | a host that is not served here, an address or header that is too long |
| 422 | values that are wrong; `errors` says where and why |
| 500, 503 | our fault, or not now; the log has more under the request's id |
"""


def page(document: Json) -> str:
    """The document as Markdown, one section for each resource."""
    sections: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            text = "\n".join(_route(document, method.upper(), path, operation))
            sections.setdefault(_resource(path), []).append(text)
    parts = [_HEAD.format(about=document["info"]["description"])]
    parts += [f"## {name.capitalize()}\n\n" + "\n".join(routes) for name, routes in sections.items()]
    return "\n".join(parts)


def _resource(path: str) -> str:
    steps = path.strip("/").split("/")
    return steps[2] if steps[0] == "api" and len(steps) > 2 else "operations"


def _route(document: Json, method: str, path: str, operation: Json) -> Iterator[str]:
    yield f"### {method} {path}\n"
    yield f"{operation['summary']}. {_permission(operation)}\n"
    if rows := [_parameter(document, found) for found in operation.get("parameters", ())]:
        yield "| parameter | in | what | |\n| --- | --- | --- | --- |"
        yield "\n".join(rows) + "\n"
    body = operation.get("requestBody", {}).get("content", {})
    if schema := body.get("application/json", {}).get("schema"):
        kinds = " or ".join(f"`{kind}`" for kind in body)
        items = _resolved(document, schema).get("items")
        title = f"Body, {kinds}:" if items is None else f"Body, {kinds}, a list of:"
        item = schema if items is None else items
        yield from _fields(document, item, title, starred=_resolved(document, item).get("required", ()))
    statuses = {int(status): answer for status, answer in operation["responses"].items()}
    for status, answer in statuses.items():
        yield from _answer(document, status, answer)
    if special := sorted(status for status in statuses if status >= 400 and status not in _EVERYWHERE):
        yield "Also: " + ", ".join(f"{status} {HTTPStatus(status).phrase}" for status in special) + ".\n"
    yield "```sh\n" + _curl(document, method, path, operation) + "\n```\n"


def _permission(operation: Json) -> str:
    needed = operation["x-permission"]
    if needed is None:
        return "Needs no key."
    own = ", or a tenant's own key" if operation["x-tenants"] else ""
    return "Needs any key." if ":" not in needed else f"Needs `{needed}`{own}."


def _parameter(document: Json, found: Json) -> str:
    star = "\\*" if found["required"] else ""
    return f"| `{found['name']}`{star} | {found['in']} | {_kind(document, found['schema'])} | {_said(found)} |"


def _answer(document: Json, status: int, answer: Json) -> Iterator[str]:
    if status == HTTPStatus.NO_CONTENT:
        yield f"Answers {status} with nothing.\n"
    for kind, content in answer.get("content", {}).items():
        if kind != "application/problem+json":
            yield from _fields(document, content.get("schema", {}), f"Answers {status}, `{kind}`:")


def _fields(document: Json, schema: Json, title: str, *, starred: Collection[str] = ()) -> Iterator[str]:
    rows = list(_rows(document, schema, starred=starred))
    yield f"{title}\n" if rows else f"{title.removesuffix(':')}.\n"
    if rows:
        yield "| field | what | |\n| --- | --- | --- |"
        yield "\n".join(rows) + "\n"


def _rows(document: Json, schema: Json, *, starred: Collection[str], lead: str = "", depth: int = 0) -> Iterator[str]:
    """A line for each field, and below it those of the objects in it."""
    resolved = _resolved(document, schema)
    for name, field in resolved.get("properties", {}).items():
        star = "\\*" if f"{lead}{name}" in starred else ""
        yield f"| `{lead}{name}`{star} | {_kind(document, field)} | {_said(field)} |"
        inner, between = _inside(field)
        if depth < _DEEPEST:
            yield from _rows(document, inner, starred=starred, lead=f"{lead}{name}{between}", depth=depth + 1)


def _inside(field: Json) -> tuple[Json, str]:
    """What an object is made of, or the items of a list."""
    for part in field.get("anyOf", (field,)):
        if "items" in part:
            return part["items"], "[]."
        if "$ref" in part:
            return part, "."
    return {}, "."


def _resolved(document: Json, schema: Json) -> Json:
    if "$ref" not in schema:
        return schema
    found: Json = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _said(described: Json) -> str:
    return " ".join(str(described.get("description", "")).split()).replace("|", "\\|")


def _kind(document: Json, schema: Json) -> str:
    """In words: `text`, `list of UUID or null`."""
    schema = _resolved(document, schema)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(document, part) for part in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    match schema.get("type"):
        case "array":
            return f"list of {_kind(document, schema.get('items', {}))}"
        case "string":
            return _text_kind(schema)
        case "integer" | "number" as number:
            return f"{number}{_range(schema)}"
        case "object" if isinstance(schema.get("additionalProperties"), Mapping):
            return f"object of {_kind(document, schema['additionalProperties'])}"
        case None:
            return "anything"
        case other:
            return str(other)


def _text_kind(schema: Json) -> str:
    known = {"uuid": "UUID", "date-time": "time", "date": "date"}
    longest = f", at most {schema['maxLength']}" if "maxLength" in schema else ""
    return known.get(schema.get("format", ""), f"text{longest}")


def _range(schema: Json) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f", {low} to {high}"
    return f", at least {low}" if low is not None else f", at most {high}" if high is not None else ""


def _curl(document: Json, method: str, path: str, operation: Json) -> str:
    for found in operation.get("parameters", ()):
        path = path.replace(f"{{{found['name']}}}", str(_example(document, found["schema"], found["name"])))
    words = ["curl"]
    if method != "GET":
        words.append(f"-X {method}")
    if operation["x-permission"] is not None:
        words.append('-H "X-Alert-API-Key: $KEY"')
    content = operation.get("requestBody", {}).get("content", {})
    if schema := content.get("application/json", {}).get("schema"):
        body = json.dumps(_example(document, schema, ""), ensure_ascii=False).replace("'", "'\\''")
        words.append(f"-H 'Content-Type: application/json' -d '{body}'")
    return " ".join([*words, f"{_BASE}{path}"])


def _example(document: Json, schema: Json, name: str) -> Any:
    """Something that fits: what the schema proposes, or the least that it asks for."""
    schema = _resolved(document, schema)
    if "anyOf" in schema:
        return _example(document, schema["anyOf"][0], name)
    for proposed in (schema.get("examples"), schema.get("enum"), [schema["const"]] if "const" in schema else None):
        if proposed:
            return proposed[0]
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            return {field: _example(document, fields[field], field) for field in schema.get("required", ())}
        case "array":
            return [_example(document, schema.get("items", {}), name)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return _example_text(schema, name)


def _example_text(schema: Json, name: str) -> str:
    by_name = {"exchange": "binance", "leaf": "trading", "api_key": "…"}
    by_format: Mapping[str, str] = {"uuid": _UUID, "date-time": _TIME, "date": _TIME[:10]}
    return by_format.get(str(schema.get("format")), by_name.get(name, name))
