"""Recorded answers come to their reason; an unknown answer accuses nobody, whatever it looks like."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.credentials.classify import flaw, ruling
from alertd.credentials.quirks import EXCHANGES
from alertd.credentials.quirks.shape import Answer, Said
from alertd.model import ACCUSING, Permissions, Reason, Secret
from tests.credentials.exchanges.cases import CASES

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SHOWN = re.compile(r"http [0-9]{3}( [A-Za-z0-9_.:-]{1,40})?")
RULINGS = [(name, *recorded) for name, cases in CASES.items() for recorded in cases.rulings]

names = st.sampled_from(sorted(EXCHANGES))
statuses = st.integers(200, 599)
unknown_codes = st.integers(900_000, 999_999).map(str) | st.from_regex(r"Zz[A-Za-z]{3,12}", fullmatch=True)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
)
fields = ("code", "msg", "retCode", "retMsg", "message", "error", "errors", "result", "data", "status", "permissions")


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> Answer:
    if isinstance(body, str):
        return Answer(status, headers or {}, body, None)
    return Answer(status, headers or {}, json.dumps(body), body)


@pytest.mark.parametrize(("exchange", "status", "body", "reason"), RULINGS)
def test_a_recorded_answer(exchange: str, status: int, body: Any, reason: Reason) -> None:
    found = ruling(EXCHANGES[exchange], answer(status, body), (), NOW)

    assert found.reason is reason


@given(names, statuses, st.fixed_dictionaries({}, optional=dict.fromkeys(fields, unknown_codes | anything)))
def test_an_unknown_answer_accuses_nobody(exchange: str, status: int, body: dict[str, Any]) -> None:
    found = ruling(EXCHANGES[exchange], answer(status, body), ("ExchangeError", "BaseError"), NOW)

    assert found.reason not in ACCUSING
    assert SHOWN.fullmatch(found.code)


@given(names, statuses.filter(lambda status: status != 401), st.text(max_size=200))
def test_neither_does_one_that_is_no_json(exchange: str, status: int, text: str) -> None:
    found = ruling(EXCHANGES[exchange], answer(status, text), ("AuthenticationError",), NOW)

    assert found.reason not in ACCUSING
    assert SHOWN.fullmatch(found.code)


@given(names, anything)
def test_no_shape_of_a_good_answer_breaks_the_reading(exchange: str, body: Any) -> None:
    quirks = EXCHANGES[exchange]

    told = [call.good(body) for call in (*quirks.ask, *quirks.testnet_ask)]

    assert {type(each) for each in told} <= {Permissions, type(None)}
    assert type(quirks.read(body)) is Said


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (("AccountSuspended", "AuthenticationError", "ExchangeError"), Reason.ACCOUNT_DISABLED),
        (("AccountNotEnabled", "PermissionDenied", "AuthenticationError"), Reason.PERMISSION),
        (("AuthenticationError", "ExchangeError"), Reason.INVALID_KEY),
        (("InvalidNonce", "NetworkError"), Reason.CLOCK_SKEW),
        (("DDoSProtection", "NetworkError"), Reason.RATE_LIMITED),
        (("OnMaintenance", "ExchangeNotAvailable"), Reason.EXCHANGE_DOWN),
        (("RestrictedLocation", "OperationRejected"), Reason.REGION_BLOCKED),
        (("BadSymbol", "BadRequest", "ExchangeError"), Reason.BAD_RESPONSE),
    ],
)
def test_where_no_rule_knows_the_code_the_drivers_class_decides(raised: tuple[str, ...], reason: Reason) -> None:
    found = ruling(EXCHANGES["okx"], answer(400, {"code": "51999", "msg": ""}), raised, NOW)

    assert (found.reason, found.code) == (reason, "http 400 51999")


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (404, "not found", Reason.BAD_RESPONSE),
        (407, "", Reason.BAD_RESPONSE),
        (408, "", Reason.EXCHANGE_DOWN),
        (418, "", Reason.RATE_LIMITED),
        (429, "slow down", Reason.RATE_LIMITED),
        (403, "<html>error 1015: you are being rate limited</html>", Reason.RATE_LIMITED),
        (403, "<html>This service is not available in your region</html>", Reason.REGION_BLOCKED),
        (451, "", Reason.REGION_BLOCKED),
        (502, "<html>bad gateway</html>", Reason.EXCHANGE_DOWN),
        (504, "", Reason.EXCHANGE_DOWN),
        (200, "<html>maintenance</html>", Reason.BAD_RESPONSE),
        (200, "", Reason.BAD_RESPONSE),
        (302, "", Reason.BAD_RESPONSE),
    ],
)
def test_what_any_servers_answer_means(status: int, text: str, reason: Reason) -> None:
    assert ruling(EXCHANGES["okx"], answer(status, text), (), NOW).reason is reason


@pytest.mark.parametrize(
    ("status", "body", "headers", "stay_away"),
    [
        (429, "", {}, timedelta(seconds=30)),
        (429, "", {"Retry-After": "5"}, timedelta(seconds=5)),
        (429, "", {"Retry-After": "Mon, 05 Jan 2026 12:01:00 GMT"}, timedelta(minutes=1)),
        (429, "", {"Retry-After": "99999999999999"}, timedelta(days=1)),
        (429, "", {"Retry-After": "soon"}, timedelta(seconds=30)),
        (418, {"code": -1003, "msg": "IP banned until 1767614700000."}, {}, timedelta(minutes=5)),
        (418, {"code": -1003, "msg": "IP banned."}, {}, timedelta(minutes=2)),
        (503, "", {"Retry-After": "120"}, timedelta(minutes=2)),
        (503, "", {}, None),
        (401, {"code": -2015, "msg": ""}, {"Retry-After": "5"}, None),
    ],
)
def test_how_long_to_stay_away(status: int, body: Any, headers: dict[str, str], stay_away: timedelta | None) -> None:
    assert ruling(EXCHANGES["binance"], answer(status, body, headers), (), NOW).stay_away == stay_away


@pytest.mark.parametrize(
    ("date", "code"),
    [
        ("Mon, 05 Jan 2026 11:55:00 GMT", "http 401 50102 clock+300s"),
        ("Mon, 05 Jan 2026 12:00:09 GMT", "http 401 50102 clock-9s"),
        ("yesterday", "http 401 50102"),
        ("Mon, 05 Jan 99999999999999999999 12:00:00 GMT", "http 401 50102"),
    ],
)
def test_our_clock_is_measured_where_a_time_was_refused(date: str, code: str) -> None:
    body = {"code": "50102", "msg": "Timestamp request expired"}
    found = ruling(EXCHANGES["okx"], answer(401, body, {"Date": date}), (), NOW)

    assert (found.reason, found.code) == (Reason.CLOCK_SKEW, code)


@pytest.mark.parametrize(
    ("signed_at", "reason"),
    [(NOW + timedelta(minutes=3), Reason.CLOCK_SKEW), (NOW - timedelta(seconds=10), Reason.INVALID_KEY)],
)
def test_a_clock_that_was_put_right_before_the_answer_came_accuses_nobody(signed_at: datetime, reason: Reason) -> None:
    refusal = answer(401, "Unauthorized", {"Date": "Mon, 05 Jan 2026 12:00:00 GMT"})

    assert ruling(EXCHANGES["coinbase"], refusal, (), NOW, signed_at=signed_at).reason is reason


def test_our_clock_is_nobodys_business_otherwise() -> None:
    found = ruling(EXCHANGES["okx"], answer(401, {"code": "50111"}, {"Date": "Mon, 05 Jan 2026 12:00:00 GMT"}), (), NOW)

    assert (found.reason, found.code) == (Reason.INVALID_KEY, "http 401 50111")


def test_a_key_in_the_place_of_a_code_is_not_shown() -> None:
    found = ruling(EXCHANGES["okx"], answer(400, {"code": "8a7c31b3-0f8f-4d5b-ad9b-d9cb469f165b"}), (), NOW)

    assert found.code == "http 400 other"


def test_a_code_with_blanks_is_shown_as_one_word() -> None:
    found = ruling(EXCHANGES["kraken"], answer(200, {"error": ["EAPI:Invalid key"]}), (), NOW)

    assert found.code == "http 200 EAPI:Invalid_key"


PEM = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        (Secret("key", "secret"), None),
        (Secret("key", PEM), None),
        (Secret("key", ""), Reason.INCOMPLETE_SECRET),
        (Secret("k\ney", "secret"), Reason.BAD_SECRET),
        (Secret("key", "sec\x00ret"), Reason.BAD_SECRET),
        # key and secret in each other's place: a header cannot hold it
        (Secret(PEM, "key"), Reason.BAD_SECRET),
    ],
)
def test_what_is_wrong_with_a_secret_before_anybody_is_asked(secret: Secret, reason: Reason | None) -> None:
    assert flaw(EXCHANGES["binance"], secret) is reason
