"""What is kept of a run of a check: how many subjects stand how, and by name those who wait for data. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any, Final

from alertd.performance.findings import RAISED, UNJUDGED, Finding, Rule
from alertd.performance.judging import Judged

# These say that data comes, or only show something: where nothing else is known there is too little to judge by.
BESIDE: Final = frozenset(
    {
        Rule.FRESH_RETURNS,
        Rule.FRESH_EQUITY,
        Rule.EQUITY_READING,
        Rule.PNL_DEVIATION,
        Rule.CONE,
        Rule.PROJECTION,
        Rule.WALK_FORWARD,
        Rule.OUT_OF_SAMPLE,
    }
)
MOST_NAMED: Final = 50


def outcome(judged: Sequence[Judged]) -> Mapping[str, Any]:
    """`no_data` is no success: it says of each subject, up to fifty, how much there is and how much is needed."""
    waiting = [each for each in judged if not is_judged(each.judgement.findings)]
    return {
        "outcome": "judged" if len(waiting) < len(judged) else "no_data",
        "subjects": len(judged),
        "raised": sum(any(found.status in RAISED for found in each.judgement.findings) for each in judged),
        "no_data": len(waiting),
        "waiting": [_waiting(each) for each in waiting[:MOST_NAMED]],
    }


def is_judged(findings: Iterable[Finding]) -> bool:
    """Whether anything could be said beside that data comes."""
    return any(found.status not in UNJUDGED and found.rule not in BESIDE for found in findings)


def _lacking(finding: Finding) -> float:
    return inf if finding.have is None or finding.need is None else finding.need - finding.have


def _waiting(judged: Judged) -> Mapping[str, Any]:
    """By the rule that lacks least."""
    named = min((found for found in judged.judgement.findings if found.rule not in BESIDE), key=_lacking)
    return {
        "tenant_id": str(judged.watched.tenant_id),
        "subject": judged.watched.name,
        "rule": str(named.rule),
        "message": named.message,
        "have": named.have,
        "need": named.need,
    }
