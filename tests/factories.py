"""Rows for tests: each function inserts one plausible row and answers its id."""

from datetime import UTC, datetime
from uuid import UUID

from alertd.alerts import store
from alertd.alerts.identity import Identity
from alertd.db import Sql, new_id
from alertd.model import Severity

LONG_AGO = datetime(2025, 6, 1, tzinfo=UTC)


async def tenant(db: Sql, *, name: str = "Acme", paused: bool = False, at: datetime = LONG_AGO) -> UUID:
    tenant_id = new_id()
    await db.execute(
        "INSERT INTO tenants (id, name, paused, created_at) VALUES ($1, $2, $3, $4)",
        tenant_id,
        name,
        paused,
        at,
    )
    return tenant_id


async def webhook(
    db: Sql,
    tenant_id: UUID | None,
    *,
    url: str = "https://hooks.example.com/acme",
    secret: str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    channel: str = "webhook",
    event_type: str = "*",
    event_types: tuple[str, ...] = (),
    active: bool = True,
    at: datetime = LONG_AGO,
) -> UUID:
    """A tenant's endpoint, or with tenant None an operators' notifier; its secret is plain."""
    webhook_id = new_id()
    await db.execute(
        """
        INSERT INTO tenant_webhooks (id, tenant_id, channel, event_type, event_types, webhook_url, webhook_secret,
                                     is_active, disabled_reason, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        webhook_id,
        tenant_id,
        channel,
        event_type,
        list(event_types),
        url,
        secret,
        active,
        None if active else "person",
        at,
    )
    return webhook_id


async def credential(
    db: Sql, tenant_id: UUID, *, exchange: str = "nowhere", label: str = "", at: datetime = LONG_AGO
) -> UUID:
    """A trading key on file, never checked; nothing of it is in a store."""
    credential_id = new_id()
    await db.execute(
        """
        INSERT INTO credentials (id, tenant_id, exchange, credential_type, label, phase, next_check_at, created_at)
        VALUES ($1, $2, $3, 'trading', $4, 0, $5, $5)
        """,
        credential_id,
        tenant_id,
        exchange,
        label,
        at,
    )
    return credential_id


async def alert(
    db: Sql,
    tenant_id: UUID | None,
    *,
    check: str = "credential_health_check",
    subject: str = "",
    exchange: str | None = "okx",
    severity: Severity = Severity.CRITICAL,
    at: datetime = LONG_AGO,
) -> UUID:
    """One that fires, of which nobody was told; without a subject it is one of its own."""
    identity = Identity(tenant_id, check, subject or str(new_id()), "rule")
    opened = await store.put(
        db, identity, severity=severity, details={"reason": "expired"}, exchange=exchange, began_at=at, now=at
    )
    return opened.id
