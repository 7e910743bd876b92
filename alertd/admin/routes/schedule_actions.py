"""Running a scheduled check by hand, and switching it on and off."""

from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from alertd.admin.access import Permission
from alertd.admin.audit import record
from alertd.admin.daemon import Daemon
from alertd.admin.routes.schedule import PATH, Wrapped, wrapped
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import Answer, NoBody, Params, Time
from alertd.alerts.occurrence_store import Occurrence
from alertd.alerts.switch_store import turn
from alertd.db import Tx


class TriggeredView(Answer):
    """A run that somebody asked for, with what it found. A dry one is kept nowhere, and has no id."""

    name: str
    dry: bool
    execution_id: str | None
    requested_by: str
    started_at: Time
    completed_at: Time
    success: bool
    attempt_count: int
    error_message: str | None
    result: dict[str, Any] | None


class SwitchView(Answer):
    """Whether a check is switched on."""

    name: str
    enabled: bool


class CheckPath(Params):
    """One scheduled check."""

    name: str


class TriggerPath(CheckPath):
    """One scheduled check, and how to run it."""

    dry: Annotated[bool, Field(description="Only look: nothing is stored, nobody is told.")] = False


async def trigger_check(daemon: Daemon, call: Call[TriggerPath, NoBody]) -> Wrapped[TriggeredView]:
    """One attempt, to its end. `success` outside is that of the run."""
    name = _known(daemon, call.params.name)
    data = await (_rehearsed if call.params.dry else _triggered)(daemon, call, name)
    return wrapped(call, data, TriggeredView, success=data.success)


async def enable_check(daemon: Daemon, call: Call[CheckPath, NoBody]) -> Wrapped[SwitchView]:
    """What it missed while it was off is not made up for."""
    return await _switched(daemon, call, enabled=True)


async def disable_check(daemon: Daemon, call: Call[CheckPath, NoBody]) -> Wrapped[SwitchView]:
    return await _switched(daemon, call, enabled=False)


async def _triggered(daemon: Daemon, call: Call[TriggerPath, NoBody], name: str) -> TriggeredView:
    async def noted(tx: Tx, occurrence: Occurrence) -> None:
        after = {"execution_id": occurrence.execution_id}
        await record(tx, call, action="schedule.trigger", object=f"schedule:{name}", after=after)

    done = await daemon.executions.trigger(name, call.who.actor, noted=noted)
    if done.finished_at is None:
        raise web.HTTPServiceUnavailable(text=f"{name} ran, and how it went could not be written down.")
    return TriggeredView(
        name=name,
        dry=False,
        execution_id=done.execution_id,
        requested_by=call.who.actor,
        started_at=done.started_at or call.now,
        completed_at=done.finished_at,
        success=bool(done.success),
        attempt_count=done.attempt_count,
        error_message=done.error_message,
        result=None if done.result is None else dict(done.result),
    )


async def _rehearsed(daemon: Daemon, call: Call[TriggerPath, NoBody], name: str) -> TriggeredView:
    ended = await daemon.executions.rehearse(name)
    return TriggeredView(
        name=name,
        dry=True,
        execution_id=None,
        requested_by=call.who.actor,
        started_at=call.now,
        completed_at=daemon.now(),
        success=ended.success,
        attempt_count=ended.attempts,
        error_message=ended.error_message,
        result=None if ended.result is None else dict(ended.result),
    )


async def _switched(daemon: Daemon, call: Call[CheckPath, NoBody], *, enabled: bool) -> Wrapped[SwitchView]:
    name = _known(daemon, call.params.name)
    async with daemon.db.transaction() as tx:
        changed = await turn(tx, name, enabled=enabled, by=call.who.actor, now=call.now)
        await record(
            tx,
            call,
            action="schedule.enable" if enabled else "schedule.disable",
            object=f"schedule:{name}",
            before={"enabled": enabled != changed},
            after={"enabled": enabled},
        )
    return wrapped(call, SwitchView(name=name, enabled=enabled), SwitchView)


def _known(daemon: Daemon, name: str) -> str:
    if name not in daemon.executions.jobs:
        raise web.HTTPNotFound(text="There is no scheduled check of this name.")
    return name


ROUTES: Final = (
    Route(
        method="POST",
        path=f"{PATH}/trigger/{{name}}",
        handler=trigger_check,
        permission=Permission.TRIGGER_MANUAL,
        summary="Run a check now, and wait for how it goes",
        params=TriggerPath,
        answer=Wrapped[TriggeredView],
    ),
    Route(
        method="POST",
        path=f"{PATH}/enable/{{name}}",
        handler=enable_check,
        permission=Permission.ENABLE_DISABLE,
        summary="Switch a check on",
        params=CheckPath,
        answer=Wrapped[SwitchView],
    ),
    Route(
        method="POST",
        path=f"{PATH}/disable/{{name}}",
        handler=disable_check,
        permission=Permission.ENABLE_DISABLE,
        summary="Switch a check off, until somebody switches it on again",
        params=CheckPath,
        answer=Wrapped[SwitchView],
    ),
)
