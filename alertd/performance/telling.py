"""What a run found becomes evaluations, alerts and messages, in one transaction, once.

A subject that was evaluated as of this time or a later one, by a check of the same alerts, is passed
over: the run is repeated, or made up for too late, and has no news of it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from alertd.alerts import observations
from alertd.alerts.lifecycle import Policy, Sign
from alertd.alerts.observations import Observation, Outcome
from alertd.db import Tx
from alertd.model import Severity
from alertd.performance.checks import CHECKS, Check
from alertd.performance.evaluation_store import (
    Evaluation,
    lock_for_evaluation,
    open_rules,
    record_evaluations,
)
from alertd.performance.findings import Finding
from alertd.performance.judging import Judged

AT_ONCE: Final = 20  # evaluations that are written in one turn of the event loop


async def tell(
    tx: Tx, check: Check, judged: Sequence[Judged], *, policy: Policy, at: datetime, now: datetime
) -> Outcome:
    """Of all subjects of a run as of `at`."""
    names = [each.name for each in CHECKS.values() if each.alerts_as == check.alerts_as]
    waiting = await lock_for_evaluation(tx, check.alerts_as, names, [each.watched.id for each in judged], at)
    news = [each for each in judged if each.watched.id in waiting]
    for first in range(0, len(news), AT_ONCE):
        said = [
            Evaluation(each.watched.id, check.name, at, each.judgement.findings)
            for each in news[first : first + AT_ONCE]
        ]
        await record_evaluations(tx, said, now)
    open_alerts = await open_rules(tx, check.alerts_as)
    observed = [
        observation(check, each, finding)
        for each in news
        for finding in each.judgement.findings
        if finding.sign is Sign.BAD
        or (finding.sign is Sign.GOOD and (each.watched.tenant_id, each.watched.name, finding.rule) in open_alerts)
    ]
    return await observations.apply(tx, observed, policy=policy, seen_at=at, now=now)


def observation(check: Check, judged: Judged, finding: Finding) -> Observation:
    """A finding as its tenant reads it."""
    watched = judged.watched
    return Observation(
        tenant_id=watched.tenant_id,
        check=check.alerts_as,
        subject=watched.name,
        rule=str(finding.rule),
        sign=finding.sign,
        severity=finding.status.severity or Severity.WARNING,
        message=finding.message,
        current_value=finding.value,
        expected_value=finding.expected,
        details={**_told(finding), **finding.details},
        depends_on=None if watched.credential_id is None else str(watched.credential_id),
    )


def _told(finding: Finding) -> Mapping[str, float]:
    """The numbers beside the value that this rule has."""
    numbers = {
        "low": finding.low,
        "high": finding.high,
        "statistic": finding.statistic,
        "threshold": finding.threshold,
    }
    return {name: number for name, number in numbers.items() if number is not None}
