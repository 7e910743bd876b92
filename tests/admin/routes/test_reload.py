"""Reading the settings again: all of them count from then on, or none does."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from alertd import metrics
from alertd.config import Settings
from alertd.db import Row
from alertd.model import Reason
from tests.admin.port import ADMIN, KEYS, Answered, Port, open_port
from tests.admin.routes.desk import Desk
from tests.admin.routes.market import CREDENTIALS, Market

RELOAD = "/-/reload"
NEW = "another-admin-key-of-the-tests"


async def reload(port: Port, **changed: str) -> Answered:
    port.environ.update(changed)
    return await port.ask("POST", RELOAD)


def wrong(answer: Answered) -> list[str]:
    """The settings that a refusal names."""
    assert answer.status == 422, answer.text
    return [flaw["where"] for flaw in answer.json["errors"]]


async def test_what_changed_is_answered(port: Port) -> None:
    answer = await reload(port, ALERTD_WEBHOOKS__PORTS="[443]", ALERT_DAILY_PNL_TIME="18:30")

    assert (answer.status, answer.json) == (200, {"changed": ["alerts.daily_pnl_time", "webhooks.ports"]})
    assert port.daemon.settings.webhooks.ports == {443}


async def test_nothing_changed(port: Port) -> None:
    assert (await reload(port)).json == {"changed": []}


async def test_every_problem_is_named_and_the_old_settings_stay(port: Port) -> None:
    answer = await reload(port, ALERT_DAILY_PNL_TIME="25:00", PORT="many", ALERTD_WEBHOOKS__PORTS="[443]")

    assert wrong(answer) == ["alerts.daily_pnl_time (ALERT_DAILY_PNL_TIME)", "admin.port (PORT)"]
    assert port.daemon.settings.webhooks.ports == {443, 8443}


async def test_what_needs_a_restart_is_named_and_nothing_changes(port: Port) -> None:
    answer = await reload(port, ALERTD_DATABASE__POOL_SIZE="3", PORT="18089", ALERTD_WEBHOOKS__PORTS="[443]")

    assert wrong(answer) == ["admin.port", "database.pool_size"]
    assert answer.json["errors"][0]["detail"] == "cannot change while alertd runs; restart it"
    assert port.daemon.settings.webhooks.ports == {443, 8443}


async def test_outcome_is_a_metric(port: Port) -> None:
    await reload(port, PORT="many")
    refused = metrics.RELOAD_SUCCESS._value.get(), metrics.RELOAD_TIME._value.get()
    port.clock.turn(timedelta(hours=1))
    await reload(port, PORT="0")

    assert refused == (0, port.clock().timestamp() - 3600)
    assert (metrics.RELOAD_SUCCESS._value.get(), metrics.RELOAD_TIME._value.get()) == (1, port.clock().timestamp())


async def test_it_is_in_the_audit_log_with_names_and_no_values(port: Port) -> None:
    await reload(port, ALERT_ADMIN_API_KEY=NEW)

    answer = await port.ask("GET", "/api/v1/audit?action=settings.reload", key=NEW)
    [deed] = answer.json["items"]
    assert (deed["actor"], deed["object"], deed["after"]) == ("admin", "settings", {"changed": ["admin.keys.admin"]})
    assert NEW not in answer.text


async def test_a_new_key_counts_and_the_old_one_does_not(port: Port) -> None:
    await reload(port, ALERT_ADMIN_API_KEY=NEW)

    old, new = [await port.ask("GET", "/api/v1/audit", key=key) for key in (ADMIN, NEW)]
    assert (old.status, new.status) == (401, 200)


async def test_tokens_of_a_replaced_key_are_of_no_use(port: Port) -> None:
    token = await port.token()
    await reload(port, ALERT_ADMIN_API_KEY=NEW)

    assert (await port.ask("GET", "/api/v1/audit", token=token)).status == 401


async def test_without_keys_of_the_settings_one_is_written_to_the_file(port: Port) -> None:
    await reload(port, **dict.fromkeys(KEYS, ""))

    key = (port.daemon.settings.state_dir / "admin.key").read_text().strip()
    assert (await port.ask("GET", "/api/v1/audit", key=key)).status == 200


async def test_another_header_carries_the_key(port: Port) -> None:
    await reload(port, ALERT_API_KEY_HEADER="X-Other-Key")

    answer = await port.ask("GET", "/api/v1/audit", key=None, headers={"X-Other-Key": ADMIN})
    assert answer.status == 200


async def test_another_name_is_served(port: Port) -> None:
    asked = {"Host": "alerts.example.com"}
    before = await port.ask("GET", "/-/healthy", headers=asked)
    await reload(port, ALERTD_ADMIN__ALLOWED_HOSTS="alerts.example.com")

    assert (before.status, (await port.ask("GET", "/-/healthy", headers=asked)).status) == (421, 200)


async def test_endpoints_are_judged_by_the_new_policy(desk: Desk) -> None:
    webhook = {"tenant_id": str(desk.tenant), "url": "http://127.0.0.1:9/hook"}
    before = await desk.ask("POST", "/api/v1/webhooks", json=webhook)
    await reload(desk.port, ALERTD_WEBHOOKS__ALLOW_HTTP="false")
    after = await desk.ask("POST", "/api/v1/webhooks", json=webhook)

    assert (before.status, after.status) == (201, 422)


async def test_messages_go_where_the_new_policy_lets_them(desk: Desk) -> None:
    webhook = await desk.add(url="http://127.0.0.1:9/hook")
    await reload(desk.port, ALERTD_WEBHOOKS__ALLOW_CIDRS="")
    await desk.test_messages(webhook)
    await desk.send()

    rows = await desk.db.fetch("SELECT error FROM webhook_delivery_log")
    assert [row["error"] for row in rows] == ["refused_address"]


async def notifiers(port: Port) -> list[Row]:
    return await port.daemon.db.fetch(
        "SELECT webhook_url, is_active FROM tenant_webhooks WHERE tenant_id IS NULL ORDER BY webhook_url"
    )


async def test_notifiers_come_and_go(port: Port) -> None:
    await reload(port, ALERTD_NOTIFY__OPS__URL="json://localhost/one")
    added = await notifiers(port)
    del port.environ["ALERTD_NOTIFY__OPS__URL"]
    answer = await reload(port)

    assert [tuple(row) for row in added] == [("ops", True)]
    assert [tuple(row) for row in await notifiers(port)] == [("ops", False)]
    assert "notify.ops.url" in answer.json["changed"]


async def test_a_notifier_that_nobody_understands_changes_nothing(port: Port) -> None:
    answer = await reload(port, ALERTD_NOTIFY__OPS__URL="carrier-pigeon://roof", ALERTD_WEBHOOKS__PORTS="[443]")

    assert wrong(answer) == ["notify"]
    assert (await notifiers(port), port.daemon.settings.webhooks.ports) == ([], {443, 8443})


async def test_an_exchange_is_switched_off_and_on(market: Market) -> None:
    ref = await market.key("okx")
    check = f"{CREDENTIALS}/{ref.tenant_id}/check"
    await reload(market.port, ALERTD_EXCHANGES__OKX__ENABLED="false")
    off = await market.ask("POST", check)
    await reload(market.port, ALERTD_EXCHANGES__OKX__ENABLED="true")
    on = await market.ask("POST", check)

    assert [answer.json["items"][0]["reason"] for answer in (off, on)] == [Reason.UNSUPPORTED_EXCHANGE, Reason.OK]


async def test_connections_of_an_exchange_go_elsewhere(market: Market) -> None:
    ref = await market.key("okx")
    check = f"{CREDENTIALS}/{ref.tenant_id}/check"
    await market.ask("POST", check)
    await reload(market.port, ALERTD_EXCHANGES__OKX__CONNECT_TO="http://127.0.0.1:9")

    answer = await market.ask("POST", check)
    assert answer.json["items"][0]["reason"] == Reason.NETWORK


async def test_rules_of_the_checks_change(port: Port) -> None:
    await reload(port, CREDENTIAL_HEALTH_CHECK_INTERVAL_HOURS="2", CREDENTIAL_CONSECUTIVE_FAILURES_BEFORE_ALERT="1")

    sweeper = port.daemon.sweeper
    assert (sweeper.pace.interval, sweeper.recorder.rules.policy.strikes) == (timedelta(hours=2), 1)


async def test_what_cannot_be_written_down_does_not_happen(port: Port) -> None:
    await port.daemon.db.execute("ALTER TABLE audit_log RENAME TO audit_log_away")
    answer = await reload(port, ALERTD_WEBHOOKS__PORTS="[443]")

    assert (answer.status, port.daemon.settings.webhooks.ports) == (500, {443, 8443})


async def test_a_shorter_interval_makes_keys_due_earlier(market: Market) -> None:
    ref = await market.key("okx")
    await market.sweep()
    await reload(market.port, CREDENTIAL_HEALTH_CHECK_INTERVAL_HOURS="0.5")

    due = (await market.row(ref))["next_check_at"]
    assert due <= market.port.clock() + timedelta(minutes=30)


class Watched:
    """A part that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Settings] = []


async def test_reloads_come_one_after_the_other(port: Port) -> None:
    part = Watched()
    port.daemon.live.follow(part.told.append)
    await asyncio.gather(*(port.daemon.live.reload() for _ in range(3)))

    assert part.told == [port.daemon.settings] * 3


@pytest.fixture
async def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[socket.socket]:
    """systemd's side of the notify protocol."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(5)
        listening.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


async def test_the_service_manager_follows(port: Port, manager: socket.socket) -> None:
    await reload(port)
    begun, over = manager.recv(200).decode(), manager.recv(200).decode()

    assert begun.startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert over.startswith("READY=1\nSTATUS=running; settings reloaded")


async def test_the_service_manager_hears_of_a_refusal(port: Port, manager: socket.socket) -> None:
    await reload(port, PORT="many")
    manager.recv(200)

    assert manager.recv(400).decode().startswith("READY=1\nSTATUS=running; reload refused: admin.port (PORT)")


def write_certificate(file: Path, serial: int, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder(name, name, key.public_key(), serial, now, now + timedelta(days=3650))
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + made.sign(key, SHA256()).public_bytes(Encoding.PEM)
    )


async def serial_of(port: Port) -> int:
    """Of the certificate that a new connection is shown."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection(port.address.host, port.address.port, ssl=context)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(shown).serial_number


@pytest.fixture
async def secure(dsn: str, tmp_path: Path, now: datetime) -> AsyncIterator[Port]:
    file = tmp_path / "admin.pem"
    write_certificate(file, 1, now)
    tls = {"ALERTD_ADMIN__TLS_CERT": str(file), "ALERTD_ADMIN__TLS_KEY": str(file)}
    async with open_port(dsn, tmp_path, now, environ=KEYS | tls) as port:
        yield port


async def test_a_renewed_certificate_is_picked_up(secure: Port, tmp_path: Path, now: datetime) -> None:
    before = await serial_of(secure)
    write_certificate(tmp_path / "admin.pem", 2, now)
    await secure.daemon.live.reload()

    assert (before, await serial_of(secure)) == (1, 2)


async def test_a_broken_certificate_is_refused_and_the_old_one_stays(secure: Port, tmp_path: Path) -> None:
    (tmp_path / "admin.pem").write_text("half a file")
    answer = await secure.ask("POST", RELOAD, ssl=False)

    assert (wrong(answer), await serial_of(secure)) == (["admin.tls_cert"], 1)
