"""A small table of routes for the tests of what surrounds all routes."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, JsonValue

from alertd.admin.access import ANY_KEY, Permission
from alertd.admin.audit import record
from alertd.admin.bodies import CsvBody
from alertd.admin.daemon import Daemon
from alertd.admin.pages import after, page
from alertd.admin.problems import absent, wrong
from alertd.admin.routing import Call, Reply, Route
from alertd.admin.shapes import Answer, Body, Name, NoBody, NoParams, Page, PageParams, Params, Text, Time, When
from alertd.errors import Absent, Busy, Conflict, Transient

COUNTS = {"done": 0}


class Echo(Body):
    """All kinds of values."""

    text: Text = ""
    name: Name | None = None
    number: Annotated[int, Field(ge=0, le=10)] = 0
    share: float = 0.0
    flag: bool = False
    id: UUID | None = None
    at: When | None = None
    anything: JsonValue = None
    items: Annotated[tuple[int, ...], Field(max_length=3)] = ()


class Echoed(Answer):
    text: str
    at: Time | None


class Rows(CsvBody):
    """Numbers, as JSON or one on each line."""

    numbers: Annotated[list[int], Field(max_length=1_000_000)]

    @classmethod
    def from_csv(cls, text: str) -> Self:
        if not text.strip().replace("\n", "").isdecimal():
            raise wrong("line 1", "must be a number")
        return cls(numbers=[int(line) for line in text.split()])


class Sum(Answer):
    sum: int


class Seen(Answer):
    id: str
    scope: UUID | None = None
    done: int = 0


class SeenPath(Params):
    id: UUID
    hours: Annotated[int, Field(ge=1, le=168)] = 1
    since: When | None = None
    text: Text | None = None
    flag: bool = False


class HoursPath(Params):
    hours: Annotated[int, Field(ge=1, le=168)]


class Number(Answer):
    number: int


class Fault(Params):
    name: str


class OfTenant(PageParams):
    tenant_id: UUID | None = None


async def echo(_daemon: Daemon, call: Call[NoParams, Echo]) -> Echoed:
    return Echoed(text=call.body.text, at=call.body.at)


async def add_up(_daemon: Daemon, call: Call[NoParams, Rows]) -> Sum:
    return Sum(sum=sum(call.body.numbers))


async def see(_daemon: Daemon, call: Call[SeenPath, NoBody]) -> Seen:
    return Seen(id=str(call.params.id), scope=call.scope)


async def see_hours(_daemon: Daemon, call: Call[HoursPath, NoBody]) -> Number:
    return Number(number=call.params.hours)


async def list_numbers(_daemon: Daemon, call: Call[OfTenant, NoBody]) -> Page[Number]:
    call.within(call.params.tenant_id)
    mark = after(call)
    first = 0 if mark is None else int(mark[0]) + 1
    found: Sequence[Number] = [Number(number=number) for number in range(first, 10)][: call.params.limit + 1]
    return page(call, found, shape=Number, mark=lambda item: (str(item.number),))


async def list_others(daemon: Daemon, call: Call[OfTenant, NoBody]) -> Page[Number]:
    return await list_numbers(daemon, call)


async def do(daemon: Daemon, call: Call[NoParams, Echo]) -> Reply:
    COUNTS["done"] += 1
    if call.body.text == "missing":
        raise absent("thing")
    if call.body.text == "slow":
        await asyncio.Event().wait()
    if call.body.text == "recorded":
        async with daemon.db.transaction() as tx:
            await record(tx, call, action="probe.do", object="probe")
        raise RuntimeError("between the deed and its answer")
    return Reply(Seen(id=call.body.text, done=COUNTS["done"]), status=201, headers={"Location": "/done"})


async def fail(_daemon: Daemon, call: Call[Fault, NoBody]) -> None:
    raise {
        "absent": Absent("There is no thing with this id."),
        "busy": Busy("A sweep is running."),
        "conflict": Conflict("INSERT INTO secrets at host/db"),
        "transient": Transient("SELECT 1 at host/db: connection refused"),
        "bug": RuntimeError("inner detail"),
    }[call.params.name]


async def see_own(_daemon: Daemon, call: Call[SeenPath, NoBody]) -> Seen:
    call.own(call.params.id, "thing")
    return Seen(id=str(call.params.id), scope=call.scope)


def _post(path: str, handler: Any, body: type[Body], answer: type[Answer], **rest: Any) -> Route:
    return Route(
        method="POST",
        path=path,
        handler=handler,
        permission=Permission.VIEW_STATUS,
        summary="Probe",
        body=body,
        answer=answer,
        **rest,
    )


def _get(path: str, handler: Any, params: type[Params], answer: Any, **rest: Any) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        permission=ANY_KEY,
        summary="Probe",
        params=params,
        answer=answer,
        **rest,
    )


PROBES = (
    _post("/echo", echo, Echo, Echoed),
    _post("/rows", add_up, Rows, Sum, max_bytes=2_000_000),
    _post("/do", do, Echo, Seen, status=201, refusals=(404,)),
    _get("/see/{id}", see, SeenPath, Seen),
    _get("/own/{id}", see_own, SeenPath, Seen, tenant_scoped=True),
    _get("/hours/{hours}", see_hours, HoursPath, Number, bad_path=400),
    _get("/numbers", list_numbers, OfTenant, Page[Number], tenant_scoped=True),
    _get("/others", list_others, OfTenant, Page[Number]),
    _get("/fail/{name}", fail, Fault, None),
)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
