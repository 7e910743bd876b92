"""Every Prometheus name in one place, on a registry of our own, so that nothing unknown is exported.

Gauges that mirror the database (due work, circuits, credentials) are set by whoever reads it last;
counters and histograms count what this process did.
"""

import platform
from collections.abc import Iterable
from functools import partial
from math import nan
from typing import Final
from uuid import UUID

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from alertd import __version__

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
OTHER_TENANTS: Final = "other"

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, that nobody queries

REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

_counter = partial(Counter, registry=REGISTRY)
_gauge = partial(Gauge, registry=REGISTRY)
_histogram = partial(Histogram, registry=REGISTRY)

_EXCHANGE_SECONDS: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
_LOOP_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
_LATE_SECONDS: Final = (0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 3600.0, 21600.0, 86400.0)

# --- Published names -------------------------------------------------------------------------

CREDENTIAL_CHECKS: Final = _counter(
    "credential_health_check_total",
    "Credential checks by result: success, failure, inconclusive.",
    ["tenant_id", "exchange", "result"],
)
CHECK_DURATION: Final = _histogram(
    "credential_health_check_duration_seconds",
    "Time one credential check waited for the exchange, without pacing and without us.",
    ["exchange"],
    buckets=_EXCHANGE_SECONDS,
)
WEBHOOK_DELIVERIES: Final = _counter(
    "webhook_delivery_total",
    "Attempts to deliver a webhook by status: success, failure, timeout.",
    ["event_type", "status"],
)

# --- This process ----------------------------------------------------------------------------

BUILD_INFO: Final = _gauge("alertd_build_info", "Always 1; the labels say what is running.", ["version", "python"])
BUILD_INFO.labels(version=__version__, python=platform.python_version()).set(1)
LOOP_LAG: Final = _gauge("alertd_loop_lag_seconds", "Longest time the event loop was late in the last minute.")
LOOP_DELAYS: Final = _histogram(
    "alertd_loop_delay_seconds",
    "How late the event loop was, each time it was measured.",
    buckets=_LOOP_SECONDS,
)
RELOAD_SUCCESS: Final = _gauge(
    "alertd_config_last_reload_successful", "1 if the settings were loaded when last asked to, else 0."
)
RELOAD_TIME: Final = _gauge(
    "alertd_config_last_reload_success_timestamp_seconds", "When the settings now in force were loaded."
)
DATABASE_UP: Final = _gauge("alertd_database_up", "1 if the database answered when last asked, else 0.")
SECRET_STORE_UP: Final = _gauge("alertd_secret_store_up", "1 if the secret store answered when last asked, else 0.")

# --- Credentials -----------------------------------------------------------------------------

OLDEST_DUE_CHECK: Final = _gauge(
    "alertd_oldest_due_check_seconds",
    "How long the longest-waiting credential check has been due; 0: none is.",
)
CREDENTIALS: Final = _gauge("alertd_credentials", "Credentials by their last verdict.", ["verdict"])
SWEEP_RUNNING: Final = _gauge("alertd_sweep_running", "1 while a sweep is under way, else 0.")
SWEEP_PROGRESS: Final = _gauge(
    "alertd_sweep_progress_ratio", "Share of the credentials in the present or last sweep already checked."
)
SWEEP_AGE: Final = _gauge("alertd_sweep_age_seconds", "Time since a sweep was last completed; NaN while none ever was.")
SWEEP_AGE.set(nan)
EXCHANGE_BACKED_OFF: Final = _gauge(
    "alertd_exchange_backed_off",
    "1 while nobody asks this exchange, for this reason.",
    ["exchange", "reason"],
)
BACKOFFS: Final = _counter(
    "alertd_exchange_backoffs_total", "Times an exchange was left alone, by reason.", ["exchange", "reason"]
)
STALLED_CHECKS: Final = _counter(
    "alertd_stalled_checks_total", "Checks repeated because the event loop stood still meanwhile."
)
UNKNOWN_ANSWERS: Final = _counter(
    "alertd_unknown_answers_total", "Answers of an exchange that no rule knows.", ["exchange"]
)
LATE_SETTLES: Final = _counter("alertd_late_settles_total", "Results thrown away because their lease had run out.")

# --- Alerts and deliveries -------------------------------------------------------------------

OLDEST_DUE_DELIVERY: Final = _gauge(
    "alertd_oldest_due_delivery_seconds", "How long the longest-waiting delivery has been due; 0: none is."
)
DELIVERIES: Final = _gauge("alertd_deliveries", "Deliveries by state.", ["state"])
OPEN_CIRCUITS: Final = _gauge("alertd_open_circuits", "Receivers that are left alone after failing too often.")
FIRING: Final = _gauge("alertd_alerts_firing", "Alerts that fire, by severity.", ["severity"])
SUPPRESSED: Final = _counter("alertd_suppressed_total", "Messages held back, by the rule that did.", ["kind"])
ESCALATIONS: Final = _counter("alertd_escalations_total", "Alerts that nobody acknowledged in time.")
REFUSED_ADDRESSES: Final = _counter(
    "alertd_refused_addresses_total", "Connections refused because the address is forbidden to receivers."
)

# --- Schedules -------------------------------------------------------------------------------

SCHEDULE_LAST_SUCCESS: Final = _gauge(
    "alertd_schedule_last_success_timestamp_seconds", "When a scheduled check last succeeded.", ["schedule"]
)
SCHEDULE_NEXT_RUN: Final = _gauge(
    "alertd_schedule_next_run_timestamp_seconds", "When a scheduled check is due next.", ["schedule"]
)
SCHEDULE_LATENESS: Final = _histogram(
    "alertd_schedule_lateness_seconds",
    "How long after its time a scheduled check started.",
    buckets=_LATE_SECONDS,
)
EXECUTION_OUTCOMES: Final = ("ok", "failed", "no_data")
EXECUTIONS: Final = _counter("alertd_executions_total", "Scheduled checks by how they ended.", ["schedule", "outcome"])
PERFORMANCE_SUBJECTS: Final = _gauge(
    "alertd_performance_subjects",
    "Accounts and strategies by the worst that this process's last run of a check found: ok, info, no_data, "
    "stale_data, warning, critical, emergency.",
    ["check", "status"],
)

# --- The admin port --------------------------------------------------------------------------

REFUSED_KEYS: Final = _counter("alertd_refused_keys_total", "Requests with a key or token that nobody has.")

_named_tenants: set[str] = set()


def tenant_label(tenant_id: UUID | str, max_tenants: int) -> str:
    """The value of a `tenant_id` label: the first `max_tenants` keep their name, later ones share `other`."""
    name = str(tenant_id)
    if name in _named_tenants:
        return name
    if len(_named_tenants) >= max_tenants:
        return OTHER_TENANTS
    _named_tenants.add(name)
    return name


def begin_counting_executions(schedules: Iterable[str]) -> None:
    """Show their counters at zero: in a series that begins with its first failure Prometheus sees no increase."""
    for schedule in schedules:
        for outcome in EXECUTION_OUTCOMES:
            EXECUTIONS.labels(schedule, outcome)


def page() -> bytes:
    """All metrics, as text format 0.0.4 (`CONTENT_TYPE`); slow with many tenants, so call it in a thread."""
    return generate_latest(REGISTRY)
