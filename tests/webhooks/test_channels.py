"""Channels: what a tenant's request and an operator's message look like, and the registry."""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import standardwebhooks

import alertd
from alertd.config import Settings
from alertd.errors import ConfigError
from alertd.model import Event, EventType
from alertd.webhooks.channels import CHANNELS, open_channels
from alertd.webhooks.channels.apprise import open_channel
from alertd.webhooks.channels.apprise import render as render_text
from alertd.webhooks.channels.webhook import render
from alertd.webhooks.dns import Names
from alertd.webhooks.guard import policy_of
from alertd.webhooks.message import Endpoint, Message, body
from alertd.webhooks.post import open_poster
from alertd.webhooks.retry import Fault, Result, classify

from .receivers import AT, OK, Talk, answering, receiving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


def message(kind: EventType = EventType.CREDENTIAL_FAILED, **fields: object) -> Message:
    event = Event(id="evt_1", type=kind, tenant_id=None, at=AT, subject="s", fields=fields)
    return Message(event.id, event.type, body(event))


def settings(folder: Path, **sections: object) -> Settings:
    webhooks = {"allow_cidrs": ["127.0.0.0/8"], "allow_http": True, "ports": []}
    return Settings(state_dir=folder, **{"webhooks": webhooks} | sections)


def notifier(name: str, url: str) -> dict[str, str]:
    return {"name": name, "url": url}


@asynccontextmanager
async def channels(given: Settings) -> AsyncIterator[dict]:
    names = Names()
    seconds = timedelta(seconds=given.webhooks.timeout_seconds)
    async with (
        open_poster(policy_of(given.webhooks, frozenset()), names, timeout=seconds) as poster,
        open_channels(given, poster) as opened,
    ):
        yield opened


# --- signed webhooks -------------------------------------------------------------------------


def test_a_request_carries_the_body_as_it_was_stored_and_both_header_families():
    sent = message(label="Zürich")

    request = render(sent, Endpoint("https://hooks.test/", SECRET), AT, "X-AlphaPulse")

    assert request.body == sent.body
    assert set(request.headers) == {
        "Content-Type",
        "User-Agent",
        "X-AlphaPulse-Signature",
        "X-AlphaPulse-Timestamp",
        "X-AlphaPulse-Event",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }


def test_a_request_says_who_sends_it():
    request = render(message(), Endpoint("https://hooks.test/", SECRET), AT, "X-AlphaPulse")

    assert request.headers["User-Agent"] == f"alertd/{alertd.__version__}"


def test_the_tenants_own_headers_go_along():
    endpoint = Endpoint("https://hooks.test/", SECRET, headers={"Authorization": "Bearer t"})

    assert render(message(), endpoint, AT, "X-AlphaPulse").headers["Authorization"] == "Bearer t"


@pytest.mark.parametrize(
    "name", ["Webhook-Id", "x-alphapulse-signature", "Host", "content-length", "Transfer-Encoding", "a b"]
)
def test_a_stored_header_cannot_take_the_place_of_ours(name):
    endpoint = Endpoint("https://hooks.test/", SECRET, headers={name: "forged"})

    assert "forged" not in render(message(), endpoint, AT, "X-AlphaPulse").headers.values()


async def test_what_arrives_verifies(tmp_path):
    async with answering(NO_CONTENT) as receiver, channels(settings(tmp_path)) as opened:
        outcome = await opened["webhook"].send(
            message(label="Zürich"), Endpoint(receiver.url(), SECRET), datetime.now(UTC)
        )

    head, _, sent = receiver.requests[0].partition(b"\r\n\r\n")
    lines = (line.split(": ", 1) for line in head.decode().splitlines()[1:])
    assert standardwebhooks.Webhook(SECRET).verify(sent, dict(lines))["label"] == "Zürich"
    assert classify(outcome) is Result.DELIVERED


# --- operators' notifiers --------------------------------------------------------------------


async def test_an_operator_gets_title_text_and_kind(tmp_path):
    async with answering(OK) as receiver:
        given = settings(tmp_path, notify=[notifier("ops", f"json://127.0.0.1:{receiver.port}/")])
        async with channels(given) as opened:
            outcome = await opened["apprise"].send(
                message(EventType.SYSTEM_ALERT, severity="critical", message="Vault is sealed"), Endpoint("ops"), AT
            )

    sent = json.loads(receiver.requests[0].partition(b"\r\n\r\n")[2])
    assert classify(outcome) is Result.DELIVERED
    assert (sent["title"], sent["type"]) == ("[critical] system.alert", "failure")
    assert sent["message"].startswith("Vault is sealed")


def test_the_end_of_trouble_looks_like_one():
    text = render_text(message(EventType.SYSTEM_ALERT, severity="critical", state="resolved", subject="vault"))

    assert (text.title, text.kind) == ("[over] system.alert: vault", "success")


async def test_a_notifier_that_is_not_in_our_settings_is_left_to_daemons_that_have_it(tmp_path):
    async with channels(settings(tmp_path)) as opened:
        outcome = await opened["apprise"].send(message(), Endpoint("ops"), AT)

    assert (outcome.error, classify(outcome)) == (Fault.UNCONFIGURED, Result.AGAIN)


async def test_a_notifier_that_refuses_is_tried_again(tmp_path):
    refusal = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with answering(refusal) as receiver:
        given = settings(tmp_path, notify=[notifier("ops", f"json://127.0.0.1:{receiver.port}/")])
        async with channels(given) as opened:
            outcome = await opened["apprise"].send(message(), Endpoint("ops"), AT)

    assert (outcome.error, classify(outcome)) == (Fault.NOTIFIER, Result.AGAIN)


async def test_a_notifier_that_hangs_is_a_timeout(tmp_path):
    async def script(talk: Talk) -> None:
        await asyncio.sleep(1)

    async with receiving(script) as receiver:
        given = settings(
            tmp_path,
            notify=[notifier("ops", f"json://127.0.0.1:{receiver.port}/")],
            webhooks={"timeout_seconds": 0.2},
        )
        async with channels(given) as opened:
            outcome = await opened["apprise"].send(message(), Endpoint("ops"), AT)

    assert outcome.error is Fault.TIMEOUT


async def test_a_url_that_apprise_does_not_know_is_a_setting_to_change(tmp_path):
    given = settings(tmp_path, notify=[notifier("ops", "nonsense://s3cret"), notifier("b", "json://")])

    with pytest.raises(ConfigError) as raised:
        async with channels(given):
            pass

    assert raised.value.problems == (
        "notify: Apprise does not understand the url of ops",
        "notify: Apprise does not understand the url of b",
    )


async def test_notifiers_without_the_library_are_a_setting_to_change(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)
    given = settings(tmp_path, notify=[notifier("ops", "json://127.0.0.1/")])

    with pytest.raises(ConfigError, match=r"pip install 'alertd\[notify\]'"):
        async with channels(given):
            pass


async def test_without_notifiers_the_library_is_not_needed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)

    async with channels(settings(tmp_path)) as opened:
        assert set(opened) == set(CHANNELS)


async def test_the_library_logs_no_token(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    async with answering(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n") as receiver:
        given = settings(tmp_path, notify=[notifier("ops", f"json://127.0.0.1:{receiver.port}/t0ken")])
        async with channels(given) as opened:
            await opened["apprise"].send(message(), Endpoint("ops"), AT)

    assert "t0ken" not in caplog.text


@pytest.mark.parametrize(
    ("kind", "fields", "title"),
    [
        (
            EventType.CREDENTIAL_FAILED,
            {"exchange": "binance", "credential_type": "trading", "label": "main"},
            "credential.failed: binance trading main",
        ),
        (
            EventType.PERFORMANCE_ALERT,
            {"check": "drawdown", "subject": "acct-17", "severity": "warning"},
            "[warning] performance.alert: drawdown acct-17",
        ),
        (EventType.WEBHOOK_TEST, {}, "webhook.test"),
        (EventType.SYSTEM_ALERT, {"subject": "a\r\nBcc: x"}, "system.alert: a Bcc: x"),
    ],
)
def test_a_title_is_one_line_that_says_what_and_where(kind, fields, title):
    assert render_text(message(kind, **fields)).title == title


def test_a_text_begins_with_the_sentences_and_lists_the_rest():
    text = render_text(
        message(reason="expired", error="It has expired.", what_to_do="Make a new one.", label="", details={"a": 1})
    )

    assert text.body.splitlines() == [
        "It has expired.",
        "Make a new one.",
        "",
        "at: 2026-01-05 12:00:00 UTC",
        "id: evt_1",
        "reason: expired",
        'details: {"a": 1}',
    ]


def test_a_long_value_is_cut():
    assert render_text(message(details="x" * 1000)).body.endswith("x" * 299 + "…")


@pytest.mark.parametrize(
    ("kind", "severity", "expected"),
    [
        (EventType.CREDENTIAL_FAILED, None, "failure"),
        (EventType.CREDENTIAL_RECOVERED, None, "success"),
        (EventType.CREDENTIAL_EXPIRING, None, "warning"),
        (EventType.PERFORMANCE_RESOLVED, "critical", "success"),
        (EventType.PERFORMANCE_ALERT, "info", "info"),
        (EventType.PERFORMANCE_ALERT, "emergency", "failure"),
        (EventType.WEBHOOK_TEST, None, "info"),
    ],
)
def test_the_kind_follows_the_event_and_its_severity(kind, severity, expected):
    assert render_text(message(kind, severity=severity)).kind == expected


def test_the_registry_names_every_channel_file():
    files = {file.stem for file in Path(sys.modules[open_channel.__module__].__file__).parent.glob("*.py")}

    assert set(CHANNELS) == files - {"__init__"}
