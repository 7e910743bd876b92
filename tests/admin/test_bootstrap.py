"""The first start: a way in for whoever may read the state directory, and for nobody else."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from alertd.admin.access import Role
from alertd.errors import ConfigError
from tests.admin.port import VIEWER, open_port

ME = "/api/performance-alerts/auth/me"


async def test_first_start_writes_a_private_key_that_works(dsn, tmp_path: Path, now) -> None:
    async with open_port(dsn, tmp_path, now, environ={}) as port:
        file = tmp_path / "admin.key"
        me = await port.ask("GET", ME, key=file.read_text().strip())

    assert (me.status, me.json["username"], me.json["roles"]) == (200, "bootstrap", ["admin"])
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".admin")] == []


async def test_log_names_the_file_and_never_the_key(dsn, tmp_path: Path, now) -> None:
    with capture_logs() as logs:
        async with open_port(dsn, tmp_path, now, environ={}):
            pass

    file = tmp_path / "admin.key"
    assert [line["file"] for line in logs if "file" in line] == [str(file)]
    assert file.read_text().strip() not in str(logs)


async def test_key_of_the_first_start_is_in_the_audit_log(dsn, tmp_path: Path, now) -> None:
    async with open_port(dsn, tmp_path, now, environ={}) as port:
        answer = await port.ask("GET", "/api/v1/audit", key=(tmp_path / "admin.key").read_text().strip())

    assert [(item["actor"], item["action"]) for item in answer.json["items"]] == [("first start", "key.create")]


async def test_second_start_keeps_the_key(dsn, tmp_path: Path, now) -> None:
    async with open_port(dsn, tmp_path, now, environ={}):
        first = (tmp_path / "admin.key").read_text()
    async with open_port(dsn, tmp_path, now, environ={}):
        second = (tmp_path / "admin.key").read_text()

    assert first == second


async def test_no_key_is_made_where_one_is_configured(dsn, tmp_path: Path, now) -> None:
    async with open_port(dsn, tmp_path, now, environ={"ALERT_VIEWER_API_KEY": VIEWER}) as port:
        assert await port.daemon.db.fetchval("SELECT count(*) FROM api_keys") == 0

    assert not (tmp_path / "admin.key").exists()


async def test_no_key_is_made_where_none_is_needed(dsn, tmp_path: Path, now) -> None:
    async with open_port(dsn, tmp_path, now, environ={"ALERT_AUTH_ENABLED": "false"}):
        pass

    assert not (tmp_path / "admin.key").exists()


async def test_no_key_is_made_while_another_admin_key_works(dsn, tmp_path: Path, now) -> None:
    async with open_port(dsn, tmp_path, now) as port:
        await port.key(Role.ADMIN)
    async with open_port(dsn, tmp_path, now, environ={}):
        pass

    assert not (tmp_path / "admin.key").exists()


async def test_new_key_is_made_when_no_admin_key_works_any_more(dsn, tmp_path: Path, now) -> None:
    async with open_port(dsn, tmp_path, now) as port:
        await port.key(Role.ADMIN, revoked=True)
        await port.key(Role.ADMIN, expires_in=timedelta(seconds=1))
        await port.key(Role.VIEWER)
    async with open_port(dsn, tmp_path, now + timedelta(hours=1), environ={}) as port:
        me = await port.ask("GET", ME, key=(tmp_path / "admin.key").read_text().strip())

    assert me.status == 200


async def test_two_daemons_that_start_at_once_make_one_key(dsn, tmp_path: Path, now) -> None:
    async def start(folder: Path) -> bool:
        # The second one opens what the first has sealed.
        async with open_port(dsn, folder, now, environ={"ALERTD_SECRETS__ENCRYPTION_KEY": "a2" + "A" * 41 + "="}):
            return (folder / "admin.key").exists()

    made = await asyncio.gather(start(tmp_path / "one"), start(tmp_path / "two"))

    assert sorted(made) == [False, True]


async def test_file_that_cannot_be_written_stops_the_start_and_leaves_no_key(dsn, tmp_path: Path, now) -> None:
    (tmp_path / "admin.key").mkdir()

    with pytest.raises(ConfigError, match=r"admin\.key: cannot be written"):
        async with open_port(dsn, tmp_path, now, environ={}):
            pass
    (tmp_path / "admin.key").rmdir()
    async with open_port(dsn, tmp_path, now, environ={}) as port:
        assert await port.daemon.db.fetchval("SELECT count(*) FROM api_keys") == 1


async def test_lost_encryption_key_is_not_replaced(dsn, tmp_path: Path, now) -> None:
    async with open_port(dsn, tmp_path, now):
        pass
    (tmp_path / "encryption.key").unlink()

    with pytest.raises(ConfigError, match="encryption_key"):
        async with open_port(dsn, tmp_path, now):
            pass


async def test_wrong_encryption_key_stops_the_start(dsn, tmp_path: Path, now) -> None:
    async with open_port(dsn, tmp_path, now):
        pass
    (tmp_path / "encryption.key").unlink()

    with pytest.raises(ConfigError, match="cannot open the admin port's secret"):
        async with open_port(dsn, tmp_path, now, environ={"ALERTD_SECRETS__ENCRYPTION_KEY": "a2" + "A" * 41 + "="}):
            pass
