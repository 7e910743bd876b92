"""What the dashboard shows in the tests: two tenants, keys in every state, alerts, a message that failed, a silence.

Whatever somebody else may have written is hostile here.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from alertd.alerts import silence_store
from alertd.alerts.silences import Silence
from alertd.credentials import sweep_store
from alertd.credentials.sweep_store import Origin, SweepState, Tally
from alertd.db import Db, new_id
from alertd.model import CredentialRef, CredentialType
from alertd.secretstore import SecretStore
from alertd.webhooks.message import new_event_id
from tests import factories

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

# Each would show itself: as `window.pwned`, as a dialog of the browser, or as a request to elsewhere.
SCRIPT = "<script>window.pwned = 1</script>"
PICTURE = '<img src="https://evil.example/x" onerror="window.pwned = 2">'
ATTRIBUTE = '" onmouseover="window.pwned = 3" autofocus onfocus="alert(1)'
LINK = "javascript:window.pwned=4"
TURNED = "abc\u202egnp.exe\u0000".replace("\u0000", "\x07")


@dataclass(frozen=True)
class Scene:
    """Where things are, for addresses of pages."""

    tenant: UUID
    other: UUID
    failing: str
    alert: UUID
    hostile_alert: UUID
    delivery: UUID
    webhook: UUID


async def set_up(db: Db, secrets: SecretStore, now: datetime) -> Scene:
    tenant = await factories.tenant(db, name="Acme Capital")
    other = await factories.tenant(db, name=f"Borealis {SCRIPT}")
    good = await factories.credential(db, tenant, exchange="kraken", at=now)
    await judge(db, good, "valid", "ok", now, warnings=["can_withdraw"])
    bad = await factories.credential(db, tenant, exchange="nowhere", at=now)
    await judge(db, bad, "invalid", "ip_restricted", now, streak=4)
    await secrets.write(CredentialRef(tenant, "nowhere", CredentialType.TRADING), {"api_key": "k", "api_secret": "s"})
    foreign = await factories.credential(db, other, exchange=PICTURE, label="main", at=now)
    await judge(db, foreign, "inconclusive", "exchange_down", now)
    alert = await fire(db, tenant, str(bad), now, exchange="nowhere", details=_of_key("nowhere", "ip_restricted"))
    hostile = await fire(db, other, SCRIPT, now, exchange=PICTURE, details={"message": ATTRIBUTE}, check=LINK)
    webhook = await factories.webhook(db, tenant)
    await db.execute(
        """
        UPDATE tenant_webhooks
        SET circuit = 'open', circuit_until = $2, consecutive_failures = 12, description = $3
        WHERE id = $1
        """,
        webhook,
        now + HOUR,
        PICTURE,
    )
    delivery = await send(db, tenant, webhook, now, answer=f"{SCRIPT} {PICTURE} {TURNED}")
    await send(db, other, await factories.webhook(db, other), now, answer="")
    await _silence(db, now)
    await _sweep(db, now)
    return Scene(tenant, other, f"credentials/{tenant}/nowhere/trading", alert, hostile, delivery, webhook)


def _of_key(exchange: str, reason: str) -> dict[str, str]:
    return {"exchange": exchange, "leaf": "trading", "reason": reason}


async def judge(
    db: Db,
    credential: UUID,
    verdict: str,
    reason: str,
    now: datetime,
    *,
    streak: int = 0,
    warnings: list[str] | None = None,
) -> None:
    """What the last checks said, with a history of five."""
    await db.execute(
        """
        UPDATE credentials
        SET verdict = $2, reason = $3, consecutive_failures = $4::integer, warnings = $5,
            last_checked_at = $6::timestamptz, next_check_at = $7, duration_ms = 120, code = 'http 401',
            first_failure_at = CASE WHEN $4 > 0 THEN $6::timestamptz END
        WHERE id = $1
        """,
        credential,
        verdict,
        reason,
        streak,
        warnings or [],
        now - MINUTE,
        now + HOUR,
    )
    await db.execute(
        """
        INSERT INTO credential_health_checks (id, credential_id, tenant_id, exchange, credential_type, label,
                                              check_timestamp, is_valid, verdict, reason, created_at)
        SELECT gen_random_uuid(), c.id, c.tenant_id, c.exchange, c.credential_type, c.label,
               $2::timestamptz - n * interval '1 hour', $3::text = 'valid', $3::text, $4, $2
        FROM credentials c, generate_series(1, 5) n
        WHERE c.id = $1
        """,
        credential,
        now,
        verdict,
        reason,
    )


async def fire(
    db: Db,
    tenant: UUID,
    subject: str,
    now: datetime,
    *,
    exchange: str,
    details: dict[str, str],
    check: str = "credential_health_check",
) -> UUID:
    alert_id = await factories.alert(db, tenant, check=check, subject=subject, exchange=exchange, at=now - 10 * MINUTE)
    await db.execute("UPDATE alerts SET details = $2 WHERE id = $1", alert_id, details)
    return alert_id


async def send(db: Db, tenant: UUID, webhook: UUID, now: datetime, *, answer: str) -> UUID:
    """A message that was given up after one attempt."""
    event_id, delivery_id = new_event_id(now), new_id()
    body = json.dumps({"event": "credential.failed", "id": event_id, "tenant_id": str(tenant), "label": SCRIPT})
    await db.execute(
        "INSERT INTO events (id, type, tenant_id, subject, body, created_at) VALUES ($1, $2, $3, 's', $4, $5)",
        event_id,
        "credential.failed",
        tenant,
        body.encode(),
        now,
    )
    await db.execute(
        """
        INSERT INTO webhook_deliveries (id, event_id, webhook_id, tenant_id, event_type, subject, state, attempts,
                                        created_at, finished_at)
        VALUES ($1, $2, $3, $4, 'credential.failed', 's', 'failed', 1, $5, $5)
        """,
        delivery_id,
        event_id,
        webhook,
        tenant,
        now - MINUTE,
    )
    await db.execute(
        """
        INSERT INTO webhook_delivery_log (id, delivery_id, webhook_id, tenant_id, event_type, attempt, lease_id,
                                          started_at, finished_at, outcome, status_code, duration_ms, response)
        VALUES ($1, $2, $3, $4, 'credential.failed', 1, $1, $5, $5, 'failure', 500, 12, $6)
        """,
        new_id(),
        delivery_id,
        webhook,
        tenant,
        now - MINUTE,
        answer,
    )
    return delivery_id


async def _silence(db: Db, now: datetime) -> None:
    async with db.transaction() as tx:
        await silence_store.add(
            tx, Silence(new_id(), {"exchange": ("okx",), "subject": (SCRIPT,)}, PICTURE, LINK, now, now, now + HOUR)
        )


async def _sweep(db: Db, now: datetime) -> None:
    sweep_id = await sweep_store.begin(db, origin=Origin.COMMAND, requested_by="command line", now=now - HOUR)
    await sweep_store.finish(db, sweep_id, SweepState.COMPLETED, Tally(3, 3, 1, 1, 1), now=now - HOUR + MINUTE)
