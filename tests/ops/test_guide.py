"""The operators' guide speaks of this program: every exit code, every error it logs, every id, and SQL that works."""

import ast
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from alertd import cli
from alertd.cli import outcome
from alertd.db import Db, apply_schema, open_db
from alertd.errors import Refused, Transient
from alertd.process.journal import MESSAGE_IDS
from tests.db.conftest import admin as admin
from tests.e2e.conftest import home as home
from tests.e2e.conftest import town as town
from tests.e2e.daemon import Home, running
from tests.e2e.town import Town

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "operations.md").read_text()
LOUD = {"error", "critical", "exception"}
CODES = {code for name, code in vars(outcome).items() if name in {"DONE", "FAILED", "BAD_USAGE", "BAD_CONFIG"}}
STATEMENTS = re.findall(r"```sql\n(.+?)```", GUIDE, re.DOTALL)


def loud_events() -> set[str]:
    """The texts of every line that is logged as an error or worse."""
    calls = [
        node
        for file in (ROOT / "alertd").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOUD
    ]
    texts = [call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Constant)]
    return {text for text in texts if isinstance(text, str)}


def section(name: str) -> str:
    return GUIDE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_every_error_in_the_log_is_explained() -> None:
    assert {text for text in loud_events() if f"`{text}`" not in section("The log")} == set()


def test_errors_are_found_in_the_code() -> None:
    assert {"Database lost", "Background loop died", "Request failed"} <= loud_events()


def test_every_id_is_listed_with_its_event() -> None:
    assert {text for text, one in MESSAGE_IDS.items() if f"| {text} | `{one}` |" not in GUIDE} == set()


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_exit_code_is_explained(code: int) -> None:
    assert re.search(rf"^\| {code} \|", section("Exit codes"), re.MULTILINE)


def test_there_are_no_other_exit_codes() -> None:
    explained = re.findall(r"^\| (\d+) \|", section("Exit codes"), re.MULTILINE)

    assert {int(code) for code in explained} == CODES == {0, 1, 2, 78}
    assert cli.main.__doc__ is not None


@pytest.fixture
async def granted(admin: Db, empty_dsn: str) -> AsyncIterator[tuple[str, str]]:
    """The addresses of owner and daemon, after the guide's own statements were carried out."""
    name = urlsplit(empty_dsn).path.lstrip("/")
    script = "".join(STATEMENTS).replace("CREATE DATABASE alertd OWNER", "ALTER DATABASE alertd OWNER TO")
    script = script.replace("DATABASE alertd", f"DATABASE {name}")
    for statement in script.strip().removesuffix(";").split(";"):
        await admin.execute(re.sub(r"alertd_(owner|daemon)", rf"\1_{name}", statement))
    yield (empty_dsn.replace("//alertd@", f"//owner_{name}@"), empty_dsn.replace("//alertd@", f"//daemon_{name}@"))
    await admin.execute(f"ALTER DATABASE {name} OWNER TO alertd")
    await admin.execute(f"DROP OWNED BY daemon_{name} CASCADE")
    await admin.execute(f"DROP OWNED BY owner_{name} CASCADE")
    await admin.execute(f"DROP ROLE owner_{name}, daemon_{name}")


async def test_the_daemon_needs_no_more_than_the_guide_grants(home: Home, town: Town, granted: tuple[str, str]) -> None:
    owner, ours = granted
    async with open_db(owner) as db:
        await apply_schema(db)
    await town.tenant("okx")
    async with running(home, town.given | {"ALERTD_DATABASE__DSN": ours}) as daemon:
        await daemon.says("Credential health check completed", times=3)
        await daemon.says("Scheduled run finished")
        assert await daemon.stop() == 0

    assert [line for line in daemon.lines if line["level"] in {"error", "critical"}] == []


@pytest.mark.parametrize("statement", ["DROP TABLE tenants", "CREATE TABLE mine (id int)", "TRUNCATE credentials"])
async def test_the_daemons_role_can_change_no_table(granted: tuple[str, str], statement: str) -> None:
    owner, ours = granted
    async with open_db(owner) as db:
        await apply_schema(db)

    async with open_db(ours) as db:
        with pytest.raises((Refused, Transient)):
            await db.execute(statement)
