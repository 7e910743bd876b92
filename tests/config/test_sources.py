"""Where settings may stand, and which place wins."""

from datetime import time
from pathlib import Path

import pytest

from alertd.config import load
from alertd.config.names import PUBLISHED, leaves, path_of_variable, variable
from alertd.errors import ConfigError


def test_nothing_at_all_is_enough():
    settings = load(None, {"HOME": "/home/ops"})

    assert settings.admin.port == 8089
    assert settings.file is None
    assert settings.warnings == ()


def test_the_file_of_the_working_directory_is_found(folder):
    (folder / "alertd.toml").write_text("admin.port = 9000")

    settings = load(None, {})

    assert settings.admin.port == 9000
    assert settings.file == folder / "alertd.toml"


def test_alertd_config_names_the_file(folder):
    (folder / "alertd.toml").write_text("admin.port = 9000")
    (folder / "other.toml").write_text("admin.port = 9001")

    assert load(None, {"ALERTD_CONFIG": "other.toml"}).admin.port == 9001


def test_an_argument_beats_alertd_config(folder):
    (folder / "mine.toml").write_text("admin.port = 9002")

    assert load(folder / "mine.toml", {"ALERTD_CONFIG": "gone.toml"}).admin.port == 9002


@pytest.mark.parametrize("environ", [{}, {"ALERTD_CONFIG": "gone.toml"}])
def test_a_named_file_must_exist(folder, environ):
    named = None if environ else folder / "gone.toml"

    with pytest.raises(ConfigError, match=r"gone\.toml: there is no such file"):
        load(named, environ)


def test_broken_toml_is_reported_with_file_and_line(refusing):
    (problem,) = refusing('[admin]\nport = 1\napi_key_header = "x')

    assert "settings.toml: is not valid TOML" in problem
    assert "line 3" in problem


def test_a_file_in_another_encoding_is_reported(folder):
    (folder / "alertd.toml").write_bytes(b"# caf\xe9\n")

    with pytest.raises(ConfigError, match="must be text in UTF-8"):
        load(None, {})


def test_a_folder_is_no_file(folder):
    with pytest.raises(ConfigError, match="there is no such file"):
        load(folder, {})


def test_the_environment_is_that_of_the_process_by_default(monkeypatch):
    monkeypatch.setenv("ALERTD_ADMIN__PORT", "9003")

    assert load().admin.port == 9003


def test_a_variable_beats_the_file(loading):
    assert loading("admin.port = 9000", ALERTD_ADMIN__PORT="9001").admin.port == 9001


def test_a_variable_leaves_its_neighbours_in_the_file_alone(loading):
    settings = loading("[webhooks]\nprofile = 'patient'\nallow_http = true", ALERTD_WEBHOOKS__PROFILE="fast")

    assert (settings.webhooks.profile, settings.webhooks.allow_http) == ("fast", True)


def test_an_empty_variable_counts_as_not_set(loading):
    assert loading("admin.port = 9000", ALERTD_ADMIN__PORT="", PORT=" ").admin.port == 9000


@pytest.mark.parametrize("path", [path for path in leaves() if "*" not in path], ids=".".join)
def test_every_setting_has_a_variable(path):
    assert path_of_variable(variable(path)) == path


@pytest.mark.parametrize(
    ("name", "value", "section", "field", "expected"),
    [
        ("ALERT_DAILY_PNL_TIME", "21:00", "alerts", "daily_pnl_time", time(21)),
        ("ALERT_WEEKLY_STABILITY_TIME", "09:00", "alerts", "weekly_stability_time", time(9)),
        ("ALERT_WEEKLY_STABILITY_DAY", "tuesday", "alerts", "weekly_stability_day", "tuesday"),
        ("ALERT_MONTHLY_FORWARD_TIME", "10:00", "alerts", "monthly_forward_time", time(10)),
        ("ALERT_MONTHLY_FORWARD_DAY", "31", "alerts", "monthly_forward_day", 31),
        ("ALERT_THRESHOLD_TIME_1", "11:00", "alerts", "threshold_time_1", time(11)),
        ("ALERT_THRESHOLD_TIME_2", "23:00", "alerts", "threshold_time_2", time(23)),
        ("ALERT_MAX_RETRY_ATTEMPTS", "5", "alerts", "max_retry_attempts", 5),
        ("ALERT_RETRY_DELAY_SECONDS", "30", "alerts", "retry_delay_seconds", 30),
        ("ALERT_RETRY_BACKOFF_MULTIPLIER", "1.5", "alerts", "retry_backoff_multiplier", 1.5),
        ("ALERT_SUPPRESS_SIMILAR_MINUTES", "5", "alerts", "suppress_similar_minutes", 5),
        ("ALERT_ESCALATION_DELAY_MINUTES", "1", "alerts", "escalation_delay_minutes", 1),
        ("ALERT_AUTH_ENABLED", "false", "admin", "auth_enabled", False),
        ("ALERT_JWT_ALGORITHM", "HS512", "admin", "jwt_algorithm", "HS512"),
        ("ALERT_JWT_EXPIRE_HOURS", "1", "admin", "jwt_expire_hours", 1),
        ("ALERT_API_KEY_HEADER", "X-Key", "admin", "api_key_header", "X-Key"),
        ("CREDENTIAL_HEALTH_CHECK_INTERVAL_HOURS", "0.5", "credentials", "interval_hours", 0.5),
        ("CREDENTIAL_HEALTH_CHECK_RETRIES", "1", "credentials", "retries", 1),
        ("CREDENTIAL_HEALTH_CHECK_RETRY_DELAY_SECONDS", "0", "credentials", "retry_delay_seconds", 0),
        ("CREDENTIAL_CONSECUTIVE_FAILURES_BEFORE_ALERT", "1", "credentials", "consecutive_failures_before_alert", 1),
        ("WEBHOOK_TIMEOUT_SECONDS", "2.5", "webhooks", "timeout_seconds", 2.5),
        ("WEBHOOK_RETRY_ATTEMPTS", "7", "webhooks", "retry_attempts", 7),
        ("WEBHOOK_RETRY_BACKOFF_BASE", "0.1", "webhooks", "retry_backoff_base", 0.1),
        ("PORT", "9000", "admin", "port", 9000),
    ],
)
def test_a_published_variable_works_by_its_name(loading, name, value, section, field, expected):
    settings = loading(**{name: value})

    assert getattr(getattr(settings, section), field) == expected


@pytest.mark.parametrize("role", ["admin", "operator", "viewer", "master"])
def test_the_published_keys_work_by_their_names(loading, role):
    settings = loading(**{f"ALERT_{role.upper()}_API_KEY": "0123456789abcdef"})

    assert getattr(settings.admin.keys, role).get_secret_value() == "0123456789abcdef"


def test_the_published_jwt_secret_works_by_its_name(loading):
    assert loading(ALERT_JWT_SECRET="s" * 32).admin.jwt_secret.get_secret_value() == "s" * 32


def test_every_published_name_leads_to_a_setting():
    assert set(PUBLISHED.values()) <= set(leaves())


def test_both_names_with_different_values_are_an_error(refusing):
    (problem,) = refusing(PORT="9000", ALERTD_ADMIN__PORT="9001")

    assert problem == "admin.port: ALERTD_ADMIN__PORT and PORT have different values; keep one of them"


@pytest.mark.parametrize(("one", "other"), [("true", "true"), ("true", "True"), ("false", " false ")])
def test_both_names_with_the_same_value_are_fine(loading, one, other):
    loading(ALERT_AUTH_ENABLED=one, ALERTD_ADMIN__AUTH_ENABLED=other)


def test_celery_settings_are_ignored_with_one_warning(loading):
    settings = loading(CELERY_RESULT_BACKEND="redis://:pw@h", CELERY_BROKER_URL="redis://:pw@h")

    assert settings.warnings == (
        "CELERY_BROKER_URL, CELERY_RESULT_BACKEND: ignored; alertd needs neither Celery nor a broker",
    )


def test_vault_variables_of_its_own_tools_work(loading):
    settings = loading(VAULT_ADDR="https://vault:8200", VAULT_TOKEN="t", VAULT_NAMESPACE="trading")

    vault = settings.secrets.vault
    assert (settings.secrets.backend, vault.address, vault.namespace) == ("vault", "https://vault:8200", "trading")
    assert vault.token.get_secret_value() == "t"


def test_vault_variables_of_its_own_tools_beat_the_file(loading):
    settings = loading("secrets.vault.namespace = 'file'", VAULT_NAMESPACE="shell")

    assert settings.secrets.vault.namespace == "shell"


def test_every_other_variable_beats_those_of_vaults_tools(loading):
    settings = loading(VAULT_NAMESPACE="shell", ALERTD_SECRETS__VAULT__NAMESPACE="ours")

    assert settings.secrets.vault.namespace == "ours"


def test_the_command_lines_variables_are_no_settings(loading):
    settings = loading(ALERTD_API_KEY="k", ALERTD_URL="http://x", ALERTD_CONFIG="whatever")

    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "HOME": "/home/ops"}, "/var/lib/a"),
        ({"XDG_STATE_HOME": "/states", "HOME": "/home/ops"}, "/states/alertd"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/home/ops"}, "/home/ops/.local/state/alertd"),
        ({"HOME": "/home/ops"}, "/home/ops/.local/state/alertd"),
        ({}, "/var/lib/alertd"),
        ({"ALERTD_STATE_DIR": "/srv/alertd", "STATE_DIRECTORY": "/var/lib/a"}, "/srv/alertd"),
    ],
)
def test_the_state_folder(environ, expected):
    assert load(None, environ).state_dir == Path(expected)


def test_the_history_stands_in_the_state_folder(loading):
    settings = loading(ALERTD_STATE_DIR="/srv/alertd")

    assert settings.alerts.history_dir == Path("/srv/alertd/performance_alerts/scheduled")


def test_a_relative_path_starts_in_the_folder_of_the_file(folder, monkeypatch):
    (folder / "etc").mkdir()
    (folder / "etc" / "a.toml").write_text("state_dir = 'state'\nalerts.history_dir = '~/history'")

    settings = load(folder / "etc" / "a.toml", {"HOME": "/home/ops"})

    assert settings.state_dir == folder / "etc" / "state"
    assert settings.alerts.history_dir == Path("/home/ops/history")


def test_two_loads_of_the_same_input_are_equal(loading):
    first = loading("admin.port = 9000", ALERT_JWT_SECRET="s" * 40)
    second = loading("admin.port = 9000", ALERT_JWT_SECRET="s" * 40)

    assert first == second


@pytest.mark.parametrize("environ", [{"ALERT_JWT_SECRET": "t" * 40}, {"ALERT_WEEKLY_STABILITY_DAY": "tue"}])
def test_a_change_shows(loading, environ):
    first = loading(ALERT_JWT_SECRET="s" * 40)

    assert first != loading(**{"ALERT_JWT_SECRET": "s" * 40, **environ})


def test_a_default_that_is_written_down_changes_nothing(loading):
    assert loading() == loading("admin.port = 8089")


def test_settings_are_frozen(loading):
    settings = loading()

    with pytest.raises(ValueError, match="frozen"):
        settings.admin.port = 1


def test_a_file_in_a_folder_that_we_may_not_enter_is_not_ignored(monkeypatch):
    hidden = Path("/" + "x" * 300 + "/alertd.toml")  # a name too long fails as a closed folder does, for root too
    monkeypatch.setattr("alertd.config.loading.DEFAULT_FILES", (hidden,))

    with pytest.raises(ConfigError, match="cannot be read: file name too long"):
        load(None, {})
