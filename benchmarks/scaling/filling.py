"""A platform in the database: tenants with two keys each, their history, and what they were told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alertd.db import Db

KEYS_OF_A_TENANT: Final = 2
EXCHANGES: Final = ("binance", "bybit", "okx", "kraken", "coinbase")
BATCH: Final = 100_000  # rows of one statement, which stays below the time that a statement may take


@dataclass(frozen=True, slots=True)
class Size:
    """`checks` are history rows, `deliveries` finished messages with one attempt each."""

    keys: int
    checks: int
    deliveries: int

    @property
    def tenants(self) -> int:
        return self.keys // KEYS_OF_A_TENANT


async def fill(db: Db, size: Size, now: datetime) -> None:
    """One key in a hundred is broken; keys are due evenly over the six hours to come, one in a thousand overdue."""
    for statement, count in (
        (TENANTS, size.tenants),
        (ENDPOINTS, size.tenants),
        (KEYS, size.keys),
        (CHECKS, size.checks),
        (EVENTS, size.deliveries),
        (DELIVERIES, size.deliveries),
        (ATTEMPTS, size.deliveries),
        (ALERTS, size.keys // 100),
    ):
        for first in range(0, count, BATCH):
            await db.execute(statement.replace("{keys}", str(size.keys)), now, first, min(count, first + BATCH) - 1)
    for table in ("tenants", "tenant_webhooks", "credentials", "credential_health_checks", "events",
                  "webhook_deliveries", "webhook_delivery_log", "alerts"):  # fmt: skip
        await db.execute(f"VACUUM (ANALYZE) {table}")


# An id is a digit for its table and the row's number.
TENANTS: Final = """
  INSERT INTO tenants (id, created_at)
  SELECT ('10000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, $1
  FROM generate_series($2::integer, $3::integer) AS n
"""
ENDPOINTS: Final = """
  INSERT INTO tenant_webhooks (id, tenant_id, webhook_url, webhook_secret, created_at)
  SELECT ('20000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
         ('10000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
         'https://receiver.example/hook', 'sealed', $1
  FROM generate_series($2::integer, $3::integer) AS n
"""
KEYS: Final = """
  INSERT INTO credentials (
    id, tenant_id, exchange, credential_type, label, secret_version, phase, verdict, reason, permissions, duration_ms,
    consecutive_failures, first_failure_at, last_success_at, last_checked_at, alerting, next_check_at, created_at)
  SELECT ('70000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
         ('10000000-0000-7000-8000-' || lpad(to_hex(n / 2), 12, '0'))::uuid,
         (ARRAY['binance', 'bybit', 'okx', 'kraken', 'coinbase'])[1 + n % 5],
         'trading', 'k' || n, '1', random(),
         CASE WHEN n % 100 = 0 THEN 'invalid' ELSE 'valid' END,
         CASE WHEN n % 100 = 0 THEN 'invalid_key' ELSE 'ok' END,
         '{"read": true, "trade": true, "withdraw": false}', 120,
         CASE WHEN n % 100 = 0 THEN 5 ELSE 0 END,
         CASE WHEN n % 100 = 0 THEN $1::timestamptz - interval '1 day' END,
         $1::timestamptz - interval '1 hour', $1::timestamptz - interval '1 hour', n % 100 = 0,
         CASE WHEN n % 1000 = 1 THEN $1::timestamptz - interval '1 minute'
              ELSE $1::timestamptz + random() * interval '6 hours' END,
         $1
  FROM generate_series($2::integer, $3::integer) AS n
"""
CHECKS: Final = """
  INSERT INTO credential_health_checks (
    id, credential_id, tenant_id, exchange, credential_type, label, check_timestamp, is_valid, verdict, reason,
    last_success_at, duration_ms, created_at)
  SELECT ('30000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
         ('70000000-0000-7000-8000-' || lpad(to_hex(n % {keys}), 12, '0'))::uuid,
         ('10000000-0000-7000-8000-' || lpad(to_hex(n % {keys} / 2), 12, '0'))::uuid,
         (ARRAY['binance', 'bybit', 'okx', 'kraken', 'coinbase'])[1 + n % {keys} % 5],
         'trading', 'k' || n % {keys}, at, true, 'valid', 'ok', at, 120, at
  FROM generate_series($2::integer, $3::integer) AS n,
       LATERAL (SELECT $1::timestamptz - n / {keys} * interval '6 hours' - random() * interval '6 hours' AS at) AS aged
"""
EVENTS: Final = """
  INSERT INTO events (id, type, tenant_id, subject, body, created_at, recipients, accepted_at)
  SELECT 'evt_' || n, 'credential.failed',
         ('10000000-0000-7000-8000-' || lpad(to_hex(n % {keys} / 2), 12, '0'))::uuid,
         ('70000000-0000-7000-8000-' || lpad(to_hex(n % {keys}), 12, '0')),
         convert_to(repeat('x', 600), 'UTF8'), at, 1, at
  FROM generate_series($2::integer, $3::integer) AS n,
       LATERAL (SELECT $1::timestamptz - random() * interval '30 days' AS at) AS aged
"""
DELIVERIES: Final = """
  INSERT INTO webhook_deliveries (
    id, event_id, webhook_id, tenant_id, event_type, subject, state, attempts, created_at, finished_at)
  SELECT ('40000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'evt_' || n,
         ('20000000-0000-7000-8000-' || lpad(to_hex(n % {keys} / 2), 12, '0'))::uuid,
         ('10000000-0000-7000-8000-' || lpad(to_hex(n % {keys} / 2), 12, '0'))::uuid,
         'credential.failed', ('70000000-0000-7000-8000-' || lpad(to_hex(n % {keys}), 12, '0')),
         CASE WHEN n % 200 = 0 THEN 'failed' ELSE 'delivered' END, 1, at, at
  FROM generate_series($2::integer, $3::integer) AS n,
       LATERAL (SELECT $1::timestamptz - random() * interval '30 days' AS at) AS aged
"""
ATTEMPTS: Final = """
  INSERT INTO webhook_delivery_log (
    id, delivery_id, webhook_id, tenant_id, event_type, attempt, lease_id, started_at, finished_at, outcome,
    status_code, duration_ms)
  SELECT ('50000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
         ('40000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
         ('20000000-0000-7000-8000-' || lpad(to_hex(n % {keys} / 2), 12, '0'))::uuid,
         ('10000000-0000-7000-8000-' || lpad(to_hex(n % {keys} / 2), 12, '0'))::uuid,
         'credential.failed', 1, '00000000-0000-7000-8000-000000000000', $1, $1, 'success', 204, 40
  FROM generate_series($2::integer, $3::integer) AS n
"""
ALERTS: Final = """
  INSERT INTO alerts (
    id, fingerprint, tenant_id, check_name, subject, rule, exchange, severity, state, started_at, fired_at,
    last_seen_at, announced_at, created_at)
  SELECT ('60000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, md5(n::text),
         ('10000000-0000-7000-8000-' || lpad(to_hex(n * 50), 12, '0'))::uuid,
         'credential_health_check', ('70000000-0000-7000-8000-' || lpad(to_hex(n * 100), 12, '0')), 'rejected',
         'binance', 'critical', 'firing', at, at, at, at, at
  FROM generate_series($2::integer, $3::integer) AS n,
       LATERAL (SELECT $1::timestamptz - random() * interval '1 day' AS at) AS aged
"""
