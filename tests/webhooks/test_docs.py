"""The tenants' page keeps its promises: its receivers run, its samples are what we send."""

import asyncio
import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from alertd.alerts import observations
from alertd.alerts.lifecycle import Memory, Sign, Step
from alertd.credentials import notices
from alertd.model import CheckResult, CredentialRef, CredentialType, Event, EventType, Reason, Severity
from alertd.webhooks.channels.webhook import render
from alertd.webhooks.message import HEAD, Endpoint, Message, body
from alertd.webhooks.post import Request

from .receivers import posting

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
TENANTS_EVENTS = [kind for kind in EventType if kind is not EventType.SYSTEM_ALERT]

NODE = shutil.which("node")
SHELL_TOOLS = [shutil.which(tool) for tool in ("sh", "openssl", "od", "curl")]
needs_shell = pytest.mark.skipif(None in SHELL_TOOLS, reason="needs sh, openssl, od and curl")


def section(title: str) -> str:
    """From a heading to the next of the same or a higher level."""
    match = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,3}} |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert match is not None
    return match[2]


def snippets(title: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", section(title), re.MULTILINE | re.DOTALL)


def documented_fields(kind: EventType) -> set[str]:
    """The names in the first columns of the tables that speak of a type."""
    tables = section("Events").split("\n\n")
    family = "`webhook.test`" if kind is EventType.WEBHOOK_TEST else f"`{kind.partition('.')[0]}.*`"
    about = [
        table
        for title, table in itertools.pairwise(tables)
        if table.startswith("| field") and ("every event" in title or family in title)
    ]
    cells = re.findall(r"^\| (`[^|]*) \|", "\n".join(about), re.MULTILINE)
    return set(re.findall(r"`(\w+)`", " ".join(cells)))


RECEIVERS = {
    "python-library": ([sys.executable, "-c", snippets("Python with a library", "python")[0]], True),
    "python-plain": ([sys.executable, "-c", snippets("Plain Python", "python")[0]], True),
    "node": ([NODE or "node", "-e", snippets("Node", "js")[0]], NODE is not None),
}
receivers = pytest.mark.parametrize(
    "command",
    [
        pytest.param(command, id=name, marks=pytest.mark.skipif(not there, reason=f"needs {command[0]}"))
        for name, (command, there) in RECEIVERS.items()
    ],
)


@asynccontextmanager
async def running(command: list[str], secret: str = SECRET) -> AsyncIterator[str]:
    """A receiver of the page in a process of its own; yields its URL."""
    port = _free_port()
    environment = {"PATH": os.environ["PATH"], "WEBHOOK_SECRET": secret, "PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await _listening(port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        await process.wait()


def request(url: str = "http://unused.test/", *, at: datetime | None = None, next_secret: str | None = None) -> Request:
    kind = EventType.CREDENTIAL_FAILED
    event = Event("evt_01", kind, None, datetime.now(UTC), "s", {"label": "Zürich", "gap": None})
    message = Message(event.id, kind, body(event))
    return render(message, Endpoint(url, SECRET, next_secret), at or datetime.now(UTC), "X-AlphaPulse")


async def status_of(asked: Request) -> int | None:
    async with posting(seconds=20) as poster:
        return (await poster.post(asked, at=datetime.now(UTC))).status


@receivers
async def test_a_receiver_accepts_our_request(command):
    async with running(command) as url:
        assert await status_of(request(url)) == 204


@receivers
async def test_a_receiver_refuses_a_changed_body_and_an_old_timestamp(command):
    async with running(command) as url:
        changed = await status_of(replace(request(url), body=b'{"event":"credential.recovered"}'))
        old = await status_of(request(url, at=datetime.now(UTC) - timedelta(minutes=6)))

    assert (changed, old) == (400, 400)


@receivers
async def test_a_receiver_with_the_new_secret_accepts_requests_during_a_rotation(command):
    async with running(command, OTHER) as url:
        assert await status_of(request(url, next_secret=OTHER)) == 204


@receivers
@pytest.mark.parametrize("signature", ["", "v1,", "v1", "nonsense", "v1,====", "\xe9"])
async def test_a_receiver_survives_a_signature_that_is_none(command, signature):
    async with running(command) as url:
        asked = request(url)
        broken = replace(asked, headers={**asked.headers, "webhook-signature": signature})
        assert await status_of(broken) == 400


@needs_shell
@pytest.mark.parametrize(
    ("secret", "word", "code"), [(SECRET, "genuine", 0), (OTHER, "genuine", 0), ("whsec_AAAA", "forged", 1)]
)
def test_the_shell_check_tells_genuine_from_forged(tmp_path, secret, word, code):
    asked = request(next_secret=OTHER)
    (tmp_path / "body.json").write_bytes(asked.body)
    variables = {name.replace("-", "_"): value for name, value in asked.headers.items() if name.startswith("webhook-")}

    done = subprocess.run(
        ["sh", "-c", snippets("Shell", "sh")[0]],
        env={"PATH": os.environ["PATH"], "WEBHOOK_SECRET": secret, **variables},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout.split()[-1], done.returncode) == (word, code)


@needs_shell
def test_the_published_header_can_be_checked_with_openssl_alone(tmp_path):
    asked = request()
    (tmp_path / "body.json").write_bytes(asked.body)
    command = re.search(r"`(openssl dgst [^`]*)`", section("Shell"))

    done = subprocess.run(
        ["sh", "-c", command[1]],
        env={"PATH": os.environ["PATH"], "WEBHOOK_SECRET": SECRET},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "sha256=" + done.stdout.split()[-1] == asked.headers["X-AlphaPulse-Signature"]


@needs_shell
async def test_the_shell_can_play_our_part():
    command, _ = RECEIVERS["python-plain"]
    async with running(command) as url:
        environment = {"PATH": os.environ["PATH"], "WEBHOOK_SECRET": SECRET, "PORT": url.split(":")[2].strip("/")}
        process = await asyncio.create_subprocess_exec("sh", "-c", snippets("Shell", "sh")[1], env=environment)

        assert await process.wait() == 0


@pytest.mark.parametrize("kind", TENANTS_EVENTS)
def test_every_event_has_a_sample_with_documented_fields_only(kind):
    sample = json.loads(snippets(kind, "json")[0])

    assert (sample["event"], list(sample)[:4]) == (kind, list(HEAD))
    assert set(sample) <= documented_fields(kind)


@pytest.mark.parametrize("kind", TENANTS_EVENTS)
def test_a_sample_is_what_the_same_event_would_send(kind):
    sample = json.loads(snippets(kind, "json")[0])
    event = Event(
        id=sample["id"],
        type=kind,
        tenant_id=UUID(sample["tenant_id"]),
        at=datetime.fromtimestamp(sample["timestamp"], UTC),
        subject="s",
        fields={name: value for name, value in sample.items() if name not in HEAD},
    )

    assert list(json.loads(body(event)).items()) == list(sample.items())


@pytest.mark.parametrize("kind", TENANTS_EVENTS)
def test_an_id_of_a_sample_carries_the_samples_time(kind):
    sample = json.loads(snippets(kind, "json")[0])

    assert int(sample["id"].removeprefix("evt_")[:12], 16) == sample["timestamp"] * 1000


@pytest.mark.parametrize(
    ("kind", "step", "result"),
    [
        (EventType.CREDENTIAL_FAILED, Step.FIRE, CheckResult(Reason.EXPIRED)),
        (EventType.CREDENTIAL_RECOVERED, Step.RESOLVE, CheckResult(Reason.OK)),
    ],
)
def test_the_samples_about_a_key_have_the_fields_and_words_that_are_sent(kind, step, result):
    sample = json.loads(snippets(kind, "json")[0])
    ref = CredentialRef(UUID(sample["tenant_id"]), "kraken", CredentialType.TRADING, "main")
    began, good = (_time(sample[name]) for name in ("first_failure_at", "last_success_at"))
    memory = Memory(streak=sample["consecutive_failures"], first_bad_at=began, last_good_at=good, alerting=True)

    sent = notices.fields(ref, result, step, memory, memory)

    assert dict(sent) == {name: value for name, value in sample.items() if name not in HEAD}


@pytest.mark.parametrize("step", [Step.FIRE, Step.RAISE, Step.REMIND, Step.RESOLVE])
def test_the_fields_of_an_alert_about_performance_are_documented(step):
    told = Memory(told=Severity.WARNING, flapping=True)
    found = observations.Observation(
        tenant_id=UUID(int=1), check="c", subject="s", rule="r", sign=Sign.BAD, message="m", details={"d": 1}
    )

    assert set(observations.fields(found, step, told, told)) <= documented_fields(EventType.PERFORMANCE_ALERT)


def test_the_fields_of_a_reminder_are_documented():
    ref = CredentialRef(UUID(int=1), "kraken", CredentialType.TRADING)
    sent = notices.fields(ref, CheckResult(Reason.EXPIRED), Step.REMIND, Memory(), Memory())

    assert set(sent) <= documented_fields(EventType.CREDENTIAL_FAILED)


def test_the_page_names_every_reason_that_can_be_sent():
    named = set(re.findall(r"`(\w+)`", section("Events")))

    assert {str(reason) for reason in notices.WHAT_TO_DO} | {"ok"} <= named


def test_every_link_within_the_page_leads_somewhere():
    titles = re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}

    assert set(re.findall(r"\(#([\w-]+)\)", PAGE)) <= anchors


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def _listening(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
