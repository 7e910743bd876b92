"""The audit log: who did what, newest first."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field

from alertd.admin import store
from alertd.admin.access import Permission
from alertd.admin.daemon import Daemon
from alertd.admin.pages import after, page
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import Answer, NoBody, Page, PageParams, Text, Time, When
from alertd.admin.store import DeedFilter, LoggedDeed


class DeedView(Answer):
    """One deed. `before` and `after` hold what changed; `peer` is where the request came from."""

    id: UUID
    at: Time
    actor: str
    action: str
    tenant_id: UUID | None
    object: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    peer: str | None
    request_id: str | None


class DeedListing(PageParams):
    """Which deeds to list."""

    actor: Text | None = None
    action: Annotated[Text | None, Field(description="Such as `key.create` or `login.fail`.")] = None
    object: Annotated[Text | None, Field(description="Such as `key:…` with its id.")] = None
    tenant_id: UUID | None = None
    since: When | None = None
    until: Annotated[When | None, Field(description="Not included.")] = None


async def list_deeds(daemon: Daemon, call: Call[DeedListing, NoBody]) -> Page[DeedView]:
    mark = after(call)
    wanted = DeedFilter(**call.params.model_dump(exclude={"limit", "cursor"}))
    before = None if mark is None else (datetime.fromisoformat(mark[0]), UUID(mark[1]))
    found = await store.deeds_before(daemon.db, before, wanted, limit=call.params.limit + 1)
    return page(call, found, shape=DeedView, mark=_mark)


def _mark(deed: LoggedDeed) -> tuple[str, str]:
    return deed.at.isoformat(), str(deed.id)


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/audit",
        handler=list_deeds,
        permission=Permission.ADMIN,
        summary="What people did, newest first",
        params=DeedListing,
        answer=Page[DeedView],
    ),
)
