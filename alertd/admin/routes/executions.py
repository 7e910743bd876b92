"""What ran at its time, what was missed, and what people ran by hand."""

from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field

from alertd.admin.access import Permission
from alertd.admin.daemon import Daemon
from alertd.admin.pages import after, page
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import Answer, NoBody, Page, PageParams, Time, When, Word
from alertd.alerts import execution_listing
from alertd.alerts.execution_listing import Execution, Filter, Source, State


class ExecutionView(Answer):
    """One run of a scheduled check, or in the state `missed` the `missed_count` runs that nobody made.

    `success` null: it is under way. To have run and had too little data to judge by is no success either.
    `interrupted`: its process died.
    """

    id: UUID
    execution_id: str
    name: str
    scheduled_at: Time
    source: Source
    requested_by: str | None
    state: State
    success: bool | None
    started_at: Time | None
    completed_at: Time | None
    attempt_count: int
    missed_count: int
    error_message: str | None
    result: dict[str, Any] | None


class ExecutionListing(PageParams):
    """Which runs to list. The time is the one that was set for a run."""

    name: Word | None = None
    state: State | None = None
    source: Source | None = None
    since: When | None = None
    until: Annotated[When | None, Field(description="Not included.")] = None


async def list_executions(daemon: Daemon, call: Call[ExecutionListing, NoBody]) -> Page[ExecutionView]:
    params, mark = call.params, after(call)
    wanted = Filter(params.name, params.state, params.source, params.since, params.until)
    found = await execution_listing.executions_before(
        daemon.db, None if mark is None else UUID(mark[0]), wanted, limit=params.limit + 1
    )
    views = [_view(execution) for execution in found]
    return page(call, views, shape=ExecutionView, mark=lambda shown: (str(shown.id),))


def _view(execution: Execution) -> ExecutionView:
    return ExecutionView(
        id=execution.id,
        execution_id=execution.execution_id,
        name=execution.schedule,
        scheduled_at=execution.scheduled_at,
        source=execution.source,
        requested_by=execution.requested_by,
        state=execution.state,
        success=execution.success,
        started_at=execution.started_at,
        completed_at=execution.finished_at,
        attempt_count=execution.attempt_count,
        missed_count=execution.missed_count,
        error_message=execution.error_message,
        result=None if execution.result is None else dict(execution.result),
    )


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/executions",
        handler=list_executions,
        permission=Permission.VIEW_HISTORY,
        summary="Runs of the scheduled checks, newest first",
        params=ExecutionListing,
        answer=Page[ExecutionView],
    ),
)
