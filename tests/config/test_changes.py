"""What changed between two settings, and what of it a running daemon refuses."""

from pathlib import Path
from typing import Any

import pytest

from alertd.config import Settings
from alertd.config.changes import FIXED, changes, needing_restart
from alertd.config.names import is_section, leaf_at

OLD = {"state_dir": Path("/var/lib/alertd"), "admin": {"keys": {"admin": "the-first-of-the-keys"}}}


def settings(**given: Any) -> Settings:
    return Settings.model_validate(OLD | given)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, ()),
        ({"webhooks": {"ports": [443]}}, ("webhooks.ports",)),
        ({"alerts": {"daily_pnl_time": "18:00"}}, ("alerts.daily_pnl_time",)),
        ({"admin": {"keys": {"admin": "the-second-of-the-keys"}}}, ("admin.keys.admin",)),
        ({"exchanges": {"okx": {}}}, ()),
        ({"exchanges": {"okx": {"enabled": False}}}, ("exchanges.okx.enabled",)),
        (
            {"notify": [{"name": "ops", "url": "json://localhost"}]},
            ("notify.ops.escalation", "notify.ops.min_severity", "notify.ops.name", "notify.ops.url"),
        ),
        ({"retention": {"audit_days": 1, "alerts_days": 2}}, ("retention.alerts_days", "retention.audit_days")),
    ],
)
def test_the_names_of_what_changed(given: dict[str, Any], names: tuple[str, ...]) -> None:
    assert changes(settings(), settings(**given)) == names


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"state_dir": Path("/srv/alertd")}, ("state_dir",)),
        ({"database": {"pool_size": 3}}, ("database.pool_size",)),
        ({"database": {"dsn": "postgresql://db.example.com/alertd"}}, ("database.dsn",)),
        ({"secrets": {"vault": {"mount": "kv"}}}, ("secrets.vault.mount",)),
        ({"admin": OLD["admin"] | {"port": 8090}}, ("admin.port",)),
        ({"admin": OLD["admin"] | {"socket": "/run/alertd.sock"}}, ("admin.socket",)),
        ({"admin": OLD["admin"] | {"tls_cert": __file__, "tls_key": __file__}}, ("admin.tls_cert", "admin.tls_key")),
        ({"logging": {"format": "console", "level": "DEBUG"}}, ("logging.format",)),
        ({"webhooks": {"allow_http": True}}, ()),
    ],
)
def test_what_only_a_restart_changes(given: dict[str, Any], names: tuple[str, ...]) -> None:
    assert needing_restart(settings(), settings(**given)) == names


def test_a_certificate_may_be_another_one(tmp_path: Path) -> None:
    file = tmp_path / "renewed.pem"
    file.touch()
    old, new = ({"admin": {"tls_cert": cert, "tls_key": cert}} for cert in (__file__, file))

    assert needing_restart(settings(**old), settings(**new)) == ()


@pytest.mark.parametrize("name", FIXED)
def test_what_is_fixed_exists(name: str) -> None:
    path = tuple(name.split("."))

    assert leaf_at(path) is not None or is_section(path)
