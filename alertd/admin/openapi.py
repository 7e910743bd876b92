"""The OpenAPI 3.1 document, made from the table of routes: what is checked and what is written are one."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final, cast

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from alertd import __version__
from alertd.admin import problems
from alertd.admin.bodies import CSV, JSON, CsvBody
from alertd.admin.routing import Route
from alertd.admin.shapes import PLAIN, Answer

_PRINTABLE: Final = r"^[^\x00-\x1f]*$"

Json = dict[str, Any]
Named = Mapping[tuple[type[BaseModel], JsonSchemaMode], Json]

_KEY: Final = "api_key"
_TOKEN: Final = "token"  # noqa: S105 - a name in the document
_ABOUT: Final = """\
Times are UTC with `Z`. Lists are pages: `next_cursor`, sent as `cursor`, leads to the next one. What answers GET
answers HEAD. A POST that needs a key takes an `Idempotency-Key` and is then carried out once, for a day; should its
answer be lost in a crash, 409 says so. Errors are `application/problem+json`; every answer has an `X-Request-Id`."""


class FlawView(Answer):
    """One wrong value: a JSON pointer into the body, or a parameter's name, and what would be right."""

    where: str
    detail: str


class Problem(BaseModel):
    """What went wrong (RFC 9457). `errors` is there for 422; the last two where an exchange was asked about a key."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None = None
    errors: list[FlawView] | None = None
    reason: str | None = None
    what_to_do: str | None = None


def document(table: Iterable[Route], *, key_header: str = "X-Alert-API-Key") -> Json:
    routes = list(table)
    models = {pair: None for route in routes for pair in _models(route)} | {(Problem, "serialization"): None}
    schemas, definitions = models_json_schema(list(models), ref_template="#/components/schemas/{model}")
    named = cast("Named", schemas)
    paths: Json = {}
    for route in routes:
        paths.setdefault(_plain_path(route.path), {})[route.method.lower()] = _operation(route, named)
    return {
        "openapi": "3.1.0",
        "info": {"title": "alertd", "version": __version__, "description": _ABOUT, "license": {"name": "Apache-2.0"}},
        "security": [{_KEY: []}, {_TOKEN: []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(definitions.get("$defs", {}).items())),
            "securitySchemes": {
                _KEY: {"type": "apiKey", "in": "header", "name": key_header},
                _TOKEN: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


def rendered(content: Json) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _models(route: Route) -> Iterator[tuple[type[BaseModel], JsonSchemaMode]]:
    if route.takes_body:
        yield route.body, "validation"
    for model in (route.answer, *route.others.values()):
        if model is not None:
            yield model, "serialization"


def _operation(route: Route, named: Named) -> Json:
    needed = route.permission
    operation: Json = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.handler.__module__.rpartition(".")[2]],
        "x-permission": needed,
        "x-tenants": route.tenant_scoped,
    }
    if needed is None:
        operation["security"] = []
    if parameters := list(_parameters(route)):
        operation["parameters"] = parameters
    if route.takes_body:
        operation["requestBody"] = _request_body(route, named)
    operation["responses"] = _responses(route, named)
    return operation


def _parameters(route: Route) -> Iterator[Json]:
    schema = _inlined(route.params.model_json_schema())
    for name, described in schema.get("properties", {}).items():
        in_path = name in route.path_names
        yield {
            "name": name,
            "in": "path" if in_path else "query",
            "required": in_path or name in schema.get("required", []),
            **({"description": described["description"]} if "description" in described else {}),
            "schema": _printable(
                {key: value for key, value in described.items() if key not in {"title", "description"}}
            ),
        }
    if route.remembered:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }


def _printable(schema: Json) -> Json:
    """What the address may hold: no text in it has control characters, line breaks among them."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [_printable(part) for part in schema["anyOf"]]}
    free = schema.get("type") == "string" and not schema.keys() & {"format", "enum", "const"}
    return {**schema, "pattern": _PRINTABLE} if free and schema.get("pattern", PLAIN) == PLAIN else schema


def _inlined(schema: Json) -> Json:
    """With definitions in the place of references to them: parameters stand by themselves in the document."""
    definitions = schema.pop("$defs", {})

    def inline(part: Any) -> Any:
        match part:
            case {"$ref": str(reference)}:
                return inline(definitions[reference.rpartition("/")[2]])
            case dict():
                return {name: inline(value) for name, value in part.items()}
            case list():
                return [inline(value) for value in part]
            case _:
                return part

    return cast("Json", inline(schema))


def _request_body(route: Route, named: Named) -> Json:
    content: Json = {JSON: {"schema": named[route.body, "validation"]}}
    if issubclass(route.body, CsvBody):
        content[CSV] = {"schema": {"type": "string"}}
    return {"required": _needs_something(route), "content": content}


def _needs_something(route: Route) -> bool:
    """An empty body counts as an empty object."""
    try:
        route.body.model_validate_json(b"{}")
    except ValidationError:
        return True
    return False


def _responses(route: Route, named: Named) -> Json:
    answers = {route.status: route.answer, **route.others}
    responses = {str(status): _answer(status, model, named, route.media_type) for status, model in answers.items()}
    for status in sorted(set(_refusals(route)) - set(answers)):
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {problems.CONTENT_TYPE: {"schema": named[Problem, "serialization"]}},
        }
    return responses


def _answer(status: int, model: type[BaseModel] | None, named: Named, media_type: str) -> Json:
    described: Json = {"description": HTTPStatus(status).phrase}
    if model is not None:
        described["content"] = {JSON: {"schema": named[model, "serialization"]}}
    elif status != HTTPStatus.NO_CONTENT:
        described["content"] = {media_type: {}}
    return described


def _refusals(route: Route) -> Iterator[int]:
    """What any route of this kind may answer."""
    yield from (400, 421, 422, 431, 500, 503)
    yield from route.refusals
    if route.permission is not None:
        yield from (401, 403, 429)
    if "{" in route.path:
        yield route.bad_path
    if route.tenant_scoped and "tenant_id" in {*route.params.model_fields, *route.body.model_fields}:
        yield 404  # somebody else's
    if route.takes_body:
        yield from (408, 413, 415)
    if route.remembered:
        yield 409


def _plain_path(path: str) -> str:
    """Without the patterns that aiohttp knows: `{rest:.*}` is `{rest}`."""
    return re.sub(r"\{(\w+):[^}]*\}", r"{\1}", path)
