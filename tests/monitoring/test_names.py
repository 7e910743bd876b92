"""What is shipped for Prometheus, Grafana and Alertmanager speaks of metrics that exist, and of nothing else."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from alertd import metrics

FOLDER = Path(__file__).parents[2] / "monitoring"
GUIDE = FOLDER.parent / "docs" / "operations.md"
RULES = yaml.safe_load((FOLDER / "alertd.rules.yml").read_text())["groups"][0]["rules"]
TESTS = yaml.safe_load((FOLDER / "alertd.test.yml").read_text())["tests"]
DASHBOARD = json.loads((FOLDER / "alertd.grafana.json").read_text())
METRIC = re.compile(r"\b(?:alertd|credential_health_check|webhook_delivery|process)_[a-z_]+\b")
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",), "info": ("_info",)}

expressions = pytest.mark.parametrize(
    "expression",
    [
        *(rule["expr"] for rule in RULES),
        *(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]),
        *(annotation["expr"] for annotation in DASHBOARD["annotations"]["list"]),
    ],
)


def exported() -> dict[str, set[str]]:
    """Every series with its labels."""
    names = {}
    for collector in metrics.REGISTRY._collector_to_names:
        labels = set(getattr(collector, "_labelnames", ()))
        for family in collector.collect():
            names |= {family.name + suffix: labels for suffix in SUFFIXES.get(family.type, ("",))}
    return names


EXPORTED = exported()


@expressions
def test_metrics_are_exported(expression: str) -> None:
    assert set(METRIC.findall(expression)) - EXPORTED.keys() == set()


@expressions
def test_labels_are_theirs(expression: str) -> None:
    known = set().union(*(EXPORTED[name] for name in METRIC.findall(expression)), {"job", "instance", "le"})
    grouped = re.findall(r"(?:by|without) \(([^)]*)\)", expression)
    matched = re.findall(r"([a-z_]+)\s*(?:=~|!=|!~|=)\s*\"", expression)

    assert {name.strip() for group in grouped for name in group.split(",")} | set(matched) <= known


def test_every_rule_has_a_test_in_which_it_fires() -> None:
    cases = [case for test in TESTS for case in test["alert_rule_test"] if case["exp_alerts"]]

    assert {rule["alert"] for rule in RULES} == {case["alertname"] for case in cases}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_rule_says_how_loud_it_is_and_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert f"`{rule['alert']}`" in GUIDE.read_text()


def test_panels_have_a_place_of_their_own() -> None:
    places = [tuple(panel["gridPos"].values()) for panel in DASHBOARD["panels"]]
    cells = [(x + i, y + j) for x, y, w, h in places for i in range(w) for j in range(h)]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


@pytest.mark.prometheus
@pytest.mark.parametrize(
    "command",
    [
        ("promtool", "check", "rules", "alertd.rules.yml"),
        ("promtool", "test", "rules", "alertd.test.yml"),
        ("promtool", "check", "config", "--syntax-only", "prometheus.yml"),
        ("amtool", "check-config", "alertmanager.yml"),
    ],
    ids=" ".join,
)
def test_files_are_what_they_should_be(command: tuple[str, ...]) -> None:
    checked = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True)

    assert checked.returncode == 0, checked.stdout + checked.stderr
