"""The metrics page: names are a contract with other people's dashboards."""

import subprocess
from uuid import UUID

import pytest
from prometheus_client.parser import text_string_to_metric_families

from alertd import __version__, metrics

TENANT = UUID("018f0000-0000-7000-8000-000000000001")


@pytest.fixture
def no_tenants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_named_tenants", set())


def families() -> dict[str, str]:
    parsed = text_string_to_metric_families(metrics.page().decode())
    return {family.name: family.type for family in parsed}


def sample(name: str, labels: dict[str, str]) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, labels)


@pytest.mark.parametrize(
    ("metric", "labels", "series"),
    [
        (
            metrics.CREDENTIAL_CHECKS,
            {"tenant_id": "t", "exchange": "binance", "result": "success"},
            "credential_health_check_total",
        ),
        (
            metrics.WEBHOOK_DELIVERIES,
            {"event_type": "credential.failed", "status": "timeout"},
            "webhook_delivery_total",
        ),
    ],
)
def test_published_counters_have_the_published_names(metric, labels, series):
    before = sample(series, labels) or 0.0

    metric.labels(**labels).inc()

    assert sample(series, labels) == before + 1


def test_published_duration_is_a_histogram_in_seconds():
    metrics.CHECK_DURATION.labels(exchange="kraken").observe(0.2)

    assert families()["credential_health_check_duration_seconds"] == "histogram"


def test_page_says_what_is_running():
    version = f'version="{__version__}"'

    assert version in metrics.page().decode()


def test_page_holds_process_metrics():
    assert {"process_start_time_seconds", "python_info"} <= families().keys()


def test_page_has_no_creation_times():
    assert "_created" not in metrics.page().decode()


@pytest.mark.prometheus
def test_page_follows_the_conventions_of_prometheus():
    checked = subprocess.run(["promtool", "check", "metrics"], input=metrics.page(), capture_output=True)

    assert (checked.returncode, checked.stderr) == (0, b"")


@pytest.mark.usefixtures("no_tenants")
def test_tenant_has_its_own_label_while_there_is_room():
    assert metrics.tenant_label(TENANT, 1) == str(TENANT)


@pytest.mark.usefixtures("no_tenants")
def test_tenant_beyond_the_limit_is_one_of_the_others():
    metrics.tenant_label(TENANT, 1)

    assert metrics.tenant_label("another", 1) == "other"


@pytest.mark.usefixtures("no_tenants")
def test_tenant_keeps_its_label_when_the_limit_is_reached():
    metrics.tenant_label(TENANT, 1)
    metrics.tenant_label("another", 1)

    assert metrics.tenant_label(str(TENANT), 1) == str(TENANT)
