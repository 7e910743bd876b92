"""How tenants' alerts are gathered into as few messages to operators as possible. Pure.

Every notifier reads of the alerts that are loud enough for it, one message for each tenant, or one for all
when many fall ill at once; and whoever read of an alert reads of its end.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from alertd.model import Receiver, Severity

MANY: Final = 20  # subjects of several tenants at once are one event, not as many
SHOWN: Final = 20  # alerts of one message that are listed
LINES: Final = 5  # of these, in its text


@dataclass(frozen=True, slots=True)
class News:
    """A tenant's alert as it stands; `heard_by` are the notifiers that were told of it before."""

    id: UUID
    tenant_id: UUID | None
    tenant_name: str | None
    check: str
    subject: str
    rule: str
    exchange: str | None
    severity: Severity
    details: Mapping[str, Any]
    over: bool = False
    heard_by: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """What is the matter, in a line."""
        about = f"{self.exchange} {self.details.get('leaf', '')}".strip() if self.exchange else self.subject
        what = self.details.get("message") or self.details.get("reason") or self.rule
        return f"[{self.severity}] {about}: {what}"


@dataclass(frozen=True, slots=True)
class Notice:
    """One message, to the notifiers of these names."""

    names: tuple[str, ...]
    about: tuple[News, ...]
    fields: Mapping[str, Any]


def notices(news: Sequence[News], receivers: Sequence[Receiver]) -> list[Notice]:
    """What to send; nothing for an alert that nobody hears of, or that was over before anybody had."""
    firing = [each for each in news if not each.over]
    over = [each for each in news if each.over]
    begun = [notice for group in _groups(firing) for notice in _begun(group, receivers)]
    ended = [notice for group in _groups(over) for notice in _ended(group, receivers)]
    return begun + ended


def escalation(news: Sequence[News], receivers: Sequence[Receiver]) -> Notice:
    """One message about all that nobody acknowledged, to the notifiers that are there for it."""
    about = tuple(news)
    names = tuple(each.name for each in receivers if each.escalation)
    head = f"Nobody has acknowledged {_counted(about)}"
    return Notice(names, about, _fields("escalation", about, "firing", head))


def _begun(group: Sequence[News], receivers: Sequence[Receiver]) -> list[Notice]:
    heard = {each.name: tuple(news for news in group if each.hears(news.severity)) for each in receivers}
    return [
        Notice(names, about, _fields("alerts", about, "firing", _headline(about)))
        for names, about in _same_message(heard)
    ]


def _ended(group: Sequence[News], receivers: Sequence[Receiver]) -> list[Notice]:
    heard = {each.name: tuple(news for news in group if each.name in news.heard_by) for each in receivers}
    return [
        Notice(names, about, _fields("alerts", about, "resolved", f"Over: {_counted(about)}"))
        for names, about in _same_message(heard)
    ]


def _same_message(heard: Mapping[str, tuple[News, ...]]) -> list[tuple[tuple[str, ...], tuple[News, ...]]]:
    """Those who hear of the same alerts get the same message."""
    together: dict[tuple[UUID, ...], list[str]] = defaultdict(list)
    by_ids = {tuple(news.id for news in about): about for about in heard.values() if about}
    for name, about in heard.items():
        if about:
            together[tuple(news.id for news in about)].append(name)
    return [(tuple(names), by_ids[ids]) for ids, names in together.items()]


def _groups(news: Iterable[News]) -> list[tuple[News, ...]]:
    """By tenant, worst first; all together when it is too much to be many accidents."""
    ordered = sorted(news, key=lambda each: -each.severity.rank)
    by_tenant: dict[UUID | None, list[News]] = defaultdict(list)
    for each in ordered:
        by_tenant[each.tenant_id].append(each)
    if len(by_tenant) > 1 and _subjects(ordered) >= MANY:
        return [tuple(ordered)]
    return [tuple(group) for group in by_tenant.values()]


def _subjects(news: Iterable[News]) -> int:
    return len({(each.tenant_id, each.subject) for each in news})


def _headline(about: Sequence[News]) -> str:
    if len({each.tenant_id for each in about}) > 1:
        return f"{_counted(about)} at about the same time: the whole market moved, or the data is wrong"
    return _counted(about)


def _counted(about: Sequence[News]) -> str:
    alerts = "1 alert" if len(about) == 1 else f"{len(about)} alerts"
    return f"{alerts} of {_whose(about)}"


def _whose(about: Sequence[News]) -> str:
    tenants = {each.tenant_id: each.tenant_name or f"tenant {each.tenant_id}" for each in about if each.tenant_id}
    names = [*tenants.values()] if len(tenants) < 2 else [f"{len(tenants)} tenants"]
    ours = ["the platform"] if any(each.tenant_id is None for each in about) else []
    return " and ".join(names + ours)


def _fields(rule: str, about: Sequence[News], state: str, head: str) -> Mapping[str, Any]:
    """Of `system.alert`; the worst first, and of many the first ones."""
    several = len({each.tenant_id for each in about}) > 1
    lines = [f"{_whose([each])}: {each.text}" if several else each.text for each in about[:LINES]]
    more = [f"and {len(about) - LINES} more"] if len(about) > LINES else []
    return {
        "rule": rule,
        "subject": _whose(about),
        "severity": str(max((each.severity for each in about), key=lambda severity: severity.rank)),
        "state": state,
        "message": "\n".join([f"{head}.", *lines, *more]),
        "count": len(about),
        "alerts": [_item(each) for each in about[:SHOWN]],
    }


def _item(news: News) -> Mapping[str, Any]:
    return {
        "id": str(news.id),
        "tenant_id": None if news.tenant_id is None else str(news.tenant_id),
        "check": news.check,
        "subject": news.subject,
        "rule": news.rule,
        "severity": str(news.severity),
    }
