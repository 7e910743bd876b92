"""Asking a daemon: where it is, with which key, and what is said when it does not go well. A key is never shown."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin.port import ADMIN, VIEWER
from tests.cli.certificates import self_signed
from tests.cli.desk import Desk
from tests.cli.office import Office, open_office, run

NOBODY = "http://127.0.0.1:9"
ELSEWHERE = "http://0.0.0.0:9"  # no loopback address, and nobody is there
WRONG = "a-key-that-nobody-made"
ONE = "0199c0de-0000-7000-8000-000000000001"


@pytest.fixture(scope="module")
def office(silence: None, office_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One whose daemon speaks TLS, and listens on a socket too."""
    folder = tmp_path_factory.mktemp("office")
    (folder / "tls.pem").write_bytes(self_signed("127.0.0.1"))
    given = {
        "ALERTD_ADMIN__TLS_CERT": str(folder / "tls.pem"),
        "ALERTD_ADMIN__TLS_KEY": str(folder / "tls.pem"),
        "ALERTD_ADMIN__SOCKET": str(folder / "sock"),
    }
    with open_office(office_dsn, folder, given) as opened:
        yield opened


@pytest.fixture
def local(office: Office) -> dict[str, str]:
    """The variables of somebody on the same machine."""
    return {"ALERTD_URL": f"unix:{office.state_dir}/sock"}


def trusting(office: Office) -> tuple[str, str]:
    return "--ca", str(office.state_dir / "tls.pem")


# --- Where it is -----------------------------------------------------------------------------


async def test_nobody_is_there(desk: Desk) -> None:
    ended = await desk.run("tenants", "list", "--url", NOBODY)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"No alertd answers at {NOBODY}; start it with `alertd run`, or say with --url where it is.\n"


def test_a_certificate_of_its_own_is_trusted_by_name(office: Office) -> None:
    assert office.alertd("tenants", "list", *trusting(office)).code == 0


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(office: Office) -> None:
    ended = office.alertd("tenants", "list")

    assert ended.code == 1
    assert "is not trusted; name the one that made it with --ca" in ended.err


def test_plain_http_to_a_daemon_that_speaks_tls(office: Office) -> None:
    ended = office.alertd("tenants", "list", "--url", office.url.replace("https", "http"))

    assert ended.code == 1
    assert "is http or https right?" in ended.err


def test_a_socket(office: Office, local: dict[str, str]) -> None:
    assert office.alertd("tenants", "list", **local).code == 0


def test_a_socket_that_is_not_there(office: Office) -> None:
    ended = office.alertd("tenants", "list", "--url", f"unix:{office.state_dir}/nothing")

    assert ended.code == 1
    assert "No alertd answers at unix:" in ended.err


def test_somebody_else_is_there(office: Office) -> None:
    ended = office.alertd("tenants", "list", "--url", office.receiver)

    assert ended.code == 1
    assert "is not alertd (status 405); is --url right?" in ended.err


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1",
        "127.0.0.1:8089",
        "http://",
        "http://[::1",
        "http://me:secret@127.0.0.1",
        "http://h:x",
        "http://h:99999",
        "http://bell\x07",
    ],
)
def test_an_address_that_cannot_be_is_bad_usage(url: str) -> None:
    ended = run("tenants", "list", "--url", url, ALERTD_API_KEY=ADMIN)

    assert (ended.code, ended.out) == (2, "")


def test_certificates_that_are_none_are_bad_usage(office: Office, tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("no certificate")

    ended = office.alertd("tenants", "list", "--ca", str(tmp_path / "none.pem"))

    assert ended.code == 2
    assert "cannot be used" in ended.err


# --- With which key --------------------------------------------------------------------------


def test_a_wrong_key_is_named_by_where_it_came_from(office: Office, local: dict[str, str]) -> None:
    ended = office.alertd("tenants", "list", key=WRONG, **local)

    assert (ended.code, ended.out) == (1, "")
    assert "does not accept the API key from ALERTD_API_KEY" in ended.err
    assert WRONG not in ended.printed


def test_a_key_file_comes_before_the_variable(office: Office, local: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{ADMIN}\n")

    assert office.alertd("tenants", "list", "--key-file", str(tmp_path / "key"), key=WRONG, **local).code == 0


def test_without_any_key_the_one_of_the_first_start_is_shown(office: Office, local: dict[str, str]) -> None:
    without = office.alertd("tenants", "list", key="", **local)
    (office.state_dir / "admin.key").write_text(f"{ADMIN}\n")
    found = office.alertd("tenants", "list", key="", **local)
    (office.state_dir / "admin.key").unlink()

    assert (without.code, found.code) == (1, 0)
    assert "wants an API key. Set ALERTD_API_KEY, or name a file with --key-file." in without.err
    assert f"There is no {office.state_dir}/admin.key." in without.err


def test_settings_that_cannot_be_are_told_where_they_would_say_where_the_key_is(local: dict[str, str]) -> None:
    ended = run("tenants", "list", ALERTD_API_KEY="", CREDENTIAL_HEALTH_CHECK_INTERVAL_HOURS="soon", **local)

    assert ended.code == 78
    assert "INTERVAL_HOURS" in ended.err


def test_the_key_of_our_own_daemon_is_not_shown_to_another_machine(office: Office, tmp_path: Path) -> None:
    (tmp_path / "admin.key").write_text(f"{ADMIN}\n")

    ended = run("tenants", "list", "--url", ELSEWHERE, ALERTD_API_KEY="", ALERTD_STATE_DIR=str(tmp_path))

    assert "crosses the network" not in ended.err
    assert "No alertd answers" in ended.err


def test_a_key_in_plain_text_to_another_machine_deserves_a_word() -> None:
    ended = run("tenants", "list", "--url", ELSEWHERE, ALERTD_API_KEY=ADMIN)

    assert "warning: the API key crosses the network unencrypted; use https." in ended.err


@pytest.mark.parametrize("text", ["two words", "line\nbreak", "", "\x07bell"])
def test_what_is_no_key_is_bad_usage_and_not_repeated(office: Office, tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)

    ended = office.alertd("tenants", "list", "--key-file", str(tmp_path / "key"))

    assert ended.code == 2
    assert "is no API key" in ended.err
    assert text not in ended.err or not text


def test_a_key_file_that_is_not_there_is_bad_usage(office: Office, tmp_path: Path) -> None:
    ended = office.alertd("tenants", "list", "--key-file", str(tmp_path / "none"))

    assert ended.code == 2
    assert "no such file" in ended.err


def test_no_key_is_needed_where_the_settings_want_none(silence: None, dsn: str, tmp_path: Path) -> None:
    with open_office(dsn, tmp_path, {"ALERT_AUTH_ENABLED": "false"}) as opened:
        ended = opened.alertd("tenants", "add", key="")

    assert ended.code == 0


def test_a_header_that_the_settings_renamed(office: Office, local: dict[str, str]) -> None:
    ended = office.alertd("tenants", "list", ALERT_API_KEY_HEADER="X-Other", **local)

    assert ended.code == 1
    assert "does not accept" in ended.err


def test_a_header_that_the_file_renamed(silence: None, dsn: str, tmp_path: Path) -> None:
    file = tmp_path / "alertd.toml"
    file.write_text('[admin]\napi_key_header = "X-Other"\n')
    (tmp_path / "admin.key").write_text(f"{ADMIN}\n")
    with open_office(dsn, tmp_path, {"ALERT_API_KEY_HEADER": "X-Other"}) as opened:
        ended = opened.alertd("tenants", "list", "--config", str(file), key="")

    assert ended.code == 0


# --- What it says ----------------------------------------------------------------------------


def test_a_viewer_may_not_do_what_an_admin_may(office: Office, local: dict[str, str]) -> None:
    ended = office.alertd("keys", "create", "admin", "--name", "me", key=VIEWER, **local)

    assert (ended.code, ended.out) == (1, "")
    assert "needs alert:admin" in ended.err
    assert "Show another key: --key-file or ALERTD_API_KEY." in ended.err


def test_what_is_there_already(office: Office, local: dict[str, str]) -> None:
    first = office.alertd("tenants", "add", ONE, **local)
    again = office.alertd("tenants", "add", ONE, **local)

    assert (first.code, again.code) == (0, 1)
    assert "There is a tenant with this id" in again.err


def test_what_is_not_there(office: Office, local: dict[str, str]) -> None:
    ended = office.alertd("alerts", "show", ONE, **local)

    assert (ended.code, ended.err) == (1, "There is no alert with this id.")


def test_every_wrong_value_is_named(office: Office, local: dict[str, str]) -> None:
    words = ("--check", "[", "--until", "2020-01-01", "--comment", " ")

    ended = office.alertd("silences", "add", *words, **local)

    assert ended.code == 1
    assert "some of its values are wrong" in ended.err
    assert "\n  - comment: " in ended.err


# --- Lists -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crowd(office: Office) -> int:
    """More tenants than one page of the daemon has."""
    office.do(
        office.core.db.execute(
            "INSERT INTO tenants (id, name, created_at) SELECT gen_random_uuid(), 'one of many', $1 FROM"
            " generate_series(1, 205)",
            office.core.world.now(),
        )
    )
    return 205


def test_all_of_a_list_is_more_than_one_page(office: Office, local: dict[str, str], crowd: int) -> None:
    everything = office.json("tenants", "list", "--all", **local)

    assert len({item["id"] for item in everything["items"]}) >= crowd
    assert everything["next_cursor"] is None


def test_a_list_goes_on_where_it_ended(office: Office, local: dict[str, str], crowd: int) -> None:
    first = office.json("tenants", "list", "--limit", "3", **local)
    then = office.json("tenants", "list", "--limit", "3", "--cursor", first["next_cursor"], **local)
    both = office.json("tenants", "list", "--limit", "6", **local)

    assert first["items"] + then["items"] == both["items"]


def test_a_table_has_whole_cells_in_a_pipe_and_says_that_there_is_more(
    office: Office, local: dict[str, str], crowd: int
) -> None:
    ended = office.alertd("tenants", "list", "--limit", "2", **local)
    [first, second] = office.json("tenants", "list", "--limit", "2", **local)["items"]

    head, *rows = ended.out.splitlines()
    assert head.split()[:4] == ["id", "name", "keys", "paused"]
    assert [row.split()[0] for row in rows] == [first["id"], second["id"]]
    assert "ago)" in rows[0] or "now)" in rows[0]
    assert "2 shown. More: --cursor " in ended.err


def test_nothing_is_a_short_answer(office: Office, local: dict[str, str]) -> None:
    ended = office.alertd("deliveries", "list", **local)

    assert (ended.code, ended.out, ended.err) == (0, "", "None.\n")


def test_json_of_an_object_is_what_the_daemon_said(office: Office, local: dict[str, str]) -> None:
    tenant = office.tenant("Grüße")

    ended = office.alertd("tenants", "name", tenant, "Grüße", "--json", **local)

    assert json.loads(ended.out)["name"] == "Grüße"
    assert ended.err == ""
