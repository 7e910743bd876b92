"""The rules of the house that no tool keeps: where SQL writes, who catches everything, how long a file may be."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
CODE = ROOT / "alertd"

WRITES = re.compile(r"^\s*(INSERT INTO|UPDATE|DELETE FROM|TRUNCATE|MERGE INTO)\s", re.MULTILINE)
# Beside files named for it. The queue's statements are too many for one file.
MAY_WRITE = {
    "db/schema.py",
    "webhooks/claims.py",
    "webhooks/endpoints.py",
    "webhooks/leases.py",
    "webhooks/ledger.py",
    "webhooks/notifiers.py",
    "webhooks/outbox.py",
    "webhooks/parking.py",
    "webhooks/replay.py",
    "webhooks/retention.py",
    "webhooks/seals.py",
    "webhooks/settlement.py",
}
# A bug costs one item here, and goes on to be heard of.
MAY_CATCH_EVERYTHING = {
    "alerts/job.py",  # an occurrence
    "credentials/exchange.py",  # a credential: the question
    "credentials/look.py",  # a credential: the look
    "credentials/recorder.py",  # a credential: what it came to, handed to whoever waits
    "credentials/sweeper.py",  # a credential: the lease
    "performance/judging.py",  # a subject
    "webhooks/sender.py",  # a delivery
    "webhooks/gathering.py",  # a delivery: what writing it down came to, handed to whoever waits
    "admin/server.py",  # a request
}
LONGEST_FILE = 400

# Whose machine it was written on is nobody's business: not where this checkout is, nor the home, nor the interpreter.
HERE = {folder for folder in (ROOT, Path.home(), Path(sys.base_prefix)) if len(folder.parts) > 1}
MACHINE = re.compile(
    "|".join(rf"(?<![\w.]){re.escape(str(folder))}/" for folder in HERE - {Path("/usr"), Path("/opt")})
)
TEXTS = {".cfg", ".css", ".html", ".js", ".json", ".lock", ".md", ".py", ".service", ".socket", ".sql", ".toml", ".yml"}
NAMES = {"Containerfile", "LICENSE", "Makefile", "run"}
PLACES = ("*", "alertd/**/*", "benchmarks/**/*", "docs/**/*", "monitoring/**/*", "systemd/**/*", "tests/**/*", ".ci/*")


def offenders(rule: Callable[[str], bool]) -> set[str]:
    """The files of the program whose text breaks the rule."""
    return {str(file.relative_to(CODE)) for file in CODE.rglob("*.py") if rule(file.read_text())}


def writes(code: str) -> bool:
    return any(WRITES.search(text) for text in _strings(ast.parse(code)))


def catches_everything(code: str) -> bool:
    return any(_is_broad(node) for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ExceptHandler))


def texts() -> Iterator[Path]:
    files = {file for pattern in PLACES for file in ROOT.glob(pattern)}
    return (file for file in files if (file.suffix in TEXTS or file.name in NAMES) and file != Path(__file__))


def _strings(tree: ast.AST) -> Iterator[str]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_broad(handler: ast.ExceptHandler) -> bool:
    """One that cleans up and raises again catches nothing."""
    caught = ast.unparse(handler.type) if handler.type else "BaseException"
    return bool(re.search(r"\b(Base)?Exception\b", caught)) and not isinstance(handler.body[-1], ast.Raise)


def test_sql_writes_in_few_places() -> None:
    found = {file for file in offenders(writes) if not file.endswith("store.py")}

    assert found - MAY_WRITE == set()


def test_everything_is_caught_in_few_places() -> None:
    assert offenders(catches_everything) - MAY_CATCH_EVERYTHING == set()


def test_files_stay_short() -> None:
    found = offenders(lambda text: len(text.splitlines()) > LONGEST_FILE)

    assert found == set()


def test_no_machine_is_named() -> None:
    found = {str(file.relative_to(ROOT)) for file in texts() if MACHINE.search(file.read_text(errors="replace"))}

    assert found == set()


def test_the_lock_has_hashes_and_no_addresses() -> None:
    lock = (ROOT / "requirements.lock").read_text()

    assert "--hash=sha256:" in lock
    assert "://" not in lock


def test_an_offence_would_be_noticed() -> None:
    statement = 'await db.execute("""\n    UPDATE tenants\n    SET paused = true\n""")'
    careless = "try:\n    work()\nexcept (ValueError, Exception):\n    pass"
    careful = "try:\n    work()\nexcept BaseException:\n    tidy()\n    raise"

    assert (writes(statement), writes('"SELECT 1 FOR UPDATE"')) == (True, False)
    assert (catches_everything(careless), catches_everything(careful)) == (True, False)
    assert MACHINE.search(f"see {ROOT}/notes")
