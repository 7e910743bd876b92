"""Misspelt names are found, and what was meant is said."""

import pytest


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("[credential]\nretries = 1", "credential: is not a setting; did you mean credentials?"),
        (
            "[webhooks]\ntimeout = 5",
            "webhooks.timeout: is not a setting; did you mean webhooks.timeout_seconds?",
        ),
        ("port = 9000", "port: is not a setting; did you mean admin.port?"),
        (
            "[exchanges.binance]\nconect_to = 'x'",
            "exchanges.binance.conect_to: is not a setting; did you mean exchanges.binance.connect_to?",
        ),
        (
            "[checks.daily_pnl.retry]\nmax_attempts = 1",
            "checks.daily_pnl: is not a setting; did you mean checks.daily_pnl_check?",
        ),
        (
            "[checks.daily_pnl_check]\nmax_age = 1",
            "checks.daily_pnl_check.max_age: is not a setting; did you mean checks.daily_pnl_check.max_age_hours?",
        ),
        (
            "[[notify]]\nname = 'ops'\nurl = 'x://y'\nescalate = true",
            "notify.ops.escalate: is not a setting; did you mean notify.ops.escalation?",
        ),
        ("zzz = 1", "zzz: is not a setting"),
        ("warnings = []", "warnings: is not a setting"),
        ("admin.port_file = 'x'", "admin.port_file: is not a setting; did you mean admin.port?"),
    ],
)
def test_an_unknown_key(refusing, toml, problem):
    assert refusing(toml) == (problem,)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (
            "ALERTD_CREDENTIAL__RETRIES",
            "ALERTD_CREDENTIAL__RETRIES: is not a setting; did you mean ALERTD_CREDENTIALS__RETRIES?",
        ),
        (
            "ALERTD_EXCHANGES__OKX__CONNECT",
            "ALERTD_EXCHANGES__OKX__CONNECT: is not a setting; did you mean ALERTD_EXCHANGES__OKX__CONNECT_TO?",
        ),
        ("ALERTD_admin__port", "ALERTD_admin__port: is not a setting"),
        ("ALERTD_ADMIN__PORT_FILE", "ALERTD_ADMIN__PORT_FILE: is not a setting; did you mean ALERTD_ADMIN__PORT?"),
        ("ALERTD_QQQ__ZZZZZZZZZ", "ALERTD_QQQ__ZZZZZZZZZ: is not a setting"),
    ],
)
def test_an_unknown_variable_of_ours(refusing, name, problem):
    assert refusing(**{name: "1"}) == (problem,)


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("ALERTD_STATEDIR", "ALERTD_STATEDIR: is not a setting, ignored; did you mean ALERTD_STATE_DIR?"),
        (
            "ALERT_DAILY_PNL_TIM",
            "ALERT_DAILY_PNL_TIM: is not a setting, ignored; did you mean ALERT_DAILY_PNL_TIME?",
        ),
        (
            "WEBHOOK_TIMEOUT_SECOND",
            "WEBHOOK_TIMEOUT_SECOND: is not a setting, ignored; did you mean WEBHOOK_TIMEOUT_SECONDS?",
        ),
    ],
)
def test_a_near_miss_that_may_belong_to_others_is_a_warning(loading, name, warning):
    assert loading(**{name: "1"}).warnings == (warning,)


def test_variables_of_others_are_left_alone(loading):
    settings = loading(ALERT_SMTP_HOST="mail", WEBHOOK_COLOUR="red", CREDENTIAL_HELPER="x", PATH="/bin")

    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("database = 5", "database: must be a table, [database]"),
        ("exchanges.binance = 'fast'", "exchanges.binance: must be a table, [exchanges.binance]"),
        ("[notify]\nname = 'x'", "notify: must be a list of tables, each under [[notify]]"),
        ("notify = ['x']", "notify: must be a list of tables, each under [[notify]]"),
        ("[[notify]]\nurl = 'x://y'", "notify[0].name: must be set to a text"),
        (
            "[[notify]]\nname = 'on-call'\nurl = 'x://y'\n[[notify]]\nname = 'On_Call'\nurl = 'x://y'",
            "notify[1].name: must be different from the other names",
        ),
        ("[exchanges.'no/such']\nenabled = true", "exchanges.no/such: must be an exchange's id as ccxt spells it"),
    ],
)
def test_a_wrong_shape(refusing, toml, problem):
    (found,) = refusing(toml)

    assert found.startswith(problem)


def test_all_problems_come_at_once(refusing):
    problems = refusing(
        "colour = 'red'\n[credentials]\nretries = 'many'\n[secrets]\nbackend = 'vault'",
        ALERT_DAILY_PNL_TIME="25:00",
        ALERTD_ADMIN__BEHIND_PROXY="yes",
        ALERTD_ADMIN__PORT="high",
    )

    assert [problem.split(":")[0] for problem in problems] == [
        "colour",
        "credentials.retries",
        "alerts.daily_pnl_time (ALERT_DAILY_PNL_TIME)",
        "admin.port (ALERTD_ADMIN__PORT)",
        "secrets.vault.address",
        "secrets.vault.token",
        "admin.trusted_proxies",
    ]
