"""What people may write, and what the daemon gets."""

from datetime import time, timedelta
from ipaddress import ip_network

import pytest

from alertd.config import Weekday


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("monday", Weekday.MONDAY),
        ("Mon", Weekday.MONDAY),
        ("TUESDAY", Weekday.TUESDAY),
        ("wed", Weekday.WEDNESDAY),
        ("Thursday", Weekday.THURSDAY),
        ("fri", Weekday.FRIDAY),
        ("SAT", Weekday.SATURDAY),
        ("sunday", Weekday.SUNDAY),
    ],
)
def test_a_day_is_a_full_or_three_letter_name_in_any_case(loading, written, day):
    settings = loading(ALERT_WEEKLY_STABILITY_DAY=written)

    assert settings.alerts.weekly_stability_day is day


@pytest.mark.parametrize("written", ["mo", "tues", "montag", "1", "mon-fri", "mon#1"])
def test_any_other_day_is_refused(refusing, written):
    (problem,) = refusing(ALERT_WEEKLY_STABILITY_DAY=written)

    assert problem == (
        "alerts.weekly_stability_day (ALERT_WEEKLY_STABILITY_DAY): "
        f"must be an English day such as monday or mon, got {written}"
    )


@pytest.mark.parametrize(
    ("written", "at"), [("17:00", time(17)), ("00:00", time(0)), ("23:59", time(23, 59)), ("7:05", time(7, 5))]
)
def test_a_time_is_hours_and_minutes(loading, written, at):
    assert loading(ALERT_DAILY_PNL_TIME=written).alerts.daily_pnl_time == at


@pytest.mark.parametrize("written", ["24:00", "12:60", "12", "12:00:30", "noon", "12:00Z", "-1:00"])
def test_any_other_time_is_refused(refusing, written):
    (problem,) = refusing(ALERT_DAILY_PNL_TIME=written)

    assert problem.endswith(f"must be a time of day as HH:MM, such as 17:00, got {written}")


def test_a_time_of_toml_is_a_time(loading):
    assert loading("[alerts]\nthreshold_time_1 = 06:30:00").alerts.threshold_time_1 == time(6, 30)


@pytest.mark.parametrize("seconds", ["06:30:01", "06:30:00.5"])
def test_a_time_of_toml_with_seconds_is_refused(refusing, seconds):
    (problem,) = refusing(f"[alerts]\nthreshold_time_1 = {seconds}")

    assert problem.startswith("alerts.threshold_time_1: must be a time of day as HH:MM")


@pytest.mark.parametrize(
    ("written", "delay"),
    [
        ("30s", timedelta(seconds=30)),
        ("1m", timedelta(minutes=1)),
        ("1.5m", timedelta(seconds=90)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
    ],
)
def test_a_delay_has_its_unit(loading, written, delay):
    assert loading(f'[credentials]\nconfirm_delays = ["{written}"]').credentials.confirm_delays == (delay,)


@pytest.mark.parametrize("written", ["60", "m", "-1m", "1w", "1 m"])
def test_a_delay_without_a_unit_that_we_know_is_refused(refusing, written):
    (problem,) = refusing(f'[credentials]\nconfirm_delays = ["5m", "{written}"]')

    assert problem == (
        f"credentials.confirm_delays[1]: must be a number with its unit s, m, h or d, such as 90s or 5m, got {written}"
    )


@pytest.mark.parametrize("written", ["1m,5m", " 1m , 5m ", '["1m", "5m"]'])
def test_a_variable_holds_a_list_with_commas_or_as_json(loading, written):
    settings = loading(ALERTD_CREDENTIALS__CONFIRM_DELAYS=written)

    assert settings.credentials.confirm_delays == (timedelta(minutes=1), timedelta(minutes=5))


def test_a_variable_can_empty_a_list(loading):
    assert loading(ALERTD_WEBHOOKS__PORTS="[]").webhooks.ports == frozenset()


def test_a_list_that_is_not_json_is_refused(refusing):
    (problem,) = refusing(ALERTD_WEBHOOKS__PORTS="[443")

    assert "must be a list, such as a,b or a JSON array, got [443" in problem


def test_a_table_in_a_variable_is_json(loading):
    settings = loading(ALERTD_EXCHANGES__BINANCE__OPTIONS='{"defaultType": "swap"}')

    assert settings.exchange("binance").options == {"defaultType": "swap"}


def test_a_table_that_is_not_json_is_refused(refusing):
    (problem,) = refusing(ALERTD_EXCHANGES__BINANCE__OPTIONS="defaultType=swap")

    assert "must be a table, in a variable written as a JSON object" in problem


def test_networks_may_be_addresses_and_may_have_host_bits(loading):
    settings = loading(ALERTD_WEBHOOKS__ALLOW_CIDRS="10.1.2.3/8,192.0.2.1,2001:db8::/32")

    assert settings.webhooks.allow_cidrs == (
        ip_network("10.0.0.0/8"),
        ip_network("192.0.2.1/32"),
        ip_network("2001:db8::/32"),
    )


def test_expiry_warnings_are_sorted_and_counted_once(loading):
    assert loading(ALERTD_CREDENTIALS__EXPIRY_WARNING_DAYS="1,30,7,7").credentials.expiry_warning_days == (30, 7, 1)


@pytest.mark.parametrize("written", ["debug", "Debug", "DEBUG"])
def test_a_log_level_is_written_in_any_case(loading, written):
    assert loading(ALERTD_LOGGING__LEVEL=written).logging.level == "DEBUG"


@pytest.mark.parametrize(
    ("setting", "value", "complaint"),
    [
        ("credentials.interval_hours", "0", "must be greater than 0, got 0"),
        ("credentials.interval_hours", "-1", "must be greater than 0, got -1"),
        ("credentials.interval_hours", "nan", "must be"),
        ("credentials.interval_hours", "inf", "must be"),
        ("credentials.interval_hours", "true", "must be a number, got true"),
        ("credentials.interval_hours", '"soon"', "must be a number, got soon"),
        ("credentials.retries", "-1", "must be at least 0, got -1"),
        ("credentials.retries", "2.5", "must be a whole number, got 2.5"),
        ("credentials.retries", "true", "must be a number, got true"),
        ("credentials.spread", '"perhaps"', "must be true or false, got perhaps"),
        ("credentials.mass_hold_fraction", "1.5", "must be at most 1, got 1.5"),
        ("credentials.expiry_warning_days", "7", "must be a list, got 7"),
        ("credentials.expiry_warning_days", '["x"]', "must be a whole number, got x"),
        ("webhooks.ports", "[0]", "must be at least 1, got 0"),
        ("webhooks.ports", "[65536]", "must be at most 65535, got 65536"),
        ("webhooks.allow_cidrs", '["10.0.0.0/40"]', "must be an address or a network, such as 10.1.0.0/16"),
        ("webhooks.header_prefix", '"X Alpha"', "must be a header name of letters, digits and hyphens"),
        ("webhooks.profile", '"slow"', "must be 'fast' or 'patient', got slow"),
        ("admin.api_key_header", '"Authorization"', "other than Authorization"),
        ("admin.port", "70000", "must be at most 65535, got 70000"),
        ("admin.host", '"a b"', "must be an address or a host name"),
        ("admin.jwt_algorithm", '"none"', "must be 'HS256', 'HS384' or 'HS512', got none"),
        ("admin.jwt_algorithm", '"RS256"', "must be 'HS256', 'HS384' or 'HS512', got RS256"),
        ("alerts.monthly_forward_day", "0", "must be at least 1, got 0"),
        ("alerts.monthly_forward_day", "32", "must be at most 31, got 32"),
        ("retention.checks_days", "0", "must be at least 1, got 0"),
        ("secrets.vault.mount", '"a b"', "must be a path of letters, digits"),
        ("secrets.vault.auth", '"ldap"', "must be 'token', 'approle' or 'kubernetes', got ldap"),
        ("logging.level", '"LOUD"', "must be 'DEBUG', 'INFO', 'WARNING' or 'ERROR', got LOUD"),
        ("state_dir", "5", "must be a path, got 5"),
    ],
)
def test_what_is_wrong_and_what_would_be_right(refusing, setting, value, complaint):
    (problem,) = refusing(f"{setting} = {value}")

    assert problem.startswith(setting)
    assert complaint in problem


@pytest.mark.parametrize(
    "line",
    [
        "credentials.retries = 0",
        "credentials.retry_delay_seconds = 0",
        "credentials.interval_hours = 0.0001",
        "webhooks.retry_attempts = 0",
        "webhooks.retry_backoff_base = 0",
        "webhooks.per_credential_minutes = 0",
        "alerts.max_retry_attempts = 1",
        "alerts.retry_delay_seconds = 0",
        "alerts.suppress_similar_minutes = 0",
        "alerts.escalation_delay_minutes = 0",
        "exchanges.binance.requests_per_second = 100000",
        "credentials.mass_hold_fraction = 0",
        "metrics.max_tenants = 0",
        "admin.port = 0",
    ],
)
def test_zero_waits_and_large_rates_are_legal(loading, line):
    loading(line)


def test_a_long_value_is_cut(refusing):
    (problem,) = refusing(ALERT_DAILY_PNL_TIME="x" * 500)

    assert problem.endswith(f"got {'x' * 60}…")


def test_control_characters_do_not_reach_the_terminal(refusing):
    (problem,) = refusing('alerts.daily_pnl_time = "\\u001b[31m"')

    assert problem.endswith("got '\\x1b[31m'")
