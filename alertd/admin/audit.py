"""Who did what, written in the same transaction as the deed: neither stands without the other."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from alertd.admin import store
from alertd.admin.idempotency_store import mark_done
from alertd.admin.routing import Call
from alertd.admin.store import Deed
from alertd.db import Sql


async def record(
    tx: Sql,
    call: Call[Any, Any],
    *,
    action: str,
    object: str,  # noqa: A002 - the published name of the column
    tenant_id: UUID | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """`action` is `thing.verb`, `object` is `thing:id`; `before` and `after` are JSON, and hold no secret."""
    deed = Deed(
        at=call.now,
        actor=call.who.actor,
        action=action,
        object=object,
        tenant_id=tenant_id,
        before=before,
        after=after,
        peer=call.peer,
        request_id=call.request_id,
    )
    await store.add_deed(tx, deed)
    if call.claim is not None:
        await mark_done(tx, call.claim)
