"""Weak secrets: a warning where only this machine can connect, a refusal anywhere else."""

import pytest

STRONG = {
    "ALERT_JWT_SECRET": "0123456789abcdef0123456789abcdef",
    "ALERT_ADMIN_API_KEY": "0123456789abcdef",
    "ALERTD_ADMIN__BEHIND_PROXY": "true",
    "ALERTD_ADMIN__TRUSTED_PROXIES": "10.0.0.1",
}
WEAK = [
    ({"ALERT_ADMIN_API_KEY": "0123456789abcde"}, "admin.keys.admin (ALERT_ADMIN_API_KEY): must have at least 16"),
    ({"ALERT_JWT_SECRET": "0" * 31}, "admin.jwt_secret (ALERT_JWT_SECRET): must have at least 32 bytes"),
    ({"ALERT_AUTH_ENABLED": "false"}, "admin.auth_enabled (ALERT_AUTH_ENABLED): must be true"),
    (
        {"ALERT_MASTER_API_KEY": STRONG["ALERT_ADMIN_API_KEY"]},
        "admin.keys.admin (ALERT_ADMIN_API_KEY): must differ from the other keys",
    ),
]
PUBLIC = [
    "admin-key-12345",
    "operator-key-67890",
    "viewer-key-abcdef",
    "master-key-xyz789",
    "secure-admin-key",
    "secure-operator-key",
    "secure-viewer-key",
    "secure-master-key",
    "your-secret-key",
    "your-admin-key",
    "your-api-key",
    "$(openssl rand -hex 32)",
]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "localhost"])
@pytest.mark.parametrize(("environ", "text"), WEAK)
def test_on_a_loopback_address_it_is_a_warning(loading, host, environ, text):
    settings = loading(**STRONG | environ | {"ALERTD_ADMIN__HOST": host})

    assert settings.warnings[0].startswith(text)
    assert settings.warnings[0].endswith("is a loopback address")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "alertd.example.com"])
@pytest.mark.parametrize(("environ", "text"), WEAK)
def test_anywhere_else_it_is_refused(refusing, host, environ, text):
    problems = refusing(**STRONG | environ | {"ALERTD_ADMIN__HOST": host})

    assert problems[0].startswith(text)
    assert problems[0].endswith(f"where other machines can connect ({host})")


@pytest.mark.parametrize("key", PUBLIC)
def test_a_key_of_a_public_example_is_refused(refusing, key):
    (problem,) = refusing(**STRONG | {"ALERTD_ADMIN__HOST": "0.0.0.0", "ALERT_ADMIN_API_KEY": key})

    assert problem.startswith("admin.keys.admin (ALERT_ADMIN_API_KEY): is printed in a public example")


def test_a_jwt_secret_of_a_public_example_is_refused(refusing):
    (problem,) = refusing(
        **STRONG | {"ALERTD_ADMIN__HOST": "0.0.0.0", "ALERT_JWT_SECRET": "$(openssl rand -base64 32)"}
    )

    assert problem.startswith("admin.jwt_secret (ALERT_JWT_SECRET): is printed in a public example")


def test_a_key_of_a_public_example_is_a_warning_on_loopback(loading):
    (warning,) = loading(ALERT_ADMIN_API_KEY="admin-key-12345").warnings

    assert warning.startswith("admin.keys.admin (ALERT_ADMIN_API_KEY): is printed in a public example")


def test_strong_secrets_behind_a_proxy_are_accepted(loading):
    assert loading(**STRONG, ALERTD_ADMIN__HOST="0.0.0.0").warnings == ()


def test_secrets_that_are_not_set_are_not_weak(loading):
    assert loading().warnings == ()


def test_plain_http_without_a_proxy_is_refused(refusing):
    (problem,) = refusing(ALERTD_ADMIN__HOST="0.0.0.0")

    assert problem == (
        "admin.tls_cert: must be set, or admin.behind_proxy with admin.trusted_proxies, "
        "where other machines can connect (0.0.0.0)"
    )


def test_tls_is_accepted_without_a_proxy(loading, folder):
    (folder / "cert").write_text("")
    (folder / "key").write_text("")

    settings = loading("[admin]\nhost = '0.0.0.0'\ntls_cert = 'cert'\ntls_key = 'key'")

    assert settings.admin.tls_cert == folder / "cert"


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_proxy_must_be_named(refusing, host):
    (problem,) = refusing(ALERTD_ADMIN__HOST=host, ALERTD_ADMIN__BEHIND_PROXY="true")

    assert problem.startswith("admin.trusted_proxies: must list the addresses of the proxy")


def test_a_vault_token_over_plain_http_is_a_warning(loading):
    (warning,) = loading(VAULT_ADDR="http://vault.example.com:8200", VAULT_TOKEN="t").warnings

    assert warning.startswith("secrets.vault.address: is plain http")


def test_vault_on_this_machine_may_speak_plain_http(loading):
    assert loading(VAULT_ADDR="http://127.0.0.1:8200", VAULT_TOKEN="t").warnings == ()
