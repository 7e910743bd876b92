"""What people do to an endpoint: add, change, switch, test, give a new secret, remove."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from alertd.config import Notifier
from alertd.db import new_id
from alertd.errors import Absent, Conflict, Refused
from alertd.model import EventType
from alertd.webhooks import endpoints, notifiers
from alertd.webhooks.endpoints import Changes, Draft
from alertd.webhooks.requirements import event_type_problems, header_problems
from alertd.webhooks.seals import unseal
from tests.factories import tenant, webhook
from tests.webhooks.post_office import (
    CIPHER,
    ERROR,
    FAILED,
    HOUR,
    OK,
    ONCE,
    RECOVERED,
    RISK,
    SECOND,
    endpoint,
    heads,
    say,
    say_many,
    send_all,
    state_of,
    taken,
)

URL = "https://hooks.example.com/acme"


async def add(db, now, tenant_id, **wishes):
    return await endpoints.add(db, Draft(tenant_id, URL, **wishes), cipher=CIPHER, now=now)


async def change(db, now, webhook_id, **changes):
    async with db.transaction() as tx:
        return await endpoints.update(tx, webhook_id, Changes(**changes), cipher=CIPHER, now=now)


# --- Add -------------------------------------------------------------------------------------


async def test_an_added_endpoint_is_active_and_closed(db, acme, now):
    added = await add(db, now, acme, description="ops")

    found = await endpoints.get(db, added.webhook.id)
    assert (found.tenant_id, found.url, found.event_types, found.description) == (acme, URL, ("*",), "ops")
    assert (found.is_active, found.circuit, found.created_at) == (True, "closed", now)


async def test_its_secret_is_answered_once_and_sealed_in_the_row(db, acme, now):
    added = await add(db, now, acme)

    stored = (await endpoint(db, added.webhook.id))["webhook_secret"]
    assert added.secret.startswith("whsec_")
    assert added.secret not in stored
    assert unseal(CIPHER, added.webhook.id, stored) == added.secret
    assert added.secret not in repr(added)


async def test_a_sealed_secret_is_of_no_use_in_another_row(db, acme, now):
    added = await add(db, now, acme)
    stored = (await endpoint(db, added.webhook.id))["webhook_secret"]

    with pytest.raises(Refused):
        unseal(CIPHER, new_id(), stored)


async def test_headers_are_sealed(db, acme, now):
    added = await add(db, now, acme, headers={"Authorization": "Bearer hunter2"})

    stored = (await endpoint(db, added.webhook.id))["headers"]
    assert "hunter2" not in stored
    assert json.loads(unseal(CIPHER, added.webhook.id, stored)) == {"Authorization": "Bearer hunter2"}
    assert added.webhook.has_headers is True


async def test_several_event_types_are_kept_in_order(db, acme, now):
    added = await add(db, now, acme, event_types=("credential.failed", "credential.recovered"))

    assert added.webhook.event_types == ("credential.failed", "credential.recovered")


async def test_an_unknown_tenant_gets_no_endpoint(db, now):
    with pytest.raises(Absent):
        await add(db, now, new_id())


async def test_what_cannot_be_sent_is_refused(db, acme, now):
    with pytest.raises(Refused, match=r"unknown nonsense.*Host is reserved"):
        await add(db, now, acme, event_types=("nonsense",), headers={"Host": "x"})


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-type",
        "Content-Length",
        "Webhook-Signature",
        "webhook-id",
        "X-AlphaPulse-Signature",
        "x-alphapulse-anything",
        "Connection",
        "Transfer-Encoding",
        "Proxy-Authorization",
        "User-Agent",
        "Accept-Encoding",
    ],
)
def test_headers_of_ours_and_of_the_connection_are_reserved(name):
    assert header_problems({name: "x"}, "X-AlphaPulse") == [f"headers: {name} is reserved"]


@pytest.mark.parametrize(
    ("headers", "problems"),
    [
        ({"Authorization": "Bearer x", "X-Team": "ops, night"}, 0),
        ({"X-Empty": ""}, 0),
        ({"X Space": "x"}, 1),
        ({"": "x"}, 1),
        ({"X-Break": "a\r\nHost: b"}, 1),
        ({"X-Nul": "a\x00"}, 1),
        ({"X-Umlaut": "Zürich"}, 1),
        ({"X-Long": "x" * 1025}, 1),
        ({"X-Twice": "a", "x-twice": "b"}, 1),
        ({f"X-{number}": "x" for number in range(21)}, 1),
    ],
)
def test_headers_are_judged(headers, problems):
    assert len(header_problems(headers, "X-AlphaPulse")) == problems


def test_a_header_problem_never_repeats_the_value():
    assert "hunter2" not in " ".join(header_problems({"Host": "hunter2", "X-Bad": "hunter2\n"}, "X-AlphaPulse"))


@pytest.mark.parametrize(
    ("event_types", "problems"),
    [((), 0), (("*",), 0), (("credential.failed", "webhook.test"), 0), (("system.alert",), 1), (("",), 1)],
)
def test_event_types_are_judged(event_types, problems):
    assert len(event_type_problems(event_types)) == problems


# --- Read ------------------------------------------------------------------------------------


async def test_a_tenants_list_holds_its_own_endpoints_only(db, acme, hook):
    await webhook(db, await tenant(db))

    assert [found.id for found in await endpoints.find(db, tenant_id=acme)] == [hook]


async def test_operators_notifiers_are_in_no_list(db, hook):
    notifier = await webhook(db, None, channel="apprise", url="ops", secret="")

    assert [found.id for found in await endpoints.find(db)] == [hook]
    with pytest.raises(Absent):
        await endpoints.get(db, notifier)


async def test_a_list_goes_on_after_the_last_one(db, acme):
    first, second, third = sorted([await webhook(db, acme) for _ in range(3)])

    assert [found.id for found in await endpoints.find(db, limit=2)] == [first, second]
    assert [found.id for found in await endpoints.find(db, after=second)] == [third]


async def test_the_url_is_not_in_a_log_line(db, hook):
    assert URL not in repr(await endpoints.get(db, hook))


# --- Change ----------------------------------------------------------------------------------


async def test_what_is_not_mentioned_stays(db, acme, now):
    added = await add(db, now, acme, event_types=("credential.failed",), headers={"X-Team": "ops"})

    changed = await change(db, now, added.webhook.id, description="new")

    assert (changed.description, changed.url, changed.event_types, changed.has_headers) == (
        "new",
        URL,
        ("credential.failed",),
        True,
    )


async def test_everything_can_be_changed(db, acme, now):
    added = await add(db, now, acme, headers={"X-Team": "ops"})

    changed = await change(
        db, now, added.webhook.id, url="https://new.example", event_types=("credential.failed",), headers={}
    )

    assert (changed.url, changed.event_types, changed.has_headers) == (
        "https://new.example",
        ("credential.failed",),
        False,
    )


async def test_a_change_is_judged_like_an_addition(db, hook, now):
    with pytest.raises(Refused):
        await change(db, now, hook, headers={"Host": "x"})


async def test_what_is_not_there_cannot_be_changed(db, now):
    with pytest.raises(Absent):
        await change(db, now, new_id(), description="x")


async def test_a_new_url_is_a_new_receiver(db, acme, hook, now):
    parked = await open_the_circuit(db, acme, hook, now)

    await change(db, now, hook, url="https://new.example")

    assert (await endpoint(db, hook))["circuit"] == "closed"
    assert await heads(db, now) == [parked]


async def open_the_circuit(db, tenant_id, webhook_id, now):
    """Also parks one message; answers its event id."""
    await db.execute(
        """
        UPDATE tenant_webhooks
        SET circuit = 'open', circuit_until = $2, cooldown_seconds = 900, consecutive_failures = 10
        WHERE id = $1
        """,
        webhook_id,
        now + HOUR,
    )
    return await say(db, FAILED, tenant_id, at=now)


# --- Switch ----------------------------------------------------------------------------------


async def test_switching_off_parks_what_is_queued(db, acme, hook, now):
    queued = await say(db, FAILED, acme, at=now)

    changed = await change(db, now, hook, is_active=False)

    assert (changed.is_active, changed.disabled_reason) == (False, "person")
    assert await state_of(db, queued) == "parked"
    assert await heads(db, now + HOUR) == []


async def test_switching_on_sends_the_latest_state_of_each_subject(db, acme, hook, now):
    await endpoints.disable(db, hook, now=now)
    await say(db, FAILED, acme, at=now)
    recovered = await say(db, RECOVERED, acme, at=now + SECOND)
    risk = await say(db, RISK, acme, at=now + 2 * SECOND)

    changed = await change(db, now + HOUR, hook, is_active=True)

    assert (changed.is_active, changed.disabled_reason) == (True, None)
    first = await send_all(db, OK, now=now + HOUR)
    assert first + await send_all(db, OK, now=now + HOUR) == [recovered, risk]


async def test_enabling_answers_how_many_messages_catch_up(db, acme, hook, now):
    await endpoints.disable(db, hook, now=now)
    await say_many(db, FAILED, acme, at=now, messages=3)

    assert await endpoints.enable(db, hook, now=now) == 3


async def test_switching_off_keeps_that_it_was_gone(db, hook, now):
    await db.execute("UPDATE tenant_webhooks SET is_active = false, disabled_reason = 'gone'")

    await endpoints.disable(db, hook, now=now)

    assert (await endpoints.get(db, hook)).disabled_reason == "gone"


async def test_a_circuit_can_be_closed_by_hand(db, acme, hook, now):
    parked = await open_the_circuit(db, acme, hook, now)

    assert await endpoints.reset(db, hook, now=now) == 1

    row = await endpoint(db, hook)
    assert (row["circuit"], row["consecutive_failures"], row["cooldown_seconds"]) == ("closed", 0, 0)
    assert await heads(db, now) == [parked]


async def test_closing_the_circuit_does_not_switch_on(db, acme, hook, now):
    await endpoints.disable(db, hook, now=now)
    parked = await say(db, FAILED, acme, at=now)

    assert await endpoints.reset(db, hook, now=now) == 0

    assert await state_of(db, parked) == "parked"


@pytest.mark.parametrize("act", [endpoints.enable, endpoints.disable, endpoints.reset, endpoints.test])
async def test_what_is_not_there_cannot_be_switched(db, now, act):
    with pytest.raises(Absent):
        await act(db, new_id(), now=now)


# --- Test ------------------------------------------------------------------------------------


async def test_a_test_is_queued_for_this_endpoint_alone(db, acme, hook, now):
    await webhook(db, acme)

    tested = await endpoints.test(db, hook, now=now)

    (one,) = await taken(db, now)
    assert one.target.id == hook
    assert [due.message.id for due in one.deliveries] == [tested]
    assert [due.source for due in one.deliveries] == ["test"]


async def test_a_paused_tenants_endpoint_is_not_tested(db, now):
    hook = await webhook(db, await tenant(db, paused=True))

    with pytest.raises(Conflict):
        await endpoints.test(db, hook, now=now)


async def test_a_failed_test_opens_no_circuit(db, hook, now):
    await endpoints.test(db, hook, now=now)

    await send_all(db, ERROR, now=now, policy=ONCE)

    assert (await endpoint(db, hook))["consecutive_failures"] == 0


# --- Secrets ---------------------------------------------------------------------------------


async def test_during_a_rotation_both_secrets_are_there(db, acme, now):
    added = await add(db, now, acme)

    fresh = await endpoints.rotate_secret(db, added.webhook.id, overlap=HOUR, cipher=CIPHER, now=now)

    row = await endpoint(db, added.webhook.id)
    assert unseal(CIPHER, added.webhook.id, row["webhook_secret"]) == added.secret
    assert unseal(CIPHER, added.webhook.id, row["next_secret"]) == fresh != added.secret
    assert row["rotation_ends_at"] == now + HOUR


async def test_a_commit_ends_the_rotation(db, acme, now):
    added = await add(db, now, acme)
    fresh = await endpoints.rotate_secret(db, added.webhook.id, overlap=HOUR, cipher=CIPHER, now=now)

    await endpoints.commit_secret(db, added.webhook.id)

    row = await endpoint(db, added.webhook.id)
    assert unseal(CIPHER, added.webhook.id, row["webhook_secret"]) == fresh
    assert (row["next_secret"], row["rotation_ends_at"]) == (None, None)


async def test_without_an_overlap_the_new_secret_signs_at_once(db, acme, now):
    added = await add(db, now, acme)

    fresh = await endpoints.rotate_secret(db, added.webhook.id, overlap=timedelta(0), cipher=CIPHER, now=now)

    row = await endpoint(db, added.webhook.id)
    assert unseal(CIPHER, added.webhook.id, row["webhook_secret"]) == fresh


async def test_a_second_rotation_replaces_the_first(db, acme, now):
    added = await add(db, now, acme)
    await endpoints.rotate_secret(db, added.webhook.id, overlap=HOUR, cipher=CIPHER, now=now)

    fresh = await endpoints.rotate_secret(db, added.webhook.id, overlap=HOUR, cipher=CIPHER, now=now)

    row = await endpoint(db, added.webhook.id)
    assert unseal(CIPHER, added.webhook.id, row["next_secret"]) == fresh


async def test_a_rotation_after_the_first_has_ended_keeps_the_secret_of_the_first(db, acme, now):
    added = await add(db, now, acme)
    first = await endpoints.rotate_secret(db, added.webhook.id, overlap=HOUR, cipher=CIPHER, now=now)

    await endpoints.rotate_secret(db, added.webhook.id, overlap=HOUR, cipher=CIPHER, now=now + HOUR)

    row = await endpoint(db, added.webhook.id)
    assert unseal(CIPHER, added.webhook.id, row["webhook_secret"]) == first


async def test_there_is_nothing_to_commit_without_a_rotation(db, hook):
    with pytest.raises(Conflict):
        await endpoints.commit_secret(db, hook)


async def test_an_unknown_endpoint_has_no_secret_to_change(db, now):
    with pytest.raises(Absent):
        await endpoints.rotate_secret(db, new_id(), overlap=HOUR, cipher=CIPHER, now=now)
    with pytest.raises(Absent):
        await endpoints.commit_secret(db, new_id())


# --- Remove ----------------------------------------------------------------------------------


async def test_a_removed_endpoint_takes_its_deliveries_along(db, acme, hook, now):
    await say(db, FAILED, acme, at=now)

    await endpoints.remove(db, hook)

    assert await db.fetchval("SELECT count(*) FROM webhook_deliveries") == 0
    assert await db.fetchval("SELECT count(*) FROM events") == 1


async def test_an_endpoint_is_removed_once(db, hook):
    await endpoints.remove(db, hook)

    with pytest.raises(Absent):
        await endpoints.remove(db, hook)


# --- Operators' notifiers --------------------------------------------------------------------


async def listening(db):
    rows = await db.fetch("SELECT webhook_url, event_type FROM tenant_webhooks ORDER BY webhook_url")
    return [tuple(row) for row in rows]


async def sync(db, names, now, **settings):
    wanted = [Notifier(name=name, url="json://127.0.0.1", **settings) for name in names]
    async with db.transaction() as tx:
        await notifiers.sync(tx, wanted, channel="apprise", now=now)


async def test_each_notifier_of_the_settings_has_one_row(db, now):
    await sync(db, ["mail", "pager"], now)
    await sync(db, ["mail", "pager"], now)

    assert await listening(db) == [("mail", "*"), ("pager", "*")]


async def test_a_notifier_that_is_gone_from_the_settings_hears_nothing(db, now):
    await sync(db, ["mail", "pager"], now)

    await sync(db, ["mail"], now)

    assert await listening(db) == [("mail", "*"), ("pager", "")]


async def test_a_notifier_that_comes_back_hears_again(db, now):
    await sync(db, ["pager"], now)
    await sync(db, [], now)

    await sync(db, ["pager"], now)

    assert await listening(db) == [("pager", "*")]


async def test_a_notifier_that_comes_back_gets_what_was_parked_for_it(db, now):
    await sync(db, ["pager"], now)
    parked = await say(db, EventType.SYSTEM_ALERT, None, at=now)
    await send_all(db, ERROR, now=now, policy=replace(ONCE, threshold=1))
    await sync(db, [], now)
    assert await heads(db, now + HOUR) == []

    await sync(db, ["pager"], now + HOUR)

    assert await heads(db, now + HOUR) == [parked]


async def test_what_a_notifier_hears_of_follows_the_settings(db, now):
    await sync(db, ["pager"], now)

    await sync(db, ["pager"], now, min_severity="critical", escalation=True)

    row = await db.fetchrow("SELECT min_severity, escalation FROM tenant_webhooks")
    assert tuple(row) == ("critical", True)


async def test_tenants_endpoints_are_not_touched(db, hook, now):
    await sync(db, [], now)

    assert (await endpoints.get(db, hook)).is_active is True
