"""Every example in the help of a command that asks the daemon was run: for people, and for a script."""

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.cli.office import APP, Office, lines
from tests.cli.test_help import below

ASKING = [
    words
    for words in below(typer.main.get_command(APP))
    if "--key-file" in CliRunner().invoke(APP, [*words, "--help"], env={"COLUMNS": "300"}).output
]
WITH_JSON = [words for words in ASKING if words[-1] not in {"remove", "revoke"}]

TENANT = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
ENDPOINT = "0199c0de-0000-7000-8000-000000000001"
DELIVERY = "0199c0de-0000-7000-8000-000000000002"
ALERT = "0199c0de-0000-7000-8000-000000000003"
SILENCE = "0199c0de-0000-7000-8000-000000000004"
KEY = "0199c0de-0000-7000-8000-000000000005"
RECEIVER = "https://hooks.example.com/alertd"
SWEEP = "0199c0de-0000-7000-8000-000000000006"


def example(words: tuple[str, ...]) -> str:
    """What follows `alertd` in the example of a command's help."""
    shown = CliRunner().invoke(APP, [*words, "--help"], env={"COLUMNS": "300"}).output
    [line] = [line for line in shown.splitlines() if "Example: alertd" in line]
    return line.partition("alertd ")[2].strip()


def spelt(office: Office, words: tuple[str, ...]) -> tuple[list[str], str]:
    """The words of the example with ids that exist here, and what comes from standard input."""
    text, _, file = example(words).partition(" < ")
    for placeholder, made in MAKERS.items():
        text = text.replace(placeholder, made(office) if placeholder in text else "")
    PRELUDES.get(words, lambda _office, _text: None)(office, text)
    return shlex.split(text), lines(office.account()) if file else ""


def tenant_with_key(office: Office) -> str:
    tenant = office.tenant()
    office.key(tenant)
    return tenant


def endpoint(office: Office) -> str:
    return office.endpoint(office.tenant())


MAKERS: dict[str, Callable[[Office], str]] = {
    RECEIVER: lambda office: f"{office.receiver}/hook",
    TENANT: tenant_with_key,
    ENDPOINT: endpoint,
    DELIVERY: lambda office: office.delivery(endpoint(office)),
    ALERT: lambda office: office.alert(office.tenant()),
    SILENCE: lambda office: office.json("silences", "add", "--check", "none", "--comment", "x")["id"],
    KEY: lambda office: office.json("keys", "create", "viewer", "--name", "x")["id"],
    SWEEP: lambda office: office.sweep(),
}
# What must have happened, or be about to.
PRELUDES: dict[tuple[str, ...], Callable[[Office, str], object]] = {
    ("webhooks", "commit-secret"): lambda office, text: office.alertd("webhooks", "rotate-secret", text.split()[2]),
    ("events",): lambda office, _text: office.meanwhile(office.event, endpoint(office)),
}


@pytest.fixture(autouse=True)
def desk_with_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that the example of an import names."""
    (tmp_path / "returns.csv").write_text("subject,date,return\nalpha,2026-01-05,0.004\n")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def no_sweep_is_under_way(office: Office) -> Iterator[None]:
    yield
    office.end_sweeps()


@pytest.mark.parametrize("words", ASKING, ids=" ".join)
def test_the_example_in_the_help_works(office: Office, words: tuple[str, ...]) -> None:
    spoken, stdin = spelt(office, words)

    ended = office.alertd(*spoken, stdin=stdin)

    assert ended.code == 0, ended.printed
    assert ended.printed


@pytest.mark.parametrize("words", WITH_JSON, ids=" ".join)
def test_the_example_answers_a_script_with_one_json_value(office: Office, words: tuple[str, ...]) -> None:
    spoken, stdin = spelt(office, words)

    ended = office.alertd(*(word for word in spoken if word != "--json"), "--json", stdin=stdin)

    assert ended.code == 0, ended.printed
    assert isinstance(json.loads(ended.out), dict)


def test_all_that_asks_the_daemon_was_found() -> None:
    groups = {words[0] for words in ASKING}

    assert {"tenants", "credentials", "webhooks", "deliveries", "schedule", "alerts", "silences", "keys"} <= groups
    assert ("webhooks", "listen") not in ASKING
