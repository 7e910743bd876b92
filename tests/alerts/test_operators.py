"""How alerts are gathered into messages to operators."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.alerts.operators import MANY, SHOWN, News, Notice, escalation, notices
from alertd.model import Receiver, Severity

ALL = Receiver("all")
WARN = Receiver("warn", Severity.WARNING)
PAGER = Receiver("pager", Severity.CRITICAL, escalation=True)
EVERYBODY = [ALL, WARN, PAGER]

severities = st.sampled_from(Severity)
receivers = st.lists(
    st.builds(Receiver, st.sampled_from("abcdef"), st.none() | severities, st.booleans()), unique_by=lambda r: r.name
)


def news(number: int, severity: Severity = Severity.WARNING, *, tenant: int = 1) -> News:
    return News(
        id=UUID(int=number),
        tenant_id=UUID(int=1000 + tenant),
        tenant_name=f"T{tenant}",
        check="daily_pnl_check",
        subject=f"fund-{number}",
        rule="drift",
        exchange=None,
        severity=severity,
        details={"message": "It earns too little."},
    )


some_news = st.lists(
    st.builds(
        lambda number, severity, tenant, over, heard: replace(
            news(number, severity, tenant=tenant), over=over, heard_by=heard
        ),
        st.integers(1, 10_000),
        severities,
        st.integers(1, 4),
        st.booleans(),
        st.frozensets(st.sampled_from("abcdef")),
    ),
    max_size=40,
    unique_by=lambda each: each.id,
)


def who_reads_what(found: list[Notice]) -> set[tuple[str, ...]]:
    return {(*notice.names, *(each.subject for each in notice.about)) for notice in found}


@pytest.mark.parametrize(
    ("severity", "names"),
    [
        (Severity.INFO, ("all",)),
        (Severity.WARNING, ("all", "warn")),
        (Severity.CRITICAL, ("all", "warn", "pager")),
        (Severity.EMERGENCY, ("all", "warn", "pager")),
    ],
)
def test_each_hears_of_what_is_loud_enough(severity: Severity, names: tuple[str, ...]) -> None:
    assert [notice.names for notice in notices([news(1, severity)], EVERYBODY)] == [names]


def test_alerts_of_one_tenant_are_one_message_worst_first() -> None:
    [notice] = notices([news(1), news(2, Severity.CRITICAL), news(3)], [ALL])

    assert [each.subject for each in notice.about] == ["fund-2", "fund-1", "fund-3"]


def test_who_hears_of_fewer_gets_a_message_of_those() -> None:
    found = notices([news(1), news(2, Severity.CRITICAL)], EVERYBODY)

    assert who_reads_what(found) == {("all", "warn", "fund-2", "fund-1"), ("pager", "fund-2")}


def test_each_tenant_has_a_message_of_its_own() -> None:
    found = notices([news(1), news(2, tenant=2)], [ALL])

    assert who_reads_what(found) == {("all", "fund-1"), ("all", "fund-2")}


def test_many_subjects_of_several_tenants_are_one_event() -> None:
    [notice] = notices([news(number, tenant=number % 3) for number in range(MANY)], [ALL])

    assert notice.fields["message"].startswith(
        "20 alerts of 3 tenants at about the same time: the whole market moved, or the data is wrong.\nT0: [warning]"
    )


def test_many_subjects_of_one_tenant_are_its_own() -> None:
    [notice] = notices([news(number) for number in range(MANY)], [ALL])

    assert notice.fields["message"].startswith("20 alerts of T1.\n")


def test_long_list_is_cut_and_counted() -> None:
    [notice] = notices([news(number) for number in range(SHOWN + 3)], [ALL])

    assert (notice.fields["count"], len(notice.fields["alerts"])) == (SHOWN + 3, SHOWN)
    assert notice.fields["message"].splitlines()[-1] == "and 18 more"


def test_end_goes_to_who_heard_of_the_beginning() -> None:
    over = replace(news(1), over=True, heard_by=frozenset({"pager"}))

    [notice] = notices([over], EVERYBODY)

    assert (notice.names, notice.fields["state"]) == (("pager",), "resolved")


def test_what_was_over_before_anybody_heard_is_not_told() -> None:
    assert notices([replace(news(1), over=True)], EVERYBODY) == []


def test_escalation_goes_to_those_who_are_there_for_it() -> None:
    notice = escalation([news(1, Severity.CRITICAL), news(2, Severity.CRITICAL, tenant=2)], EVERYBODY)

    assert (notice.names, notice.fields["severity"]) == (("pager",), "critical")
    assert notice.fields["message"].startswith("Nobody has acknowledged 2 alerts of 2 tenants.\n")


@pytest.mark.parametrize(
    ("about", "whose"),
    [
        ([news(1)], "T1"),
        ([replace(news(1), tenant_name=None)], f"tenant {UUID(int=1001)}"),
        ([news(1), news(2)], "T1"),
        ([news(1), news(2, tenant=2)], "2 tenants"),
        ([replace(news(1), tenant_id=None)], "the platform"),
        ([news(1), replace(news(2), tenant_id=None)], "T1 and the platform"),
        ([news(1), news(2, tenant=2), replace(news(3), tenant_id=None)], "2 tenants and the platform"),
    ],
)
def test_message_says_whose_alerts_it_is_about(about: list[News], whose: str) -> None:
    assert escalation(about, EVERYBODY).fields["subject"] == whose


def test_key_is_named_by_its_exchange_and_place() -> None:
    key = replace(news(1), exchange="okx", details={"exchange": "okx", "leaf": "trading.main", "reason": "expired"})

    assert key.text == "[warning] okx trading.main: expired"


@given(some_news, receivers)
def test_nobody_misses_what_is_his_and_nobody_reads_it_twice(told: list[News], hearing: list[Receiver]) -> None:
    read = sorted(
        (name, each.id) for notice in notices(told, hearing) for name in notice.names for each in notice.about
    )

    wanted = [
        (receiver.name, each.id)
        for receiver in hearing
        for each in told
        if (receiver.name in each.heard_by if each.over else receiver.hears(each.severity))
    ]
    assert read == sorted(wanted)
