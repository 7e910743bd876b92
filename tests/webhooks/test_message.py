"""The body: one serialisation, readable by every JSON parser, common keys first."""

import json
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertd.model import Event, EventType
from alertd.webhooks.message import HEAD, Endpoint, body, new_event_id

AT = datetime(2026, 1, 5, 12, 0, 0, 900_000, tzinfo=UTC)
TENANT = UUID("7b0c2f6e-8a4d-4c55-9d1b-0f4f6f1f2a10")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def event(fields: dict[str, object], tenant: UUID | None = TENANT) -> Event:
    return Event(id="evt_1", type=EventType.CREDENTIAL_FAILED, tenant_id=tenant, at=AT, subject="s", fields=fields)


def test_the_common_keys_come_first_and_the_fields_keep_their_order():
    text = body(event({"exchange": "binance", "error": "refused", "attempts": 3}))

    assert text == (
        b'{"event":"credential.failed","id":"evt_1","tenant_id":"7b0c2f6e-8a4d-4c55-9d1b-0f4f6f1f2a10",'
        b'"timestamp":1767614400,"exchange":"binance","error":"refused","attempts":3}'
    )


def test_an_event_for_operators_has_no_tenant():
    assert json.loads(body(event({}, tenant=None)))["tenant_id"] is None


def test_text_is_sent_as_utf_8():
    assert '"label":"Zürich 🏦"'.encode() in body(event({"label": "Zürich 🏦"}))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_does_not_know_becomes_null(value):
    content = json.loads(body(event({"details": {"series": [value, 1.5]}, "tuple": (value,)})))

    assert (content["details"], content["tuple"]) == ({"series": [None, 1.5]}, [None])


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("a\ud800b", "a\ufffdb"),
        ("\udc00", "\ufffd"),
        ("\ud83c\udfe6", "🏦"),
        ("\ud800\ud83c\udfe6", "\ufffd🏦"),
    ],
)
def test_half_a_surrogate_pair_is_replaced(text, sent):
    assert json.loads(body(event({"label": text})))["label"] == sent


@pytest.mark.parametrize("name", HEAD)
def test_a_field_cannot_replace_a_common_key(name):
    with pytest.raises(ValueError, match=name):
        body(event({name: "other"}))


def test_a_value_that_is_not_json_is_a_bug():
    with pytest.raises(TypeError):
        body(event({"at": AT}))


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters()).filter(lambda name: name not in HEAD), JSON, max_size=4))
def test_every_body_is_strict_json_in_utf_8(fields):
    content = json.loads(body(event(fields)).decode("utf-8"), parse_constant=pytest.fail)

    assert list(content)[:4] == list(HEAD)


def test_an_event_id_is_a_version_7_uuid_without_a_dot():
    assert re.fullmatch(r"evt_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}", new_event_id(AT))


def test_event_ids_sort_by_time():
    assert new_event_id(AT) < new_event_id(AT + timedelta(milliseconds=1))


def test_event_ids_of_one_moment_differ():
    assert len({new_event_id(AT) for _ in range(100)}) == 100


def test_an_endpoint_shows_none_of_its_secrets():
    endpoint = Endpoint("https://hooks.test/path-token", "whsec_old", "whsec_new", {"Authorization": "Bearer abc"})

    assert repr(endpoint) == "Endpoint()"
