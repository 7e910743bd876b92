"""API keys: made, listed, revoked. The key itself is in one answer and nowhere else."""

from datetime import datetime
from typing import Annotated, Final, Literal, Self
from uuid import UUID

from aiohttp import web
from pydantic import Field, model_validator

from alertd.admin import store
from alertd.admin.access import Identity, Permission, Role
from alertd.admin.audit import record
from alertd.admin.daemon import Daemon
from alertd.admin.keys import NewKey, digest, new_key
from alertd.admin.pages import after, page
from alertd.admin.problems import absent, wrong
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import Answer, Body, Name, NoBody, NoParams, Page, PageParams, Params, Time, When
from alertd.admin.store import StoredKey
from alertd.db import new_id


class KeyWish(Body):
    """A tenant's key has the role `tenant` and names the tenant; the other roles see all tenants."""

    role: Literal["viewer", "operator", "admin", "tenant"]
    name: Name
    tenant_id: UUID | None = None
    expires_at: Annotated[When | None, Field(description="Without it the key works until it is revoked.")] = None

    @model_validator(mode="after")
    def _tenant_fits(self) -> Self:
        if (self.role == "tenant") != (self.tenant_id is not None):
            raise ValueError("the role tenant and tenant_id go together")
        return self


class KeyView(Answer):
    """A key without its secret. `source` says whether it is one of the settings, which only they can change."""

    id: str
    name: str
    role: str
    prefix: str | None
    tenant_id: UUID | None
    source: Literal["stored", "settings"]
    created_by: str | None
    created_at: Time | None
    expires_at: Time | None
    last_used_at: Time | None
    revoked_at: Time | None


class CreatedKey(KeyView):
    """A new key, with its text for the only time."""

    key: Annotated[str, Field(repr=False)]


class KeyListing(PageParams):
    """Which keys to list."""

    tenant_id: UUID | None = None
    revoked: Annotated[bool, Field(description="Also those that were revoked.")] = False


class KeyPath(Params):
    """One key."""

    id: UUID


async def list_keys(daemon: Daemon, call: Call[KeyListing, NoBody]) -> Page[KeyView]:
    """Keys of the settings come first, then the newest."""
    mark = after(call)
    found: list[KeyView] = []
    if call.params.tenant_id is None:
        names = [_of_settings(who) for who in daemon.gate.keyring.configured]
        found = names if mark is None else [view for view in names if mark[0] == "settings" and view.id > mark[1]]
    newest = UUID(mark[1]) if mark is not None and mark[0] == "stored" else None
    stored = await store.keys_after(
        daemon.db,
        newest,
        limit=call.params.limit + 1,
        tenant_id=call.params.tenant_id,
        revoked=call.params.revoked,
    )
    found += [_view(key) for key in stored]
    return page(call, found, shape=KeyView, mark=lambda view: (view.source, view.id))


async def create_key(daemon: Daemon, call: Call[NoParams, KeyWish]) -> CreatedKey:
    wish = call.body
    if wish.expires_at is not None and wish.expires_at <= call.now:
        raise wrong("/expires_at", "must be in the future")
    made = new_key()
    row = _row(made, wish, daemon.secret.pepper, by=call.who.actor, now=call.now)
    async with daemon.db.transaction() as tx:
        await store.add_key(tx, row)
        await record(
            tx,
            call,
            action="key.create",
            object=f"key:{row.id}",
            tenant_id=row.tenant_id,
            after={"name": row.name, "role": str(row.role), "prefix": row.lookup},
        )
    return CreatedKey(**dict(_view(row)), key=made.text)


async def revoke_key(daemon: Daemon, call: Call[KeyPath, NoBody]) -> None:
    """A key of the settings has no UUID, so it is not found here."""
    key_id = call.params.id
    async with daemon.db.transaction() as tx:
        admins = await store.working_admins(tx, call.now)
        if admins == [key_id] and not _admin_by_settings(daemon):
            raise web.HTTPConflict(text="This is the last admin key that works; make another one first.")
        key = await store.revoke_key(tx, key_id, by=call.who.actor, now=call.now)
        if key is None:
            raise absent("key")
        await record(
            tx,
            call,
            action="key.revoke",
            object=f"key:{key_id}",
            tenant_id=key.tenant_id,
            before={"name": key.name, "role": str(key.role), "prefix": key.lookup},
        )


def _admin_by_settings(daemon: Daemon) -> bool:
    return not daemon.gate.enabled or any(who.role is Role.ADMIN for who in daemon.gate.keyring.configured)


def _row(made: NewKey, wish: KeyWish, pepper: bytes, *, by: str, now: datetime) -> StoredKey:
    return StoredKey(
        id=new_id(),
        lookup=made.lookup,
        digest=digest(made.text, pepper),
        role=Role(wish.role),
        name=wish.name,
        tenant_id=wish.tenant_id,
        created_by=by,
        created_at=now,
        expires_at=wish.expires_at,
        last_used_at=None,
        revoked_at=None,
    )


def _view(key: StoredKey) -> KeyView:
    return KeyView(
        id=str(key.id),
        name=key.name,
        role=str(key.role),
        prefix=key.lookup,
        tenant_id=key.tenant_id,
        source="stored",
        created_by=key.created_by,
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
    )


def _of_settings(who: Identity) -> KeyView:
    return KeyView(
        id=who.user_id,
        name=who.username,
        role=str(who.role),
        prefix=None,
        tenant_id=None,
        source="settings",
        created_by=None,
        created_at=None,
        expires_at=None,
        last_used_at=who.last_used,
        revoked_at=None,
    )


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/keys",
        handler=list_keys,
        permission=Permission.ADMIN,
        summary="All API keys, without their secrets",
        params=KeyListing,
        answer=Page[KeyView],
    ),
    Route(
        method="POST",
        path="/api/v1/keys",
        handler=create_key,
        permission=Permission.ADMIN,
        summary="A new API key; its text is shown this once",
        body=KeyWish,
        answer=CreatedKey,
        status=201,
        refusals=(404,),
    ),
    Route(
        method="DELETE",
        path="/api/v1/keys/{id}",
        handler=revoke_key,
        permission=Permission.ADMIN,
        summary="Revoke a key; it and its tokens stop working at once",
        params=KeyPath,
        status=204,
        refusals=(404, 409),
    ),
)
