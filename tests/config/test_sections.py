"""What goes together, and what a setting means for its neighbours."""

import pytest
from pydantic import SecretStr

from alertd.config import CHECK_NAMES, AlertSettings, ExchangeSettings, Notifier, SecretsSettings, Settings

RETRY = ("max_attempts", "initial_delay", "backoff_multiplier", "max_delay")


def retry_of(settings, name):
    return tuple(getattr(settings.checks[name].retry, field) for field in RETRY)


def test_there_are_six_checks():
    assert len(CHECK_NAMES) == 6


@pytest.mark.parametrize("name", [name for name in CHECK_NAMES if name != "credential_health_check"])
def test_a_check_retries_as_alerts_say(loading, name):
    settings = loading(
        ALERT_MAX_RETRY_ATTEMPTS="5", ALERT_RETRY_DELAY_SECONDS="30", ALERT_RETRY_BACKOFF_MULTIPLIER="1.5"
    )

    assert retry_of(settings, name) == (5, 30, 1.5, 300)


def test_the_credential_check_retries_by_its_own_names(loading):
    settings = loading(
        ALERT_MAX_RETRY_ATTEMPTS="5",
        CREDENTIAL_HEALTH_CHECK_RETRIES="2",
        CREDENTIAL_HEALTH_CHECK_RETRY_DELAY_SECONDS="7",
    )

    assert retry_of(settings, "credential_health_check") == (2, 7, 2, 300)


def test_a_check_may_have_its_own_retry_settings(loading):
    settings = loading(
        "[checks.daily_pnl_check.retry]\nmax_attempts = 9\nmax_delay = 0",
        ALERTD_CHECKS__DAILY_PNL_CHECK__RETRY__INITIAL_DELAY="1",
        ALERT_RETRY_DELAY_SECONDS="30",
    )

    assert retry_of(settings, "daily_pnl_check") == (9, 1, 2, 0)
    assert retry_of(settings, "evening_performance_check") == (3, 30, 2, 300)


def test_a_bad_retry_setting_of_all_is_reported_once(refusing):
    assert refusing(ALERT_MAX_RETRY_ATTEMPTS="many") == (
        "alerts.max_retry_attempts (ALERT_MAX_RETRY_ATTEMPTS): must be a whole number, got many",
    )


def test_a_missed_run_is_made_up_for_within_hours_or_a_day(loading):
    checks = loading("checks.daily_pnl_check.max_age_hours = 1").checks

    ages = {name: checks[name].max_age_hours for name in CHECK_NAMES}
    assert ages == {
        "daily_pnl_check": 1,
        "weekly_stability_check": 24,
        "monthly_forward_test_update": 24,
        "performance_threshold_check": 6,
        "evening_performance_check": 6,
        "credential_health_check": 6,
    }


def test_a_check_may_have_its_own_time_zone(loading):
    checks = loading('checks.daily_pnl_check.time_zone = "America/New_York"').checks

    assert (checks.daily_pnl_check.time_zone, checks.weekly_stability_check.time_zone) == ("America/New_York", "UTC")


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "/etc/localtime", "Europe/"])
def test_a_time_zone_that_nobody_knows_is_refused(refusing, name):
    (problem,) = refusing(f"checks.daily_pnl_check.time_zone = '{name}'")

    assert problem.startswith("checks.daily_pnl_check.time_zone: must be the IANA name of a time zone")


def test_there_is_no_other_check(loading):
    with pytest.raises(KeyError):
        loading().checks["model_fields"]


def test_an_exchange_that_nobody_set_has_the_defaults(loading):
    settings = loading("exchanges.okx.enabled = false")

    assert settings.exchange("binance") == ExchangeSettings()
    assert settings.exchange("okx").enabled is False


def test_an_exchange_is_set_from_both_places(loading):
    settings = loading(
        "[exchanges.Binance]\nrequests_per_second = 2\noptions = { defaultType = 'swap' }",
        ALERTD_EXCHANGES__BINANCE__CONCURRENCY="1",
    )

    binance = settings.exchange("binance")
    assert (binance.requests_per_second, binance.concurrency) == (2, 1)
    assert binance.options == {"defaultType": "swap"}


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9001",
        "http://localhost:9001",
        "http://[::1]:9001",
        "https://proxy.example.com:443",
        "http://127.0.0.1:9001/",
    ],
)
def test_an_exchange_is_connected_elsewhere(loading, address):
    settings = loading(ALERTD_EXCHANGES__OKX__CONNECT_TO=address)

    assert settings.exchange("okx").connect_to == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:9001",
        "ftp://h:1",
        "http://h",
        "http://h:x",
        "http://h:99999",
        "http://h:1/path",
        "http://h:1?q",
        "http://:9001",
        "http://[::1:9",
    ],
)
def test_connect_to_is_an_origin(refusing, address):
    (problem,) = refusing(ALERTD_EXCHANGES__OKX__CONNECT_TO=address)

    assert problem == (
        "exchanges.okx.connect_to (ALERTD_EXCHANGES__OKX__CONNECT_TO): "
        f"must be http://host:port or https://host:port, got {address}"
    )


def test_api_keys_do_not_cross_the_network_in_plain_text(refusing):
    (problem,) = refusing("exchanges.okx.connect_to = 'http://10.0.0.1:9001'")

    assert problem.startswith("exchanges.okx.connect_to: must be https, or allow_plaintext must be true")


def test_unless_that_is_allowed(loading):
    settings = loading("exchanges.okx = { connect_to = 'http://10.0.0.1:9001', allow_plaintext = true }")

    assert settings.exchange("okx").connect_to == "http://10.0.0.1:9001"


@pytest.mark.parametrize(
    ("toml", "missing"),
    [
        ("backend = 'vault'", ["secrets.vault.address", "secrets.vault.token"]),
        ("vault = { address = 'https://v' }", ["secrets.vault.token"]),
        ("vault = { address = 'https://v', auth = 'approle' }", ["secrets.vault.role_id", "secrets.vault.secret_id"]),
        ("vault = { address = 'https://v', auth = 'approle', role_id = 'r' }", ["secrets.vault.secret_id"]),
        ("vault = { address = 'https://v', auth = 'kubernetes' }", ["secrets.vault.role"]),
        ("vault = { address = 'https://v', token = 't', ca_cert = 'gone' }", ["secrets.vault.ca_cert"]),
    ],
)
def test_what_vault_needs(refusing, toml, missing):
    problems = refusing(f"[secrets]\n{toml}")

    assert [problem.split(":")[0] for problem in problems] == missing


@pytest.mark.parametrize(
    "vault",
    [
        "address = 'https://v', token = 't'",
        "address = 'https://v/', auth = 'approle', role_id = 'r', secret_id = 's'",
        "address = 'https://v', auth = 'kubernetes', role = 'r'",
    ],
)
def test_an_address_makes_vault_the_secret_store(loading, vault):
    settings = loading(f"secrets.vault = {{ {vault} }}")

    assert settings.secrets.backend == "vault"
    assert settings.secrets.vault.address == "https://v"


def test_without_an_address_secrets_are_in_the_file_store(loading):
    assert loading().secrets.backend == "file"


def test_the_file_store_may_be_chosen_where_the_shell_knows_a_vault(loading):
    assert loading("secrets.backend = 'file'", VAULT_ADDR="https://v").secrets.backend == "file"


@pytest.mark.parametrize("path", ["/secret/", "secret"])
def test_slashes_around_a_mount_do_not_matter(loading, path):
    assert loading(ALERTD_SECRETS__VAULT__MOUNT=path).secrets.vault.mount == "secret"


@pytest.mark.parametrize(("given", "missing"), [("tls_cert", "tls_key"), ("tls_key", "tls_cert")])
def test_a_certificate_needs_its_key_and_the_other_way_round(refusing, folder, given, missing):
    (folder / "pem").write_text("")

    (problem,) = refusing(f"admin.{given} = 'pem'")

    assert problem == f"admin.{missing}: must be set together with admin.{given}"


def test_a_certificate_must_be_there(refusing, folder):
    problems = refusing("admin = { tls_cert = 'cert', tls_key = 'key' }")

    assert problems == (
        f"admin.tls_cert: must be a file that alertd can read, got {folder / 'cert'}",
        f"admin.tls_key: must be a file that alertd can read, got {folder / 'key'}",
    )


def test_allowed_hosts_are_compared_in_small_letters(loading):
    assert loading(ALERTD_ADMIN__ALLOWED_HOSTS="Alertd.Example.COM").admin.allowed_hosts == ("alertd.example.com",)


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("sharpe_critical = 0.9", "performance.sharpe_critical: must be at most performance.sharpe_warning, 0.8"),
        ("drawdown_warning_percent = 20", "performance.drawdown_critical_percent: must be at least"),
        ("breaches_critical = 2", "performance.breaches_critical: must be at least performance.breaches_warning, 3"),
    ],
)
def test_critical_is_worse_than_warning(refusing, toml, problem):
    (found,) = refusing(f"[performance]\n{toml}")

    assert found.startswith(problem)


def test_events_live_as_long_as_the_delivery_log(refusing):
    (problem,) = refusing("retention.events_days = 10")

    assert problem.startswith("retention.events_days: must be at least webhooks.retention_days, 30")


def test_notifiers_come_in_the_order_of_the_file_and_are_completed_by_variables(loading):
    settings = loading(
        "[[notify]]\nname = 'on-call'\nurl = 'x://file'\n[[notify]]\nname = 'archive'\nurl = 'x://y'",
        ALERTD_NOTIFY__ON_CALL__URL="x://variable",
        ALERTD_NOTIFY__ON_CALL__ESCALATION="true",
    )

    by_name = {notifier.name: notifier for notifier in settings.notify}
    assert set(by_name) == {"on-call", "archive"}
    assert by_name["on-call"].url.get_secret_value() == "x://variable"
    assert by_name["on-call"].escalation is True


def test_a_notifier_without_an_address_is_a_problem(refusing):
    assert refusing("[[notify]]\nname = 'ops'") == ("notify.ops.url: must be set",)


def test_a_problem_of_the_second_notifier_has_its_name(refusing):
    (problem,) = refusing(
        "[[notify]]\nname = 'one'\nurl = 'x://y'\n[[notify]]\nname = 'two'\nurl = 'x://y'\nmin_severity = 'loud'"
    )

    assert problem == "notify.two.min_severity: must be 'info', 'warning', 'critical' or 'emergency', got loud"


def test_settings_can_be_made_without_any_file(folder):
    checks = Settings(state_dir=folder).checks

    settings = Settings(
        state_dir=folder,
        secrets=SecretsSettings(backend="file"),
        alerts=AlertSettings(history_dir=folder, max_retry_attempts=9),
        checks=checks,
        notify=(Notifier(name="ops", url=SecretStr("x://y")),),
    )

    assert settings.checks == checks
    assert settings.alerts.history_dir == folder
    assert settings.notify[0].name == "ops"


def test_making_settings_reads_no_variables(folder, monkeypatch):
    monkeypatch.setenv("ADMIN", '{"port": 1}')
    monkeypatch.setenv("STATE_DIR", "/elsewhere")

    assert Settings(state_dir=folder) == Settings(state_dir=folder, admin={"port": 8089})


def test_settings_are_shown_as_the_file_takes_them(loading):
    shown = loading(
        "[credentials]\nconfirm_delays = ['1m']\n[webhooks]\nallow_cidrs = ['10.0.0.0/8']\nports = [8443, 443]",
        ALERTD_EXCHANGES__OKX__OPTIONS='{"a": [1, null, true]}',
    ).public()

    assert shown["credentials"]["confirm_delays"] == ["60s"]
    assert shown["webhooks"]["allow_cidrs"] == ["10.0.0.0/8"]
    assert shown["webhooks"]["ports"] == [443, 8443]
    assert shown["exchanges"]["okx"]["options"] == {"a": [1, None, True]}
    assert shown["alerts"]["daily_pnl_time"] == "17:00"
