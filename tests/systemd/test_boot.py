"""The unit from the wheel under a real systemd: it starts, reloads, is watched, killed and stopped as it says."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from alertd.process.journal import MESSAGE_IDS
from tests.systemd.machine import PACKAGES, PROGRAM, PYTHON, CannotBoot, Machine, booted

ROOT = Path(__file__).parents[2]
CONFIG = "/etc/alertd/alertd.toml"
GOOD = """
[webhooks]
allow_http = true
ports = []
allow_cidrs = ["127.0.0.0/8"]
[logging]
level = "INFO"
"""
# A watchdog that a test can wait for; the rest of the unit is as it is shipped.
QUICK = "[Service]\nWatchdogSec=6s\nRestartSec=100ms\n"
KEY = "an-admin-key-of-the-credential-store"
TENANT = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(240)]

# Takes its time to answer one request, and then ends.
SLOW_RECEIVER = """
import http.server, sys, time, pathlib
class Slow(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        pathlib.Path("/run/asked").touch()
        time.sleep(1.5)
        self.send_response(200)
        self.end_headers()
        pathlib.Path("/run/answered").touch()
http.server.HTTPServer(("127.0.0.1", 9000), Slow).handle_request()
"""
# Never answers the first request, and every other at once.
ABSENT_MINDED_RECEIVER = """
import http.server, time, pathlib
class AbsentMinded(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        if not pathlib.Path("/run/forgotten").exists():
            pathlib.Path("/run/forgotten").touch()
            time.sleep(600)
        self.send_response(200)
        self.end_headers()
        pathlib.Path("/run/remembered").touch()
http.server.ThreadingHTTPServer(("127.0.0.1", 9001), AbsentMinded).serve_forever()
"""
ASK = """
import json, sys, urllib.request
key, method, path, body = sys.argv[1:]
headers = {"X-Alert-API-Key": key, "Content-Type": "application/json"}
request = urllib.request.Request("http://127.0.0.1:8089" + path, body.encode() or None, headers, method=method)
print(urllib.request.urlopen(request).read().decode())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def machine(wheel: Path) -> Iterator[Machine]:
    """A machine with alertd installed and running, as docs/operations.md says."""
    with ExitStack() as stack:
        try:
            machine = stack.enter_context(booted())
        except CannotBoot as exc:
            pytest.skip(f"NO SYSTEMD WAS BOOTED, its tests were left out: {exc}. The substitutes ran instead.")
        install(machine, wheel)
        machine.write(CONFIG, GOOD)
        machine.write("/etc/credstore/alertd.admin_keys_admin", KEY + "\n")
        machine.write("/etc/systemd/system/alertd.service.d/quick.conf", QUICK)
        machine.systemctl("link", f"{PROGRAM}/lib/systemd/system/alertd.service")
        machine.systemctl("start", "alertd")
        yield machine


def install(machine: Machine, wheel: Path) -> None:
    """Into an environment of its own, with the packages that are installed here; nothing is downloaded."""
    (machine.root / "opt" / wheel.name).write_bytes(wheel.read_bytes())
    machine.run(PYTHON, "-m", "venv", "--without-pip", PROGRAM)
    machine.write(f"{PROGRAM}/lib/{PYTHON.name}/site-packages/packages.pth", f"{PACKAGES}\n")
    pip = [PROGRAM / "bin/python", "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--ignore-installed"]
    machine.run(*pip, f"/opt/{wheel.name}")


@pytest.fixture
def service(machine: Machine) -> Machine:
    """Running, with settings that are as they were, whatever the test before has done."""
    machine.write(CONFIG, GOOD)
    machine.systemctl("reset-failed", "alertd", check=False)  # of a unit that is not loaded it knows nothing
    machine.systemctl("start", "alertd")
    return machine


def ask(machine: Machine, method: str, path: str, **body: object) -> Any:
    answer = machine.python(ASK, KEY, method, path, json.dumps(body) if body else "")
    return json.loads(answer)


def test_start_waits_until_the_port_answers(service: Machine) -> None:
    service.systemctl("restart", "alertd")

    assert ask(service, "GET", "/-/healthy")


def test_status_says_how_it_is(service: Machine) -> None:
    service.until(lambda: service.show("StatusText").startswith("ready; 0 keys"))


def test_events_are_found_by_their_id(service: Machine) -> None:
    found = service.journal(f"MESSAGE_ID={MESSAGE_IDS['alertd is running']}")

    assert {(entry["PRIORITY"], json.loads(entry["MESSAGE"])["database"]) for entry in found} == {("6", "embedded")}


def test_reload_with_a_good_file(service: Machine) -> None:
    pid, before = service.show("MainPID"), len(service.said("Settings reloaded"))
    service.write(CONFIG, GOOD.replace("INFO", "DEBUG"))

    service.systemctl("reload", "alertd")

    assert len(service.said("Settings reloaded")) == before + 1
    assert service.show("MainPID") == pid


@pytest.mark.parametrize(
    ("addition", "reason"),
    [
        ("[credentials]\ninterval_hours = -1\n", "credentials.interval_hours: must be greater than 0, got -1"),
        ("[database]\npool_size = 7\n", "database.pool_size: cannot change while alertd runs; restart it"),
    ],
)
def test_reload_that_is_refused_changes_nothing_and_fails(service: Machine, addition: str, reason: str) -> None:
    pid, before = service.show("MainPID"), len(service.said("Settings not reloaded; the old ones stay"))
    service.write(CONFIG, GOOD + addition)

    reloaded = service.systemctl("reload", "alertd", check=False)

    assert reloaded.returncode == 1
    assert len(service.said("Settings not reloaded; the old ones stay")) == before + 1
    assert reason in [entry["MESSAGE"] for entry in service.journal()]
    assert (service.show("ActiveState"), service.show("MainPID")) == ("active", pid)


def test_reload_can_be_asked_for_again_after_a_refusal(service: Machine) -> None:
    service.write(CONFIG, GOOD + "[credentials]\ninterval_hours = -1\n")
    service.systemctl("reload", "alertd", check=False)
    service.write(CONFIG, GOOD)

    assert service.systemctl("reload", "alertd").returncode == 0


def test_its_socket_is_there_for_root(service: Machine) -> None:
    service.write(CONFIG, GOOD + '[admin]\nsocket = "/run/alertd/admin.sock"\n')
    service.systemctl("restart", "alertd")

    alertd = ["env", f"ALERTD_API_KEY={KEY}", PROGRAM / "bin/alertd"]
    listed = service.run(*alertd, "tenants", "list", "--json", "--url", "unix:/run/alertd/admin.sock")

    service.systemctl("stop", "alertd")
    assert "items" in json.loads(listed.stdout)


def test_daemon_that_stands_still_is_killed_and_started_again(service: Machine) -> None:
    before = int(service.show("NRestarts"))

    service.systemctl("kill", "--kill-whom=main", "-s", "STOP", "alertd")

    service.until(lambda: int(service.show("NRestarts")) == before + 1 and service.show("ActiveState") == "active")
    assert any("Watchdog timeout" in entry["MESSAGE"] for entry in service.journal())


def delivering(service: Machine, receiver: str, port: int, *, taken: str) -> str:
    """The id of an endpoint whose receiver has just taken a message, and shows so by this file."""
    service.run("systemd-run", "-q", PROGRAM / "bin/python", "-c", receiver)
    tenant = str(uuid4())
    ask(service, "POST", "/api/v1/tenants", id=tenant)
    webhook = ask(service, "POST", "/api/v1/webhooks", tenant_id=tenant, url=f"http://127.0.0.1:{port}/hook")
    ask(service, "POST", f"/api/v1/webhooks/{webhook['id']}/test")
    service.until(lambda: service.run("ls", taken, check=False).returncode == 0)
    return str(webhook["id"])


def test_what_it_had_under_way_when_it_stood_still_is_done_within_lease_and_watchdog(service: Machine) -> None:
    webhook = delivering(service, ABSENT_MINDED_RECEIVER, 9001, taken="/run/forgotten")

    service.systemctl("kill", "--kill-whom=main", "-s", "STOP", "alertd")

    service.until(lambda: service.run("ls", "/run/remembered", check=False).returncode == 0)
    service.systemctl("restart", "alertd")  # which ends what is under way
    [delivery] = ask(service, "GET", f"/api/v1/deliveries?webhook_id={webhook}")["items"]
    assert (delivery["state"], len(delivery["attempts"])) == ("delivered", 2)


def test_killed_it_comes_back_with_its_database(service: Machine) -> None:
    before = int(service.show("NRestarts"))
    ask(service, "POST", "/api/v1/tenants", id=TENANT, name="Kept")

    service.systemctl("kill", "--kill-whom=main", "-s", "KILL", "alertd")
    service.until(lambda: int(service.show("NRestarts")) == before + 1 and service.show("ActiveState") == "active")

    assert "Kept" in [tenant["name"] for tenant in ask(service, "GET", "/api/v1/tenants")["items"]]


def test_stop_lets_a_slow_delivery_end(service: Machine) -> None:
    webhook = delivering(service, SLOW_RECEIVER, 9000, taken="/run/asked")

    service.systemctl("stop", "alertd")

    service.run("ls", "/run/answered")
    service.systemctl("start", "alertd")
    [delivery] = ask(service, "GET", f"/api/v1/deliveries?webhook_id={webhook}")["items"]
    assert (delivery["state"], len(delivery["attempts"])) == ("delivered", 1)


def test_stop_is_clean_and_leaves_no_database_behind(service: Machine) -> None:
    service.systemctl("stop", "alertd")

    assert (service.show("Result"), service.show("ExecMainStatus")) == ("success", "0")
    assert service.run("pgrep", "-f", "pginstall18/bin/postgres", check=False).returncode == 1


def test_credentials_are_for_the_service_alone(service: Machine) -> None:
    secret = "/run/credentials/alertd.service/admin_keys_admin"
    other = service.run("setpriv", "--reuid=nobody", "--clear-groups", "cat", secret, check=False)
    environment = service.run("cat", f"/proc/{service.show('MainPID')}/environ").stdout

    assert other.returncode != 0
    assert KEY in service.run("cat", secret).stdout
    assert KEY not in environment


def test_it_writes_nowhere_but_in_its_state(service: Machine) -> None:
    inside = ["nsenter", "-t", service.show("MainPID"), "-m", "touch"]  # root, in the daemon's view of the files

    refused = [service.run(*inside, f"{folder}/x", check=False).returncode for folder in ("/etc", "/usr", "/var/log")]

    assert 0 not in refused
    service.run(*inside, "/var/lib/private/alertd/x")


def test_the_sandbox_is_in_force(service: Machine) -> None:
    lines = service.run("cat", f"/proc/{service.show('MainPID')}/status").stdout.splitlines()
    status = dict(line.split(":\t", 1) for line in lines)

    assert (status["NoNewPrivs"], status["Seccomp"], int(status["CapBnd"], 16)) == ("1", "2", 0)
    assert status["Uid"].split()[0] != "0"


def test_wrong_settings_are_not_started_again_and_again(service: Machine) -> None:
    service.systemctl("stop", "alertd")
    service.write(CONFIG, GOOD + "[credentials]\ninterval_hours = -1\n")

    started = service.systemctl("start", "alertd", check=False)

    assert started.returncode != 0
    assert (service.show("ExecMainStatus"), service.show("NRestarts")) == ("78", "0")


def test_a_restart_refuses_nobody_where_systemd_holds_the_port(service: Machine) -> None:
    service.systemctl("stop", "alertd")
    service.systemctl("link", f"{PROGRAM}/lib/systemd/system/alertd.socket")
    service.systemctl("start", "alertd.socket")

    first = ask(service, "GET", "/-/healthy")  # starts the service
    service.systemctl("restart", "--no-block", "alertd")
    second = ask(service, "GET", "/-/healthy")

    service.systemctl("stop", "alertd.socket", "alertd")
    assert first
    assert second
