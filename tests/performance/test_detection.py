"""The promises of docs/performance.md, measured on simulated strategies, and that the measure is of the real checks."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from alertd.performance.checks import CHECKS
from alertd.performance.findings import Rule, Status
from alertd.performance.reference import Reference, ReferenceKind
from alertd.performance.stats.expectation import expectation, measure
from alertd.performance.subject import Subject
from alertd.performance.track import advanced, fresh_track
from benchmarks.detecting import ours, tables
from benchmarks.detecting.drawing import picture
from benchmarks.detecting.population import BENDS, CRASH, HALF, mixed, simulated
from benchmarks.detecting.targets import targets
from benchmarks.detecting.trial import run
from tests.performance.making import THRESHOLDS, YESTERDAY, daily

LEVELS = {Status.WARNING: 1, Status.CRITICAL: 2}
RULES = {
    "drift": ("daily_pnl_check", Rule.DRIFT),
    "day tail": ("daily_pnl_check", Rule.DAY_TAIL),
    "volatility": ("daily_pnl_check", Rule.VOLATILITY),
    "interval breaches": ("daily_pnl_check", Rule.BREACHES),
    "Sharpe ratio": ("performance_threshold_check", Rule.SHARPE),
}


@pytest.mark.timeout(600)
def test_every_promise_holds():
    trial = run(4000, 2000)
    promises = list(targets(trial))
    drawn = ET.fromstring(picture(trial))

    assert [promise for promise in promises if not promise.holds] == []
    assert "| ours, daily check |" in tables.report(trial)
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize("bend", [None, HALF, CRASH])
def test_the_benchmark_and_the_checks_say_the_same_of_the_same_days(bend):
    chance = np.random.default_rng(11)
    world = simulated(mixed(6, chance), chance)
    live = world.live(BENDS.get(bend))
    vectorised = ours.levels(live, ours.measured(world.reference))

    for name, (check, rule) in RULES.items():
        one_by_one = np.array(
            [said(check, rule, returns, days) for returns, days in zip(world.reference, live, strict=True)]
        )
        np.testing.assert_array_equal(vectorised[name], one_by_one, err_msg=name)


def said(check: str, rule: Rule, backtest: np.ndarray, live: np.ndarray) -> list[int]:
    """What the check says on each day, each time going on from the track of the day before."""
    days = daily(live)
    reference = Reference(1, ReferenceKind.BACKTEST, days[0].day, measure(backtest), backtest)
    track, answers = fresh_track(reference.baseline), []
    for count, day in enumerate(days, start=1):
        now = datetime(day.day.year, day.day.month, day.day.day, 12, tzinfo=UTC) + timedelta(days=1)
        subject = Subject(reference=reference, days=days[:count], track=track)
        (finding,) = (f for f in CHECKS[check].judge(subject, THRESHOLDS, now).findings if f.rule is rule)
        answers.append(LEVELS.get(finding.status, 0))
        track = advanced(track, days[:count], reference.baseline, expectation(reference.baseline))
    return answers


def test_the_weekly_and_monthly_tests_agree_too():
    chance = np.random.default_rng(12)
    world = simulated(mixed(8, chance), chance)
    live = world.live(BENDS[HALF])
    vectorised = ours.levels(live, ours.measured(world.reference))
    asked = {"stability (weekly)": (350, Rule.STABILITY), "forward test (monthly)": (360, Rule.FORWARD_TEST)}
    answers = {
        name: [last_word(rule, *pair, upto + 1) for pair in zip(world.reference, live, strict=True)]
        for name, (upto, rule) in asked.items()
    }

    assert answers == {name: vectorised[name][:, upto].tolist() for name, (upto, _) in asked.items()}


def last_word(rule: Rule, backtest: np.ndarray, live: np.ndarray, upto: int) -> int:
    check = {Rule.STABILITY: "weekly_stability_check", Rule.FORWARD_TEST: "monthly_forward_test_update"}[rule]
    reference = Reference(1, ReferenceKind.BACKTEST, YESTERDAY, measure(backtest), None)
    subject = Subject(reference=reference, days=daily(live[:upto]))
    findings = CHECKS[check].judge(subject, THRESHOLDS, datetime(2026, 1, 5, 12, tzinfo=UTC)).findings
    return next(LEVELS.get(finding.status, 0) for finding in findings if finding.rule is rule)
