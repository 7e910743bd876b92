"""Secrets come from a value, a file or a credential, and never come out again."""

import base64
import json

import pytest

from alertd.config.names import credential_name, leaves, path_of_credential, variable

SECRETS = [leaf.path for leaf in leaves().values() if leaf.secret and "*" not in leaf.path]
MARK = "hUsHhUsH"


@pytest.fixture
def credentials(folder):
    """An empty credentials directory."""
    directory = folder / "credentials"
    directory.mkdir()
    return directory


def every_secret() -> dict[str, str]:
    """A variable for each secret setting, with an acceptable value that carries MARK."""
    special = {
        "ALERTD_DATABASE__DSN": f"postgresql://u:{MARK}@db/x",
        "ALERTD_SECRETS__ENCRYPTION_KEY": base64.b64encode((MARK * 4).encode()).decode(),
        "ALERTD_NOTIFY__OPS__URL": f"mailtos://u:{MARK}@mail",
    }
    return {variable(path): f"{MARK}-{'-'.join(path)}-0123456789-0123456789" for path in SECRETS} | special


def every_spoilt_secret() -> dict[str, str]:
    """As `every_secret`, where nothing is right."""
    spoilt = {
        "ALERTD_DATABASE__DSN": f"mysql://u:{MARK}@db",
        "ALERTD_SECRETS__ENCRYPTION_KEY": MARK,
        "ALERTD_NOTIFY__OPS__URL": MARK,
    }
    return dict.fromkeys(every_secret(), MARK) | spoilt | {"ALERT_ADMIN_API_KEY": MARK + "!"}


def test_there_are_secrets():
    assert len(SECRETS) == 10


def test_settings_never_print_a_secret(loading):
    settings = loading(**every_secret())

    printed = f"{settings!r} {settings} {json.dumps(settings.public())} {settings.warnings} {settings.model_dump()}"
    assert MARK not in printed
    assert every_secret()["ALERTD_SECRETS__ENCRYPTION_KEY"] not in printed


def test_public_tells_which_secrets_are_set(loading):
    shown = loading(ALERT_JWT_SECRET="s" * 32, ALERTD_NOTIFY__OPS__URL="x://y").public()

    assert shown["admin"]["jwt_secret"] == "***"
    assert shown["admin"]["keys"]["admin"] is None
    assert shown["notify"] == [
        {"name": "ops", "url": "***", "escalation": False, "min_severity": "warning"},
    ]


def test_problems_never_print_a_secret(refusing):
    problems = refusing(ALERTD_ADMIN__HOST="0.0.0.0", **every_spoilt_secret())

    assert len(problems) >= 3
    assert MARK not in " ".join(problems)


def test_warnings_never_print_a_secret(loading):
    settings = loading(ALERT_JWT_SECRET=MARK, ALERT_VIEWER_API_KEY=MARK)

    assert len(settings.warnings) == 2
    assert MARK not in " ".join(settings.warnings)


def test_a_misspelt_secret_is_not_printed(refusing):
    problems = refusing(f"[admin]\njwt_secrt = '{MARK}'", ALERTD_ADMIN__JWT_SECRT=MARK, VAULT_ADDR=f"http://u:{MARK}@v")

    assert len(problems) == 3
    assert MARK not in " ".join(problems)


def test_a_secret_that_is_no_text_is_not_printed(refusing):
    assert refusing("admin.jwt_secret = 123456789") == ("admin.jwt_secret: must be text",)


@pytest.mark.parametrize("path", SECRETS, ids=".".join)
def test_every_secret_has_a_credential(path):
    assert path_of_credential(credential_name(path)) == path


@pytest.mark.parametrize("text", ["s" * 40, "s" * 40 + "\n", "s" * 40 + "\r\n"])
def test_a_file_named_by_a_variable(loading, folder, text):
    (folder / "jwt").write_bytes(text.encode())

    settings = loading(ALERT_JWT_SECRET_FILE=str(folder / "jwt"))

    assert settings.admin.jwt_secret.get_secret_value() == "s" * 40


def test_a_file_named_by_our_form_of_the_variable(loading, folder):
    (folder / "dsn").write_text("postgresql://db/x\n")

    settings = loading(ALERTD_DATABASE__DSN_FILE="dsn")

    assert settings.database.dsn.get_secret_value() == "postgresql://db/x"


def test_a_file_named_in_the_file(loading, folder):
    (folder / "dsn").write_text("postgresql://db/x\n")

    settings = loading("[database]\ndsn_file = 'dsn'")

    assert settings.database.dsn.get_secret_value() == "postgresql://db/x"


def test_a_notifiers_address_may_be_in_a_file(loading, folder):
    (folder / "url").write_text("x://y\n")

    settings = loading("[[notify]]\nname = 'ops'\nurl_file = 'url'")

    assert settings.notify[0].url.get_secret_value() == "x://y"


@pytest.mark.parametrize("name", ["database_dsn", "alertd.database_dsn"])
def test_a_credential(loading, credentials, name):
    (credentials / name).write_text("postgresql://db/x\n")

    settings = loading(CREDENTIALS_DIRECTORY=str(credentials))

    assert settings.database.dsn.get_secret_value() == "postgresql://db/x"


def test_a_notifiers_credential(loading, credentials):
    (credentials / "notify_ops_url").write_text("x://y")

    settings = loading("[[notify]]\nname = 'ops'\nescalation = true", CREDENTIALS_DIRECTORY=str(credentials))

    assert (settings.notify[0].url.get_secret_value(), settings.notify[0].escalation) == ("x://y", True)


def test_credentials_of_others_are_left_alone(loading, credentials):
    (credentials / "tls.key").write_text("x")

    assert loading(CREDENTIALS_DIRECTORY=str(credentials)).warnings == ()


def test_a_credential_of_ours_that_is_no_setting_is_a_warning(loading, credentials):
    (credentials / "alertd.databse_dsn").write_text("x")

    settings = loading(CREDENTIALS_DIRECTORY=str(credentials))

    assert settings.warnings == ("credential alertd.databse_dsn: is not a secret setting; ignored",)


def test_a_credentials_directory_that_is_gone_is_a_problem(refusing):
    (problem,) = refusing(CREDENTIALS_DIRECTORY="/nowhere/at/all")

    assert problem == "CREDENTIALS_DIRECTORY: cannot list /nowhere/at/all: no such file or directory"


def test_equal_values_from_two_places_are_fine(loading, folder, credentials):
    (folder / "jwt").write_text("s" * 40 + "\n")
    (credentials / "admin_jwt_secret").write_text("s" * 40)

    loading(
        ALERT_JWT_SECRET="s" * 40,
        ALERTD_ADMIN__JWT_SECRET_FILE=str(folder / "jwt"),
        CREDENTIALS_DIRECTORY=str(credentials),
    )


def test_a_value_and_a_file_that_differ_are_a_problem(refusing, folder):
    (folder / "jwt").write_text("t" * 40)

    (problem,) = refusing(ALERT_JWT_SECRET="s" * 40, ALERT_JWT_SECRET_FILE=str(folder / "jwt"))

    assert problem == (
        "admin.jwt_secret: ALERT_JWT_SECRET and ALERT_JWT_SECRET_FILE have different values; keep one of them"
    )


def test_secrets_that_differ_in_case_only_differ(refusing):
    (problem,) = refusing(ALERT_JWT_SECRET="s" * 40, ALERTD_ADMIN__JWT_SECRET="S" * 40)

    assert "have different values" in problem


def test_a_value_and_a_file_that_differ_within_the_file_are_a_problem(refusing, folder):
    (folder / "dsn").write_text("postgresql://db/y")

    (problem,) = refusing("[database]\ndsn = 'postgresql://db/x'\ndsn_file = 'dsn'")

    assert problem == "database.dsn: database.dsn and database.dsn_file have different values; keep one of them"


def test_a_credential_must_agree_with_the_file(refusing, credentials):
    (credentials / "database_dsn").write_text("postgresql://db/y")

    (problem,) = refusing("[database]\ndsn = 'postgresql://db/x'", CREDENTIALS_DIRECTORY=str(credentials))

    assert problem == ("database.dsn: credential database_dsn and database.dsn have different values; keep one of them")


def test_a_variable_beats_a_secret_of_the_file(loading):
    settings = loading("[database]\ndsn = 'postgresql://db/x'", ALERTD_DATABASE__DSN="postgresql://db/y")

    assert settings.database.dsn.get_secret_value() == "postgresql://db/y"


def test_a_credential_beats_the_shells_vault_token(loading, credentials):
    (credentials / "secrets_vault_token").write_text("ours")

    settings = loading(VAULT_TOKEN="shell", CREDENTIALS_DIRECTORY=str(credentials))

    assert settings.secrets.vault.token.get_secret_value() == "ours"


def test_a_missing_file_is_named(refusing):
    (problem,) = refusing(ALERT_JWT_SECRET_FILE="/nowhere/jwt")

    assert problem == ("admin.jwt_secret (ALERT_JWT_SECRET_FILE): cannot read /nowhere/jwt: no such file or directory")


def test_a_folder_in_the_place_of_a_secret_is_named(refusing, folder):
    (problem,) = refusing(ALERT_JWT_SECRET_FILE=str(folder))

    assert problem == f"admin.jwt_secret (ALERT_JWT_SECRET_FILE): cannot read {folder}: is a directory"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"\xff\xfe", "must be text in UTF-8"), (b"x" * 70_000, "is too large")],
)
def test_a_file_without_a_usable_secret(refusing, folder, content, complaint):
    (folder / "jwt").write_bytes(content)

    (problem,) = refusing("[admin]\njwt_secret_file = 'jwt'")

    assert problem.startswith("admin.jwt_secret_file: ")
    assert problem.endswith(complaint)


def test_a_path_of_a_secret_is_text(refusing):
    assert refusing("admin.jwt_secret_file = 5") == ("admin.jwt_secret_file: must be a path",)


def test_an_unreadable_file_is_one_problem_and_not_two(refusing):
    problems = refusing("secrets.vault.address = 'https://vault'", ALERTD_SECRETS__VAULT__TOKEN_FILE="/nowhere")

    assert len(problems) == 1


def test_an_empty_secret_in_the_file_is_a_problem(refusing):
    (problem,) = refusing("admin.jwt_secret = ''")

    assert problem == "admin.jwt_secret: must not be empty; leave the setting out instead"


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("not base64 at all!", "must be base64"),
        ("c2hvcnQ=", "must be 32 bytes in base64, got 5 bytes"),
        (base64.b64encode(bytes(32)).decode() + ",c2hvcnQ=", "key 2 of 2 must be 32 bytes in base64, got 5 bytes"),
        (base64.b64encode(bytes(32)).decode() + ",", "key 2 of 2 must be 32 bytes in base64, got 0 bytes"),
    ],
)
def test_an_encryption_key_is_looked_at(refusing, key, complaint):
    (problem,) = refusing(ALERTD_SECRETS__ENCRYPTION_KEY=key)

    assert problem == (
        f"secrets.encryption_key (ALERTD_SECRETS__ENCRYPTION_KEY): {complaint}; make one with: openssl rand -base64 32"
    )
