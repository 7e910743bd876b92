"""Endpoints and deliveries through the database itself, beside a daemon or without one; each change is audited.

The only file of the command line that knows about tables: a client of the admin port can take its place.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from alertd.admin import store
from alertd.admin.store import Deed
from alertd.cipher import Cipher, load_or_create_key
from alertd.cli.schema import has_embedded
from alertd.cli.secrets import account_name, check_owner
from alertd.config import Settings
from alertd.credentials.catch_up import send_current_failures
from alertd.db import Db, Sql, Tx, apply_schema, open_db
from alertd.errors import Absent, Refused
from alertd.model import EventType
from alertd.postgres import open_embedded
from alertd.secretstore import ciphertext_exists
from alertd.webhooks import deliveries, endpoints, replay, seals
from alertd.webhooks.addresses import Policy
from alertd.webhooks.deliveries import Delivery, Filter, LoggedAttempt, Page
from alertd.webhooks.dns import Names
from alertd.webhooks.endpoints import Added, Draft, Webhook
from alertd.webhooks.guard import own_addresses, policy_of, review_url
from alertd.webhooks.replay import Selection

POSTGRESQL_PORT: Final = 5432
LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Direct:
    """The database of these settings, and who changes it when."""

    settings: Settings
    dsn: str
    db: Db
    now: datetime

    @property
    def actor(self) -> str:
        return f"command line ({account_name(os.geteuid())})"


@dataclass(frozen=True, slots=True)
class Saved:
    """A new endpoint, how many current failures go to it, and what its owner should know."""

    added: Added
    current: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Logged:
    """A delivery with its attempts, oldest first; `body` where one was asked for."""

    delivery: Delivery
    attempts: Sequence[LoggedAttempt]
    body: bytes | None = None


@asynccontextmanager
async def open_direct(settings: Settings) -> AsyncIterator[Direct]:
    """Raises Absent where there is no database yet, Transient where it does not answer."""
    async with _dsn(settings) as dsn, open_db(dsn, pool_size=2) as db:
        await apply_schema(db)
        yield Direct(settings, dsn, db, datetime.now(UTC))


async def list_webhooks(settings: Settings, tenant_id: UUID | None) -> tuple[Webhook, ...]:
    async with open_direct(settings) as direct:
        found: tuple[Webhook, ...] = ()
        while page := await endpoints.find(direct.db, tenant_id=tenant_id, after=found[-1].id if found else None):
            found += page
        return found


async def add_webhook(settings: Settings, draft: Draft) -> Saved:
    """Raises Refused for a URL, types or headers that cannot be, Absent for a tenant that nobody knows."""
    async with open_direct(settings) as direct:
        names = Names()
        review = await review_url(draft.url, await _policy(direct, names), names)
        await names.close()
        if review.problems:
            raise Refused("The URL " + "; ".join(review.problems))
        reviewed = Draft(draft.tenant_id, review.url, draft.event_types, draft.description, draft.headers)
        cipher = await _cipher(direct)
        async with direct.db.transaction() as tx:
            prefix = settings.webhooks.header_prefix
            added = await endpoints.add(tx, reviewed, cipher=cipher, now=direct.now, prefix=prefix)
            current = await _send_current(direct, tx, added.webhook)
            await _note(direct, tx, "create", added.webhook, after={"url_host": urlsplit(review.url).hostname})
        return Saved(added, current, review.notes)


async def test_webhook(settings: Settings, webhook_id: UUID, *, within: timedelta) -> Logged:
    """Queue a test, and look `within` this time how a daemon fared with it. Raises Absent, Conflict."""
    async with open_direct(settings) as direct:
        async with direct.db.transaction() as tx:
            event_id = await endpoints.test(tx, webhook_id, now=direct.now)
            await _note(direct, tx, "test", await endpoints.get(tx, webhook_id), after={"event_id": event_id})
        until = time.monotonic() + within.total_seconds()
        while True:
            (delivery,) = (await deliveries.page(direct.db, Filter(event_id=event_id), limit=1)).items
            if delivery.state != "pending" or time.monotonic() >= until:
                return await _logged(direct.db, delivery)
            await asyncio.sleep(LOOK_SECONDS)


async def switch_webhook(settings: Settings, webhook_id: UUID, verb: str) -> int:
    """`verb` is enable, disable or reset; answers how many messages were queued, or put aside. Raises Absent."""
    switch = {"enable": endpoints.enable, "disable": endpoints.disable, "reset": endpoints.reset}[verb]
    async with open_direct(settings) as direct, direct.db.transaction() as tx:
        messages = await switch(tx, webhook_id, now=direct.now)
        await _note(direct, tx, verb, await endpoints.get(tx, webhook_id), after={"messages": messages})
        return messages


async def rotate_secret(settings: Settings, webhook_id: UUID, *, overlap: timedelta) -> str:
    """The new secret, for the only time. Raises Absent."""
    async with open_direct(settings) as direct:
        cipher = await _cipher(direct)
        async with direct.db.transaction() as tx:
            secret = await endpoints.rotate_secret(tx, webhook_id, overlap=overlap, cipher=cipher, now=direct.now)
            hours = overlap / timedelta(hours=1)
            await _note(
                direct, tx, "rotate_secret", await endpoints.get(tx, webhook_id), after={"overlap_hours": hours}
            )
        return secret


async def commit_secret(settings: Settings, webhook_id: UUID) -> None:
    """Raises Absent; Conflict where no new secret waits."""
    async with open_direct(settings) as direct, direct.db.transaction() as tx:
        await endpoints.commit_secret(tx, webhook_id)
        await _note(direct, tx, "commit_secret", await endpoints.get(tx, webhook_id))


async def remove_webhook(settings: Settings, webhook_id: UUID) -> None:
    """Raises Absent."""
    async with open_direct(settings) as direct, direct.db.transaction() as tx:
        webhook = await endpoints.get(tx, webhook_id)
        await endpoints.remove(tx, webhook_id)
        await _note(direct, tx, "delete", webhook)


async def list_deliveries(settings: Settings, narrowed: Filter, *, limit: int, cursor: str | None) -> Page:
    """Raises Refused for a cursor that is not one of ours."""
    async with open_direct(settings) as direct:
        return await deliveries.page(direct.db, narrowed, limit=limit, cursor=cursor)


async def show_delivery(settings: Settings, delivery_id: UUID) -> Logged:
    """Raises Absent."""
    async with open_direct(settings) as direct:
        delivery = await deliveries.get(direct.db, delivery_id)
        logged = await _logged(direct.db, delivery)
        return Logged(delivery, logged.attempts, await deliveries.body(direct.db, delivery.event_id))


async def replay_one(settings: Settings, delivery_id: UUID) -> int:
    """Raises Absent, Busy."""
    async with open_direct(settings) as direct, direct.db.transaction() as tx:
        delivery = await deliveries.get(tx, delivery_id)
        await replay.replay_one(tx, delivery_id, now=direct.now)
        await _write(direct, tx, "delivery.replay", f"delivery:{delivery_id}", delivery.tenant_id)
        return 1


async def replay_many(settings: Settings, selection: Selection) -> int:
    """Raises Refused for a state that cannot be replayed."""
    async with open_direct(settings) as direct, direct.db.transaction() as tx:
        queued = await replay.replay(tx, selection, now=direct.now)
        after = {"state": selection.state, "queued": queued}
        await _write(direct, tx, "delivery.replay", "deliveries", selection.tenant_id, after=after)
        return queued


@asynccontextmanager
async def _dsn(settings: Settings) -> AsyncIterator[str]:
    if settings.database.dsn is not None:
        yield settings.database.dsn.get_secret_value()
        return
    if not has_embedded(settings.state_dir):
        raise Absent(f"There is no database in {settings.state_dir} yet; `alertd run` makes one.")
    async with open_embedded(settings.state_dir, attach=True) as dsn:
        yield dsn


async def _cipher(direct: Direct) -> Cipher:
    """Raises ConfigError, as the daemon would, also where a new key file would belong to the wrong account."""
    settings, db = direct.settings, direct.db
    if settings.secrets.encryption_key is None:
        check_owner(settings.state_dir)
    sealed = ciphertext_exists(settings.state_dir) or await seals.any_sealed(db) or await store.any_sealed(db)
    return load_or_create_key(settings.secrets.encryption_key, settings.state_dir, ciphertext_exists=sealed)


async def _policy(direct: Direct, names: Names) -> Policy:
    """Also the addresses of the daemon's admin port and of the database are closed."""
    admin = direct.settings.admin
    authority = urlsplit(direct.dsn).netloc.rpartition("@")[2]
    servers = [urlsplit(f"//{server}") for server in authority.split(",") if server]
    database = [(server.hostname, server.port or POSTGRESQL_PORT) for server in servers if server.hostname]
    own = await own_addresses([(admin.host, admin.port), *database], names)
    return policy_of(direct.settings.webhooks, own)


async def _send_current(direct: Direct, tx: Tx, webhook: Webhook) -> int:
    """Not where the settings keep tenants from hearing anything."""
    if not direct.settings.credentials.notify or not webhook.hears(EventType.CREDENTIAL_FAILED):
        return 0
    return await send_current_failures(tx, webhook.tenant_id, webhook.id, now=direct.now)


async def _logged(db: Db, delivery: Delivery) -> Logged:
    return Logged(delivery, (await deliveries.attempts(db, [delivery.id]))[delivery.id])


async def _note(
    direct: Direct, tx: Sql, verb: str, webhook: Webhook, *, after: Mapping[str, Any] | None = None
) -> None:
    await _write(direct, tx, f"webhook.{verb}", f"webhook:{webhook.id}", webhook.tenant_id, after=after)


async def _write(
    direct: Direct, tx: Sql, action: str, thing: str, tenant_id: UUID | None, *, after: Mapping[str, Any] | None = None
) -> None:
    await store.add_deed(tx, Deed(direct.now, direct.actor, action, thing, tenant_id, after=after))
