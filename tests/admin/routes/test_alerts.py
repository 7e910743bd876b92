"""Alerts as operators see them: listed, acknowledged, explained."""

from datetime import timedelta
from uuid import UUID

import pytest

from alertd.alerts import pipeline, store
from alertd.alerts.identity import Identity
from alertd.alerts.lifecycle import Memory, Policy, Sign
from alertd.alerts.pipeline import Finding, Speech
from alertd.model import EventType, Severity
from tests import factories
from tests.admin.port import OPERATOR, Port

ALERTS = "/api/v1/alerts"
SILENCES = "/api/v1/silences"
HOUR = timedelta(hours=1)


@pytest.fixture
async def tenant(port: Port) -> UUID:
    return await factories.tenant(port.daemon.db)


async def ids(port: Port, query: str) -> list[str]:
    answer = await port.ask("GET", f"{ALERTS}?{query}")
    assert answer.status == 200, answer.text
    return [item["id"] for item in answer.json["items"]]


async def finding(port: Port, tenant: UUID) -> None:
    found = Finding(Identity(tenant, "check", "subject", "rule"), Sign.BAD, Severity.CRITICAL, exchange="okx")
    speech = Speech(EventType.CREDENTIAL_FAILED, EventType.CREDENTIAL_RECOVERED, lambda step, before, after: {})
    async with port.daemon.db.transaction() as tx:
        await pipeline.apply(tx, found, Memory(), policy=Policy(1, None), speech=speech, now=port.clock())


async def test_alert_is_shown_with_all_that_is_known(port: Port, tenant: UUID) -> None:
    alert_id = await factories.alert(port.daemon.db, tenant, subject="btc-1", at=port.clock())

    answer = await port.ask("GET", f"{ALERTS}/{alert_id}")

    assert answer.json == {
        "id": str(alert_id),
        "tenant_id": str(tenant),
        "check": "credential_health_check",
        "subject": "btc-1",
        "rule": "rule",
        "exchange": "okx",
        "severity": "critical",
        "state": "firing",
        "details": {"reason": "expired"},
        "started_at": "2026-01-05T12:00:00Z",
        "fired_at": "2026-01-05T12:00:00Z",
        "resolved_at": None,
        "last_seen_at": "2026-01-05T12:00:00Z",
        "announced_at": None,
        "held_count": 0,
        "flapping": False,
        "silenced_by": None,
        "acked_at": None,
        "acked_by": None,
        "ack_comment": None,
        "escalates_at": None,
        "escalated_at": None,
    }


async def test_list_is_narrowed_by_each_filter(port: Port, tenant: UUID) -> None:
    db = port.daemon.db
    theirs = await factories.alert(db, tenant)
    ours = await factories.alert(db, None, check="platform", severity=Severity.WARNING)
    over = await factories.alert(db, None, severity=Severity.INFO)
    await store.resolve(db, over, port.clock())

    assert await ids(port, f"tenant_id={tenant}") == [str(theirs)]
    assert await ids(port, "check=platform") == [str(ours)]
    assert await ids(port, "severity=warning") == [str(ours)]
    assert await ids(port, "state=resolved") == [str(over)]


async def test_list_goes_on_where_the_page_ended(port: Port, tenant: UUID) -> None:
    made = [await factories.alert(port.daemon.db, tenant) for _ in range(3)]

    first = (await port.ask("GET", f"{ALERTS}?limit=2")).json
    second = (await port.ask("GET", f"{ALERTS}?limit=2&cursor={first['next_cursor']}")).json

    shown = [item["id"] for item in first["items"] + second["items"]]
    assert (shown, second["next_cursor"]) == ([str(alert) for alert in reversed(made)], None)


@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("GET", "/explain"), ("POST", "/ack")])
async def test_alert_that_is_not_there(port: Port, method: str, rest: str) -> None:
    answer = await port.ask(method, f"{ALERTS}/{UUID(int=1)}{rest}")

    assert (answer.status, answer.json["detail"]) == (404, "There is no alert with this id.")


async def test_acknowledgement_says_who_when_and_why(port: Port, tenant: UUID) -> None:
    alert_id = await factories.alert(port.daemon.db, tenant)

    answer = await port.ask("POST", f"{ALERTS}/{alert_id}/ack", key=OPERATOR, json={"comment": "on it"})

    shown = {name: answer.json[name] for name in ("state", "acked_at", "acked_by", "ack_comment")}
    assert shown == {
        "state": "firing",
        "acked_at": "2026-01-05T12:00:00Z",
        "acked_by": "operator",
        "ack_comment": "on it",
    }


async def test_acknowledgement_is_in_the_audit_log_and_in_the_explanation(port: Port, tenant: UUID) -> None:
    alert_id = await factories.alert(port.daemon.db, tenant)
    await port.ask("POST", f"{ALERTS}/{alert_id}/ack", json={"comment": "on it"})

    [deed] = (await port.ask("GET", "/api/v1/audit?action=alert.ack")).json["items"]
    explained = (await port.ask("GET", f"{ALERTS}/{alert_id}/explain")).json

    assert (deed["object"], deed["tenant_id"], deed["after"]) == (
        f"alert:{alert_id}",
        str(tenant),
        {"comment": "on it"},
    )
    assert [entry["text"] for entry in explained["decisions"]] == ["Acknowledged by admin: on it."]


async def test_alert_shows_when_it_will_be_escalated_until_somebody_acknowledges(port: Port, tenant: UUID) -> None:
    await finding(port, tenant)
    [alert_id] = await ids(port, "state=firing")

    before = (await port.ask("GET", f"{ALERTS}/{alert_id}")).json
    after = (await port.ask("POST", f"{ALERTS}/{alert_id}/ack")).json

    assert (before["escalates_at"], after["escalates_at"]) == ("2026-01-05T12:15:00Z", None)


async def test_alert_names_the_silence_that_keeps_it_quiet_now(port: Port, tenant: UUID) -> None:
    alert_id = await factories.alert(port.daemon.db, tenant, exchange="okx")
    wish = {"matchers": {"exchange": "okx"}, "comment": "maintenance"}
    silence = (await port.ask("POST", SILENCES, json=wish)).json["id"]

    during = (await port.ask("GET", f"{ALERTS}/{alert_id}")).json["silenced_by"]
    port.clock.turn(HOUR)
    [after] = (await port.ask("GET", ALERTS)).json["items"]

    assert (during, after["silenced_by"]) == (silence, None)


async def test_acknowledging_twice_is_a_conflict(port: Port, tenant: UUID) -> None:
    alert_id = await factories.alert(port.daemon.db, tenant)
    await port.ask("POST", f"{ALERTS}/{alert_id}/ack")

    answer = await port.ask("POST", f"{ALERTS}/{alert_id}/ack")

    assert (answer.status, answer.json["detail"]) == (409, "This alert is acknowledged already.")


async def test_alert_that_is_over_cannot_be_acknowledged(port: Port, tenant: UUID) -> None:
    alert_id = await factories.alert(port.daemon.db, tenant)
    await store.resolve(port.daemon.db, alert_id, port.clock())

    answer = await port.ask("POST", f"{ALERTS}/{alert_id}/ack")

    assert (answer.status, "over" in answer.json["detail"]) == (409, True)


async def test_explanation_tells_the_story_of_an_alert(port: Port, tenant: UUID) -> None:
    endpoint = await factories.webhook(port.daemon.db, tenant)
    wish = {"matchers": {"tenant": str(tenant)}, "comment": "exchange maintenance"}
    silence = (await port.ask("POST", SILENCES, json=wish)).json["id"]
    await finding(port, tenant)
    port.clock.turn(HOUR)
    await finding(port, tenant)
    [alert_id] = await ids(port, "state=firing")

    explained = (await port.ask("GET", f"{ALERTS}/{alert_id}/explain")).json

    assert [(entry["at"], entry["text"]) for entry in explained["decisions"]] == [
        ("2026-01-05T12:00:00Z", "The alert fired."),
        (
            "2026-01-05T12:00:00Z",
            f"Nobody was told, because of silence {silence} by admin until 2026-01-05T13:00:00Z: exchange maintenance.",
        ),
        ("2026-01-05T13:00:00Z", f"credential.failed was queued for endpoint {endpoint}; it waits to be sent."),
    ]
    assert explained["decisions"][-1]["delivery"]["state"] == "pending"
