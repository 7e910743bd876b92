"""Logging in, who one is then, and what of it is written down."""

from datetime import timedelta

import jwt
import pytest

from alertd.admin.access import PERMISSIONS, Role
from tests import factories
from tests.admin.port import ADMIN, KEYS, MASTER, OPERATOR, VIEWER, Port, open_port

LOGIN = "/api/performance-alerts/auth/login"
ME = "/api/performance-alerts/auth/me"
ALL = [str(permission) for permission in PERMISSIONS[Role.ADMIN]]


async def test_login_answers_a_token_and_whose_it_is(port: Port) -> None:
    answer = await port.ask("POST", LOGIN, key=None, json={"api_key": VIEWER})

    assert answer.status == 200
    assert answer.json.keys() == {"access_token", "token_type", "expires_in", "user"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("bearer", 86400)
    assert answer.json["user"] == {
        "user_id": "viewer",
        "username": "viewer",
        "roles": ["viewer"],
        "permissions": ["alert:view_status", "alert:view_history"],
    }


@pytest.mark.parametrize(
    ("key", "user", "role", "permissions"),
    [
        (ADMIN, "admin", "admin", ALL),
        (MASTER, "master", "admin", ALL),
        (OPERATOR, "operator", "operator", ALL[:4]),
        (VIEWER, "viewer", "viewer", ALL[:2]),
    ],
)
async def test_me_is_who_the_key_says(port: Port, key: str, user: str, role: str, permissions: list[str]) -> None:
    answer = await port.ask("GET", ME, key=key)

    assert answer.json == {
        "user_id": user,
        "username": user,
        "roles": [role],
        "permissions": permissions,
        "last_used": "2026-01-05T12:00:00Z",
        "enabled": True,
    }


async def test_token_is_as_good_as_its_key(port: Port) -> None:
    token = await port.token(MASTER)

    answer = await port.ask("GET", ME, token=token)

    assert (answer.status, answer.json["username"], answer.json["roles"]) == (200, "master", ["admin"])


async def test_token_has_the_published_claims_and_no_role(port: Port) -> None:
    token = await port.token(ADMIN)

    claims = jwt.decode(token, options={"verify_signature": False})

    assert claims.keys() == {"iss", "sub", "iat", "exp", "jti", "key"}
    assert (claims["sub"], claims["exp"] - claims["iat"]) == ("admin", 86400)


async def test_two_tokens_of_one_key_differ(port: Port) -> None:
    assert await port.token() != await port.token()


async def test_me_of_a_stored_key_names_it(port: Port) -> None:
    tenant = await factories.tenant(port.daemon.db)
    key = await port.key(Role.TENANT, tenant_id=tenant, name="their script")

    answer = await port.ask("GET", ME, key=key)

    assert (answer.json["username"], answer.json["roles"], answer.json["permissions"]) == (
        "their script",
        ["tenant"],
        [],
    )


async def test_key_may_come_as_a_bearer(port: Port) -> None:
    key = await port.key(Role.VIEWER)

    assert (await port.ask("GET", ME, token=key)).status == 200


async def test_key_of_the_settings_may_come_as_a_bearer(port: Port) -> None:
    assert (await port.ask("GET", ME, token=VIEWER)).status == 200


async def test_use_of_a_stored_key_is_noted_to_the_minute(port: Port) -> None:
    key = await port.key()
    await port.ask("GET", ME, key=key)
    first = await port.daemon.db.fetchval("SELECT last_used_at FROM api_keys")

    port.clock.turn(timedelta(seconds=59))
    await port.ask("GET", ME, key=key)
    second = await port.daemon.db.fetchval("SELECT last_used_at FROM api_keys")
    port.clock.turn(timedelta(seconds=1))
    await port.ask("GET", ME, key=key)
    third = await port.daemon.db.fetchval("SELECT last_used_at FROM api_keys")

    assert (second, third) == (first, first + timedelta(minutes=1))


async def test_login_is_in_the_audit_log(port: Port) -> None:
    await port.ask("POST", LOGIN, key=None, json={"api_key": ADMIN}, headers={"X-Request-Id": "my-login"})

    deed = (await port.ask("GET", "/api/v1/audit")).json["items"][0]
    assert (deed["actor"], deed["action"], deed["peer"], deed["request_id"]) == (
        "admin",
        "login",
        "127.0.0.1",
        "my-login",
    )


async def test_failed_login_is_in_the_audit_log_without_the_key(port: Port) -> None:
    await port.ask("POST", LOGIN, key=None, json={"api_key": "hunter2hunter2"})

    answer = await port.ask("GET", "/api/v1/audit")
    deed = answer.json["items"][0]
    assert (deed["actor"], deed["action"], deed["at"]) == ("unknown", "login.fail", "2026-01-05T12:00:00Z")
    assert "hunter2" not in answer.text


async def test_failed_login_with_a_known_key_names_its_public_part(port: Port) -> None:
    key = await port.key(revoked=True)

    await port.ask("POST", LOGIN, key=None, json={"api_key": key})

    deed = (await port.ask("GET", "/api/v1/audit")).json["items"][0]
    assert deed["actor"] == key.split("_")[1]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "nobody's",
        "é" * 20,
        "😀",
        "x" * 1024,
        ADMIN + " ",
        ADMIN.upper(),
        "alertd_0123456789_" + "A" * 43 + "_000000",
    ],
)
async def test_key_of_nobody_is_refused(port: Port, key: str) -> None:
    answer = await port.ask("POST", LOGIN, key=None, json={"api_key": key})

    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="alertd"')
    assert answer.json["detail"] == "A valid key or token is needed."


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "/api_key"),
        ({"api_key": None}, "/api_key"),
        ({"api_key": 5}, "/api_key"),
        ({"api_key": ADMIN, "extra": 1}, "/extra"),
        ({"api_key": "hunter2" * 200}, "/api_key"),
    ],
)
async def test_malformed_login_says_where_and_never_what(port: Port, body: object, where: str) -> None:
    answer = await port.ask("POST", LOGIN, key=None, json=body)

    assert (answer.status, [flaw["where"] for flaw in answer.json["errors"]]) == (422, [where])
    assert "hunter2" not in answer.text
    assert ADMIN not in answer.text


async def test_nothing_to_log_in_to_without_authentication(dsn, tmp_path, now) -> None:
    async with open_port(dsn, tmp_path, now, environ={"ALERT_AUTH_ENABLED": "false"}) as port:
        login = await port.ask("POST", LOGIN, key=None, json={"api_key": "any"})
        me = await port.ask("GET", ME, key=None)

    assert (login.status, me.json["username"], me.json["roles"]) == (400, "anonymous", ["admin"])


async def test_header_has_the_name_of_the_settings(dsn, tmp_path, now) -> None:
    async with open_port(dsn, tmp_path, now, environ={**KEYS, "ALERT_API_KEY_HEADER": "X-Other"}) as port:
        usual = await port.ask("GET", ME)
        named = await port.ask("GET", ME, key=None, headers={"X-Other": ADMIN})
        document = await port.ask("GET", "/openapi.json")

    assert (usual.status, named.status) == (401, 200)
    assert document.json["components"]["securitySchemes"]["api_key"]["name"] == "X-Other"


@pytest.mark.parametrize(("hours", "seconds"), [("24", 86400), ("0.5", 1800), ("0.0001", 1)])
async def test_tokens_live_as_long_as_the_settings_say(dsn, tmp_path, now, hours: str, seconds: int) -> None:
    async with open_port(dsn, tmp_path, now, environ={**KEYS, "ALERT_JWT_EXPIRE_HOURS": hours}) as port:
        answer = await port.ask("POST", LOGIN, key=None, json={"api_key": ADMIN})

    assert answer.json["expires_in"] == seconds
