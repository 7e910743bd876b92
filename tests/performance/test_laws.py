"""What holds whatever the strategy: scale, order, replay, restart, and money that comes and goes."""

from dataclasses import astuple
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertd.performance.checks import CHECKS
from alertd.performance.days import DayBoundary
from alertd.performance.findings import Rule, Status
from alertd.performance.reference import Reference, ReferenceKind
from alertd.performance.returns import DailyReturn, Flow, Quality, Snapshot, daily_returns
from alertd.performance.stats.drawdown import DrawdownMode
from alertd.performance.stats.expectation import expectation, measure
from alertd.performance.subject import LimitTerms, LossBasis, Subject
from alertd.performance.track import TRACKS, advanced, fresh_track
from tests.performance.making import NOW, THRESHOLDS, YESTERDAY, daily, flow, noise, reference, snapshot

REFERENCE = reference()
BASELINE = REFERENCE.baseline
EXPECTED = expectation(BASELINE)

returns = st.floats(-0.4, 0.4)
live = st.lists(st.one_of(returns, st.just(0.0), st.just(float("nan"))), min_size=1, max_size=60)


@st.composite
def histories(draw) -> list[DailyReturn]:
    """Days with gaps, idle days, and some that are no numbers; the latest was yesterday."""
    values = draw(live)
    spans = draw(st.lists(st.integers(1, 5), min_size=len(values), max_size=len(values)))
    ends = np.cumsum(spans)
    return [
        DailyReturn(YESTERDAY - timedelta(days=int(ends[-1] - end)), value, span)
        for value, span, end in zip(values, spans, ends, strict=True)
    ]


def replayed(days):
    return advanced(fresh_track(BASELINE), days, BASELINE, EXPECTED)


@given(histories(), st.data())
def test_going_on_from_a_stored_track_is_a_replay(days, data):
    cut = data.draw(st.integers(0, len(days)))
    stored = TRACKS.validate_json(TRACKS.dump_json(replayed(days[:cut])))

    assert advanced(stored, days[cut:], BASELINE, EXPECTED) == replayed(days)


@given(histories())
def test_days_that_were_seen_change_nothing(days):
    track = replayed(days)

    assert advanced(track, days, BASELINE, EXPECTED) == track


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(days, chance):
    shuffled = list(days)
    chance.shuffle(shuffled)

    assert replayed(shuffled) == replayed(days)


@given(histories())
def test_whatever_comes_every_check_answers(days):
    subject = Subject(reference=REFERENCE, days=days)
    judgements = [check.judge(subject, THRESHOLDS, NOW) for check in CHECKS.values()]

    assert all(judgement.findings for judgement in judgements)


hours = st.floats(-240, 12)
money = st.one_of(st.floats(), st.floats(90, 110), st.just(0.0))
readings = st.lists(
    st.builds(snapshot, hours, money, st.sampled_from(Quality)), max_size=20, unique_by=lambda reading: reading.at
)
payments = st.lists(st.builds(flow, hours, st.floats(-1e15, 1e15)), max_size=5)


@settings(max_examples=50)
@given(readings, payments, st.sampled_from(DrawdownMode), st.sampled_from(LossBasis))
def test_whatever_an_account_is_said_to_be_worth_its_limits_answer(snapshots, flows, mode, basis):
    days = daily_returns(snapshots, flows, DayBoundary(), until=NOW)
    limits = LimitTerms(mode, basis, 100.0)
    subject = Subject(days=days, snapshots=snapshots, flows=flows, limits=limits, equity_every=timedelta(hours=6))

    findings = CHECKS["performance_threshold_check"].judge(subject, THRESHOLDS, NOW).findings

    assert [finding.rule for finding in findings] == [
        Rule.DRAWDOWN,
        Rule.DAILY_LOSS,
        Rule.SHARPE,
        Rule.FRESH_EQUITY,
        Rule.EQUITY_READING,
    ]


@settings(max_examples=30)
@given(st.floats(0.05, 20.0), st.integers(0, 50))
def test_leverage_on_both_sides_changes_no_decision(leverage, seed):
    """Decisions are about units of the strategy's own sd; log returns scale, so they are scaled."""
    chance = np.random.default_rng(seed)
    backtest, lived = noise(365, sd=0.01, seed=seed), noise(200, sd=0.01, seed=seed + 1000) - chance.uniform(0, 0.01)
    statuses = [
        [finding.status for check in EVIDENCE for finding in CHECKS[check].judge(scaled, THRESHOLDS, NOW).findings]
        for scaled in (subject_of(backtest, lived), subject_of(backtest * leverage, lived * leverage))
    ]

    assert statuses[0] == statuses[1]


EVIDENCE = ("daily_pnl_check", "weekly_stability_check", "monthly_forward_test_update")


def subject_of(backtest: np.ndarray, lived: np.ndarray) -> Subject:
    return Subject(
        reference=Reference(1, ReferenceKind.BACKTEST, YESTERDAY, measure(backtest), backtest), days=daily(lived)
    )


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(-0.1, 0.1), st.floats(-0.85, 50.0)), min_size=25, max_size=25))
def test_money_that_comes_and_goes_leaves_decisions_as_they_are(days):
    """The account is read at noon, two minutes later, after the payment, and at the day's end."""
    start = NOW.replace(hour=0) - timedelta(days=len(days))
    plain, moved, flows = [Snapshot(start, 100.0)], [Snapshot(start, 100.0)], []
    for index, (rate, part) in enumerate(days):
        noon, end = start + timedelta(days=index, hours=12), start + timedelta(days=index + 1)
        flows.append(Flow(noon + timedelta(minutes=1), moved[-1].equity * part))
        for readings, stays in ((plain, 1.0), (moved, 1 + part)):
            before = readings[-1].equity
            after = before * stays
            readings += [
                Snapshot(noon, before),
                Snapshot(noon + timedelta(minutes=2), after),
                Snapshot(end, after * (1 + rate)),
            ]

    assert decided(plain, ()) == decided(moved, flows)


def decided(snapshots, flows) -> list[Status]:
    subject = Subject(
        reference=REFERENCE,
        snapshots=snapshots,
        flows=flows,
        days=daily_returns(snapshots, flows, DayBoundary(), until=NOW),
        equity_every=timedelta(hours=24),
    )
    return [finding.status for check in CHECKS.values() for finding in check.judge(subject, THRESHOLDS, NOW).findings]


@settings(max_examples=10)
@given(st.integers(0, 1000))
def test_the_same_seed_draws_the_same_cone(seed):
    subject = Subject(reference=REFERENCE, seed=seed)
    made = [CHECKS["monthly_forward_test_update"].judge(subject, THRESHOLDS, NOW).projection for _ in range(2)]

    assert made[0] == made[1]


@pytest.mark.parametrize("days", [60, 365, 1460])
def test_a_longer_reference_is_believed_more(days):
    errors = [expectation(reference(length).baseline).error for length in (days, days * 2)]

    assert errors[0] > errors[1]
    assert astuple(expectation(reference(days).baseline))[0] < 2.0
