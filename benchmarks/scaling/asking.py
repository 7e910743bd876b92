"""What the daemon, the API and the dashboard ask of the database all day, each as the product's own function."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from alertd.admin.dashboard import figures
from alertd.alerts import listing as alerts
from alertd.alerts.summary import summary
from alertd.credentials import listing as keys
from alertd.credentials import retention_store, standing, store
from alertd.db import Sql
from alertd.model import Reason, Verdict
from alertd.webhooks import deliveries, retention

PAGE: Final = 100
LEASE: Final = timedelta(minutes=1)
TENANT: Final = UUID("10000000-0000-7000-8000-000000000032")  # has a broken key
KEY: Final = UUID("70000000-0000-7000-8000-000000000064")
DELIVERY: Final = UUID("40000000-0000-7000-8000-000000000064")

Ask = Callable[[Sql, datetime], Awaitable[object]]

QUESTIONS: Final[Mapping[str, Ask]] = {
    "claim: what is due at one exchange": lambda sql, now: store.claim_due(
        sql, "binance", now=now, lease=LEASE, limit=PAGE
    ),
    "claim: exchanges with something due": store.due_exchanges,
    "list: first page of keys": lambda sql, _: keys.credentials_after(sql, None, keys.Filter(), limit=PAGE),
    "list: broken keys": lambda sql, _: keys.credentials_after(
        sql, None, keys.Filter(verdict=Verdict.INVALID), limit=PAGE
    ),
    "list: a rare reason": lambda sql, _: keys.credentials_after(
        sql, None, keys.Filter(reason=Reason.EXPIRED), limit=PAGE
    ),
    "list: one tenant's keys": lambda sql, _: keys.credentials_after(
        sql, None, keys.Filter(tenant_id=TENANT), limit=PAGE
    ),
    "list: one exchange's keys, far in": lambda sql, _: keys.credentials_after(
        sql, KEY, keys.Filter(exchange="okx"), limit=PAGE
    ),
    "history: one key": lambda sql, _: keys.checks_before(sql, KEY, None, limit=90),
    "deliveries: first page": lambda sql, _: deliveries.deliveries_before(sql, None, deliveries.Filter(), limit=PAGE),
    "deliveries: one tenant's": lambda sql, _: deliveries.deliveries_before(
        sql, None, deliveries.Filter(tenant_id=TENANT), limit=PAGE
    ),
    "deliveries: failed ones": lambda sql, _: deliveries.deliveries_before(
        sql, None, deliveries.Filter(state="failed"), limit=PAGE
    ),
    "deliveries: attempts of one": lambda sql, _: deliveries.attempts(sql, [DELIVERY]),
    "deliveries: what waits": deliveries.backlog,
    "alerts: first page": lambda sql, _: alerts.alerts_before(sql, None, alerts.Filter(), limit=PAGE),
    "alerts: one tenant's": lambda sql, _: alerts.alerts_before(sql, None, alerts.Filter(tenant_id=TENANT), limit=PAGE),
    "summary of a day": lambda sql, now: summary(sql, since=now - timedelta(days=1), now=now, quiet=timedelta(hours=1)),
    "overview: one tenant's exchanges": lambda sql, now: figures.exchange_figures(sql, TENANT, now),
    "overview: one tenant's messages": lambda sql, now: figures.message_figures(sql, TENANT, now),
    "overview: alerts": lambda sql, _: figures.alert_figures(sql),
    "overview: what is checked next": lambda sql, _: figures.coming_checks(sql, None, limit=10),
    "retention: a batch of old checks": lambda sql, now: retention_store.prune_checks(
        sql, before=now - timedelta(days=90), batch=500
    ),
    "retention: a batch of old deliveries": lambda sql, now: retention.prune_deliveries(
        sql, before=now - timedelta(days=30), batch=500
    ),
}

# These count all keys or endpoints, and take the longer the more there are.
COUNTS: Final[Mapping[str, Ask]] = {
    "gauges: keys by verdict": lambda sql, _: standing.count_by_verdict(sql),
    "overview: exchanges": lambda sql, now: figures.exchange_figures(sql, None, now),
    "overview: messages": lambda sql, now: figures.message_figures(sql, None, now),
    "mass hold: one exchange's keys": lambda sql, now: standing.count_invalid_since(
        sql, "binance", now - timedelta(hours=6)
    ),
}
