"""What people read is there for everything that can happen: nobody sees a name of the code."""

import re
from itertools import chain
from pathlib import Path

import alertd.admin
from alertd.admin.dashboard import listed
from alertd.admin.routes import TABLE
from alertd.alerts.explanation import Decision
from alertd.credentials.recorder import CHECK_NAME
from alertd.model import EventType, Reason, Warn
from alertd.performance.checks import CHECKS
from alertd.performance.findings import Rule

ROOM = Path(alertd.admin.__file__).parent


def told(table: str, *, file: str = "words.js") -> set[str]:
    """The names that a table of a script has words for."""
    script = listed()[file].content.decode()
    found = re.search(rf"const {table} = {{(.*?)}};", script, re.DOTALL)
    assert found is not None, table
    return {quoted or plain for quoted, plain in re.findall(r'(?:"([\w.]+)"|\b(\w+)): ?["\[]', found[1])}


def kinds(resource: str) -> set[str]:
    """What is posted to a resource, by the ends of the addresses."""
    return {route.path.rpartition("/")[2].replace("-", "_") for route in TABLE if f"/{resource}/" in route.path} - {
        "{id}"
    }


def deeds() -> set[str]:
    """What the audit log may say."""
    sources = [file.read_text(encoding="utf-8") for file in ROOM.rglob("*.py")]
    said = set(chain.from_iterable(re.findall(r'(?:action=|else |, )"([a-z]+\.[a-z]+)"', source) for source in sources))
    said |= {f"webhook.{verb}" for verb in kinds("webhooks") | {"create", "update", "delete"}}
    said |= {f"tenant.{verb}" for verb in kinds("tenants") | {"create", "rename"}}
    said |= {f"performance.{kind}" for kind in kinds("performance") - {"subjects"}}
    return said | {"login"}


def test_reasons_have_words() -> None:
    assert told("REASONS") == set(Reason)


def test_warnings_have_words() -> None:
    assert told("WARNINGS") == set(Warn)


def test_messages_have_words() -> None:
    assert told("EVENTS") == set(EventType)


def test_checks_have_words() -> None:
    assert told("CHECKS") == {CHECK_NAME, *CHECKS}


def test_rules_of_performance_have_words() -> None:
    assert told("RULES") == set(Rule)


def test_decisions_have_a_picture() -> None:
    assert told("DECISIONS", file="pages/alert.js") == set(Decision)


def test_deeds_have_words() -> None:
    assert told("DEEDS") == deeds()
