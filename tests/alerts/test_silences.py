"""What a silence matches, and when; what nobody may ask for."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.alerts.silences import (
    LABELS,
    LONGEST,
    MAX_STARS,
    MAX_VALUE_LENGTH,
    MAX_VALUES,
    Matchers,
    Silence,
    State,
    faults,
    fits,
    labels_of,
    matcher_faults,
    matches,
)

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TENANT = UUID(int=7)
LABELLED = labels_of(TENANT, "credential_health_check", "btc-1", "okx")
PLATFORM = labels_of(None, "platform", "vault", None)


def silence(matchers: Matchers, *, expired_at: datetime | None = None) -> Silence:
    return Silence(UUID(int=1), matchers, "works", "ops", NOW, NOW, NOW + HOUR, expired_at)


@pytest.mark.parametrize(
    ("matchers", "fitting"),
    [
        ({"exchange": ("okx",)}, True),
        ({"exchange": ("OKX",)}, False),
        ({"exchange": ("kraken", "okx")}, True),
        ({"exchange": ("kraken", "binance")}, False),
        ({"check": ("credential*",)}, True),
        ({"check": ("*",)}, True),
        ({"check": ("credential",)}, False),
        ({"subject": ("btc-[0-9]",)}, True),
        ({"subject": ("btc-?", "eth-?")}, True),
        ({"subject": ("btc-.",)}, False),
        ({"tenant": (str(TENANT),)}, True),
        ({"tenant": (str(TENANT),), "exchange": ("kraken",)}, False),
        ({"tenant": (str(TENANT),), "exchange": ("o*",)}, True),
        ({}, False),
    ],
)
def test_every_label_must_fit_by_one_of_its_values(matchers: Matchers, fitting: bool) -> None:
    assert fits(matchers, LABELLED) is fitting


@pytest.mark.parametrize("label", ["tenant", "exchange"])
def test_nothing_fits_a_label_that_is_absent(label: str) -> None:
    assert not fits({label: ("*",)}, PLATFORM)


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (NOW - timedelta(microseconds=1), State.PENDING),
        (NOW, State.ACTIVE),
        (NOW + HOUR - timedelta(microseconds=1), State.ACTIVE),
        (NOW + HOUR, State.EXPIRED),
    ],
)
def test_silence_holds_from_its_start_until_before_its_end(at: datetime, state: State) -> None:
    asked = silence({"exchange": ("okx",)})

    assert (asked.state(at), matches(asked, LABELLED, at)) == (state, state is State.ACTIVE)


def test_silence_that_a_person_ended_is_over() -> None:
    assert silence({"exchange": ("okx",)}, expired_at=NOW).state(NOW) is State.EXPIRED


@pytest.mark.parametrize(
    ("matchers", "where"),
    [
        ({}, "/matchers"),
        ({"severity": ("critical",)}, "/matchers"),
        ({"tenant": ()}, "/matchers/tenant"),
        ({"tenant": ("x",) * (MAX_VALUES + 1)}, "/matchers/tenant"),
        ({"check": ("",)}, "/matchers/check"),
        ({"check": ("x" * (MAX_VALUE_LENGTH + 1),)}, "/matchers/check"),
        ({"check": ("*" * (MAX_STARS + 1),)}, "/matchers/check"),
    ],
)
def test_matchers_have_limits(matchers: Matchers, where: str) -> None:
    assert [fault.where for fault in matcher_faults(matchers)] == [where]


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "wrong"),
    [
        (NOW, NOW + HOUR, []),
        (NOW, NOW + LONGEST, []),
        (NOW, NOW + LONGEST + HOUR, ["/ends_at"]),
        (NOW, NOW, ["/ends_at"]),
        (NOW - 2 * HOUR, NOW - HOUR, ["/ends_at"]),
        (NOW + 2 * HOUR, NOW + HOUR, ["/ends_at"]),
    ],
)
def test_silence_ends_in_the_future_and_within_a_year(starts_at: datetime, ends_at: datetime, wrong: list[str]) -> None:
    assert [fault.where for fault in faults({"check": ("x",)}, starts_at, ends_at, NOW)] == wrong


@given(st.dictionaries(st.sampled_from(LABELS), st.text(st.characters(exclude_characters="*?[")), min_size=1))
def test_labels_without_wildcards_fit_themselves(labels: dict[str, str]) -> None:
    assert fits({label: (value,) for label, value in labels.items()}, labels)
