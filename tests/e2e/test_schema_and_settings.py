"""`alertd schema` and `alertd check-config`: on a database of their own and on a given one, and no secret shown."""

import pytest

from alertd.db import Db, open_db, schema_sql, schema_status
from alertd.postgres import open_embedded
from tests.e2e.daemon import Home, alertd, running
from tests.e2e.waiting import lives

NOTHING: dict[str, object] = {}
SECRETS = {
    "ALERT_JWT_SECRET": "sesame-jwt-0123456789-0123456789-0123456789",
    "ALERT_ADMIN_API_KEY": "sesame-admin-0123456789",
    "VAULT_ADDR": "http://127.0.0.1:1",
    "VAULT_TOKEN": "sesame-vault",
    "ALERTD_NOTIFY__OPS__URL": "json://user:sesame-notify@127.0.0.1:1",
    "ALERTD_SECRETS__ENCRYPTION_KEY": "c2VzYW1lLXNlc2FtZS1zZXNhbWUtc2VzYW1lLWtleSE=",
}


def with_password(dsn: str) -> dict[str, object]:
    """The server trusts everybody; the password is only there to be kept secret."""
    return {"ALERTD_DATABASE__DSN": dsn.replace("alertd@", "alertd:sesame-dsn@")}


async def test_the_schema_is_printed_as_it_stands(home: Home) -> None:
    done = await alertd(home, NOTHING, "schema", "print")

    assert (done.code, done.out) == (0, schema_sql())


async def test_a_given_database_is_brought_to_the_schema(home: Home, empty_dsn: str) -> None:
    given = with_password(empty_dsn)

    before = await alertd(home, given, "schema", "status", "--json")
    applied = await alertd(home, given, "schema", "apply")
    after = await alertd(home, given, "schema", "status", "--json")

    assert (before.code, before.json["have"]) == (1, None)
    assert applied.code == 0
    assert (after.code, after.json["have"]) == (0, after.json["want"])
    async with open_db(empty_dsn) as db:
        assert (await schema_status(db)).current


async def test_an_embedded_database_without_a_daemon(home: Home) -> None:
    applied = await alertd(home, NOTHING, "schema", "apply")

    assert applied.code == 0
    assert not lives(home.server_pid())
    async with open_embedded(home.state, attach=True) as dsn, open_db(dsn) as db:
        assert (await schema_status(db)).current


async def test_looking_makes_no_database(home: Home) -> None:
    status = await alertd(home, NOTHING, "schema", "status", "--json")

    assert (status.code, status.json["have"]) == (1, None)
    assert not home.state.exists()


@pytest.mark.parametrize("command", [("schema", "status"), ("check-config", "--online")], ids=" ".join)
async def test_a_state_folder_that_cannot_be_one(home: Home, command: tuple[str, ...]) -> None:
    home.state.write_text("a file")

    done = await alertd(home, NOTHING, *command)

    assert done.code in {1, 78}
    assert str(home.state) in done.err
    assert "Traceback" not in done.err


async def test_an_embedded_database_beside_its_daemon(home: Home) -> None:
    async with running(home, NOTHING) as daemon:
        status = await alertd(home, NOTHING, "schema", "status", "--json")

        assert status.code == 0
        assert lives(home.server_pid())
        assert await daemon.stop() == 0


async def test_a_database_of_a_newer_alertd_is_left_alone(home: Home, db: Db, dsn: str) -> None:
    await db.execute("INSERT INTO alertd_schema (version) VALUES (99)")
    given = with_password(dsn)

    applied = await alertd(home, given, "schema", "apply")
    checked = await alertd(home, given, "check-config", "--online")

    assert (applied.code, checked.code) == (78, 1)
    assert "99" in applied.err
    assert "99" in checked.err


async def test_settings_without_any_file_are_valid(home: Home) -> None:
    done = await alertd(home, NOTHING, "check-config", "--online", "--json")

    assert (done.code, done.json["valid"], done.json["problems"]) == (0, True, [])
    assert not home.state.exists()


async def test_problems_are_listed_as_json(home: Home) -> None:
    bad = {"CREDENTIAL_HEALTH_CHECK_INTERVAL_HOURS": "soon", "ALERT_WEEKLY_STABILITY_DAY": "someday"}

    done = await alertd(home, bad, "check-config", "--json")

    assert (done.code, done.json["valid"], len(done.json["problems"])) == (78, False, 2)


async def test_what_does_not_answer_is_named(home: Home, empty_dsn: str) -> None:
    nobody_there = {"ALERTD_DATABASE__DSN": "postgresql://alertd:sesame-dsn@127.0.0.1:1/alertd"}

    done = await alertd(home, SECRETS | nobody_there, "check-config", "--online", "--json")

    assert done.code == 1
    [database, store] = done.json["problems"]
    assert database.startswith("database: ")
    assert store.startswith("secret store: ")


async def test_a_notifier_that_nobody_understands(home: Home, dsn: str) -> None:
    given = with_password(dsn) | {"ALERTD_NOTIFY__OPS__URL": "nonsense://sesame-notify"}

    done = await alertd(home, given, "check-config", "--online")

    assert done.code == 1
    assert "notify: " in done.err
    assert "sesame" not in done.out + done.err


@pytest.mark.parametrize(
    "command",
    [
        ("check-config", "--online"),
        ("check-config", "--json"),
        ("schema", "status"),
    ],
    ids=" ".join,
)
async def test_no_secret_is_shown(home: Home, dsn: str, command: tuple[str, ...]) -> None:
    done = await alertd(home, SECRETS | with_password(dsn), *command)

    printed = done.out + done.err
    assert "sesame" not in printed
    assert SECRETS["ALERTD_SECRETS__ENCRYPTION_KEY"] not in printed
    assert "Traceback" not in printed
