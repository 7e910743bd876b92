"""What is written down holds no secret, and still says what happened."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretBytes, SecretStr

from alertd.model import Secret
from alertd.process.redaction import HIDDEN, holds_secret, redact, redact_fields, redact_text

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIv\n-----END EC PRIVATE KEY-----"


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    "name",
    [
        "secret",
        "api_secret",
        "apiSecret",
        "API-SECRET",
        "secret_id",
        "token",
        "access_token",
        "tokens",
        "password",
        "passwd",
        "passphrase",
        "api_key",
        "apiKey",
        "APIKey",
        "apikey",
        "X-Alert-API-Key",
        "authorization",
        "Proxy-Authorization",
        "Cookie",
        "dsn",
        "database_dsn",
        "private_key",
        "privateKey",
        "encryption_key",
        "ALERT_MASTER_API_KEY",
        "jwt_secret",
        "X-AlphaPulse-Signature",
        "pem",
    ],
)
def test_name_that_holds_a_secret(name):
    assert holds_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "_",
        "event",
        "key",
        "key_id",
        "exchange",
        "tenant_id",
        "credential_type",
        "secret_version",
        "secret_store",
        "token_type",
        "api_key_header",
        "records_next",
        "monkey",
        "wednesday",
    ],
)
def test_name_that_tells_nothing(name):
    assert not holds_secret(name)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("signed with whsec_aGVsbG8+d29ybGQ= today", "signed with *** today"),
        ("login by hvs.CAESIJ-abc_123 failed", "login by *** failed"),
        ("login by s.4kNsYEr7uXqDuFq2nsWpYvKt failed", "login by *** failed"),
        ("key alertd_a123456789_abcdefghijklmnop refused", "key *** refused"),
        (f"token {JWT} expired", "token *** expired"),
        (f"cannot read {PEM} here", "cannot read *** here"),
        ("cut -----BEGIN PRIVATE KEY-----\nMHcCAQ", "cut ***"),
        ("postgres://alertd:pa55@db.example:5432/alertd", "postgres://***@db.example:5432/alertd"),
        ("postgres://alertd:pa/55@db.example/alertd", "postgres://***@db.example/alertd"),
        ("postgres://alertd@db.example", "postgres://***@db.example"),
        ("host=db user=alertd password=hunter2 port=1", "host=db user=alertd password=*** port=1"),
        ("GET /v3/account?timestamp=1&signature=ab12&x=1", "GET /v3/account?timestamp=1&signature=***&x=1"),
        ("{'apiKey': 'abc', 'limit': 5}", "{'apiKey': ***, 'limit': 5}"),
        ('{"api_secret": "a b", "limit": 5}', '{"api_secret": ***, "limit": 5}'),
        ("Authorization: Basic dXNlcjpwYXNz\r\nHost: x", "Authorization: ***\r\nHost: x"),
        ("X-MBX-APIKEY: abc", "X-MBX-APIKEY: ***"),
        ("sent Bearer abc.def", "sent Bearer ***"),
    ],
)
def test_text_loses_what_looks_like_a_secret(text, redacted):
    assert redact_text(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "Credential health check completed",
        "http://127.0.0.1:9001/v1 answered 503",
        "https://example.org/a@b",
        "mail to ops@example.org",
        "invalid token: unexpected ]",
        "basic auth is off",
        "e.g. s.length",
    ],
)
def test_text_without_secrets_stays(text):
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "value",
    [
        SecretStr("x"),
        SecretBytes(b"x"),
        Secret(api_key="x", api_secret="x"),
        b"x",
        bytearray(b"x"),
        memoryview(b"x"),
    ],
)
def test_type_of_a_secret_is_hidden_under_any_name(value):
    assert redact_fields({"value": value}) == {"value": HIDDEN}


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (0.5, 0.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (Colour.RED, "red"),
        (datetime(2026, 1, 5, 12, tzinfo=UTC), "2026-01-05T12:00:00+00:00"),
        (UUID(int=0), "00000000-0000-0000-0000-000000000000"),
        (Path("/etc/alertd"), "/etc/alertd"),
        ((1, "whsec_x"), [1, HIDDEN]),
        ({"a"}, ["a"]),
        (ValueError("whsec_x"), "ValueError: ***"),
        (type("Odd", (), {"__repr__": lambda self: "<hvs.abc>"})(), "<***>"),
    ],
)
def test_value_becomes_plain(value, plain):
    assert redact(value) == plain


def test_nested_fields_are_hidden_by_name():
    fields = {"request": {"headers": [{"Authorization": "abc", "Host": "x"}]}}

    assert redact_fields(fields) == {"request": {"headers": [{"Authorization": HIDDEN, "Host": "x"}]}}


def test_secret_used_as_a_name_is_hidden():
    assert redact_fields({"by": {"whsec_abc": 1}}) == {"by": {HIDDEN: 1}}


@pytest.mark.parametrize("value", [None, True, False])
def test_absence_and_presence_of_a_secret_may_be_told(value):
    assert redact_fields({"token": value}) == {"token": value}


def test_deep_nesting_is_cut_off():
    assert redact([[[1]]], depth=2) == [["..."]]


@given(st.text(), st.text(alphabet="abcdefABCDEF0123456789+/=", min_size=4))
def test_no_surrounding_text_uncovers_a_signing_secret(around, body):
    text = f"{around} whsec_{body} {around}"

    assert f"whsec_{body}" not in redact_text(text)


@given(st.text())
def test_redacting_twice_changes_nothing_more(text):
    once = redact_text(text)

    assert redact_text(once) == once


@pytest.mark.timeout(10)
@pytest.mark.parametrize("piece", ["a", "a-", "x-", "://", "eyJa", "-----BEGIN A-----", "secret=", "a:"])
def test_long_hostile_text_is_no_trap(piece):
    assert redact_text(piece * 20_000)
