"""Attacks on tokens: every one of them is the same 401."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest

from alertd.admin.access import Identity, Role
from alertd.admin.tokens import Tokens
from alertd.errors import ConfigError
from tests.admin.port import ADMIN, KEYS, VIEWER, Port, open_port

ME = "/api/performance-alerts/auth/me"
SECRET = "a secret of sixty-four bytes, so that every algorithm can sign with it"
WHO = Identity("admin", "admin", Role.ADMIN, "settings:admin:0123456789abcdef")


@pytest.fixture
async def signed(dsn, tmp_path, now):
    """A port whose signing secret the tests know."""
    async with open_port(dsn, tmp_path, now, environ={**KEYS, "ALERT_JWT_SECRET": SECRET}) as port:
        yield port


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def forged(claims: dict[str, Any], *, secret: str = SECRET, algorithm: str = "HS256", **headers: Any) -> str:
    return jwt.PyJWS().encode(json.dumps(claims).encode(), secret, algorithm=algorithm, headers=headers)


async def claims_of(port: Port) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(await port.token(), options={"verify_signature": False})
    return claims


async def test_what_we_sign_ourselves_with_the_same_claims_is_good(signed: Port) -> None:
    claims = await claims_of(signed)

    assert (await signed.ask("GET", ME, token=forged(claims))).status == 200


@pytest.mark.parametrize("claim", ["exp", "iat", "jti", "sub", "iss", "key"])
async def test_every_claim_is_needed(signed: Port, claim: str) -> None:
    claims = await claims_of(signed)
    del claims[claim]

    assert (await signed.ask("GET", ME, token=forged(claims))).status == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": "4102444800"},
        {"exp": 1e300},
        {"exp": 10**30},
        {"exp": True},
        {"exp": [1]},
        {"exp": 4102444800},  # for longer than we give
        {"exp": 0},
        {"exp": -1},
        {"iat": "now"},
        {"iat": 4102444800},
        {"iat": 0},
        {"sub": 5},
        {"sub": None},
        {"jti": ""},
        {"jti": 5},
        {"iss": "somebody else"},
        {"iss": ["alertd"]},
        {"key": "settings:admin:0000000000000000"},
        {"key": "settings:nobody:"},
        {"key": "key:00000000-0000-0000-0000-000000000000"},
        {"key": "key:not-a-uuid"},
        {"key": "key:"},
        {"key": ""},
        {"key": "\x00"},
        {"key": None},
        {"role": "admin"},
        {"aud": "alertd"},
    ],
    ids=str,
)
async def test_wrong_claims_are_refused_even_when_signed(signed: Port, changes: dict[str, Any]) -> None:
    claims = await claims_of(signed) | changes

    assert (await signed.ask("GET", ME, token=forged(claims))).status == 401


def none_algorithm(token: str) -> str:
    return f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{token.split('.')[1]}."


def other_payload(token: str) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{encoded({'sub': 'admin'})}.{signature}"


def nested_header(token: str) -> str:
    return "W" * 6000 + "." + ".".join(token.split(".")[1:])


ATTACKS: dict[str, Callable[[str], str]] = {
    "none": none_algorithm,
    "none, capital": lambda token: f"{encoded({'alg': 'NONE'})}.{token.split('.')[1]}.",
    "no signature": lambda token: token.rpartition(".")[0] + ".",
    "two parts": lambda token: token.rpartition(".")[0],
    "four parts": lambda token: token + ".x",
    "other payload": other_payload,
    "signature changed": lambda token: token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
    "cut": lambda token: token[:-5],
    "padding": lambda token: token + "=",
    "space": lambda token: token.replace(".", ". ", 1),
    "dots": lambda _: "..",
    "dot": lambda _: ".",
    "huge": lambda token: token + "A" * 7000,
    "nested header": nested_header,
    "non-ASCII": lambda token: token + "é",
    "emoji": lambda _: "😀.😀.😀",
    "not base64": lambda _: "!!!.@@@.###",
    "header is a list": lambda token: encoded([1]) + "." + ".".join(token.split(".")[1:]),
    "critical extension": lambda token: (
        encoded({"alg": "HS256", "crit": ["b64"], "b64": False}) + token[token.index(".") :]
    ),
    "key in the header": lambda token: (
        encoded({"alg": "HS256", "jwk": {"kty": "oct", "k": "AA"}}) + token[token.index(".") :]
    ),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
async def test_tampered_token_is_refused(port: Port, attack: Callable[[str], str]) -> None:
    token = await port.token()

    answer = await port.ask("GET", ME, token=attack(token))

    assert (answer.status, answer.json["detail"]) == (401, "A valid key or token is needed.")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_other_algorithm_with_the_same_secret_is_refused(signed: Port, algorithm: str) -> None:
    claims = await claims_of(signed)

    assert (await signed.ask("GET", ME, token=forged(claims, algorithm=algorithm))).status == 401


async def test_other_secret_is_refused(signed: Port) -> None:
    claims = await claims_of(signed)

    assert (await signed.ask("GET", ME, token=forged(claims, secret="x" * 32))).status == 401


async def test_bytes_that_are_no_text_are_refused(port: Port) -> None:
    answer = await port.say(
        b"GET /api/performance-alerts/auth/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Authorization: Bearer \xff\xfe.\xff.\xff\r\n\r\n"
    )

    assert answer.startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "bearer", "Token x", "", " "])
async def test_other_schemes_are_refused(port: Port, header: str) -> None:
    answer = await port.ask("GET", ME, key=None, headers={"Authorization": header})

    assert answer.status == 401


async def test_key_and_token_together_are_refused(port: Port) -> None:
    token = await port.token()

    answer = await port.ask("GET", ME, key=None, headers={"Authorization": f"Bearer {token}", "X-Alert-API-Key": ADMIN})

    assert answer.status == 401


async def test_two_keys_are_refused(port: Port) -> None:
    answer = await port.say(
        b"GET /api/performance-alerts/auth/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"X-Alert-API-Key: a\r\nX-Alert-API-Key: " + ADMIN.encode() + b"\r\n\r\n"
    )

    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_token_ends(port: Port) -> None:
    token = await port.token()

    port.clock.turn(timedelta(hours=24) - timedelta(seconds=1))
    before = await port.ask("GET", ME, token=token)
    port.clock.turn(timedelta(seconds=1))
    after = await port.ask("GET", ME, token=token)

    assert (before.status, after.status) == (200, 401)


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE api_keys SET revoked_at = created_at",
        "UPDATE api_keys SET expires_at = created_at",
        "DELETE FROM api_keys",
    ],
)
async def test_token_dies_with_its_key(port: Port, end: str) -> None:
    token = await port.token(await port.key())
    before = await port.ask("GET", ME, token=token)

    await port.daemon.db.execute(end)

    assert (before.status, (await port.ask("GET", ME, token=token)).status) == (200, 401)


async def test_role_is_the_one_that_the_key_has_now(port: Port) -> None:
    token = await port.token(await port.key(Role.ADMIN))

    await port.daemon.db.execute("UPDATE api_keys SET role = 'viewer'")

    assert (await port.ask("GET", "/api/v1/keys", token=token)).status == 403


async def test_token_of_a_setting_dies_when_the_setting_changes(dsn, tmp_path, now) -> None:
    async with open_port(dsn, tmp_path, now) as port:
        token = await port.token(VIEWER)
    async with open_port(dsn, tmp_path, now, environ={**KEYS, "ALERT_VIEWER_API_KEY": "another-viewer-key"}) as port:
        assert (await port.ask("GET", ME, token=token)).status == 401


async def test_tokens_and_keys_outlive_a_restart(dsn, tmp_path, now) -> None:
    async with open_port(dsn, tmp_path, now) as port:
        token = await port.token()
        key = await port.key()
    async with open_port(dsn, tmp_path, now) as port:
        statuses = [(await port.ask("GET", ME, token=token)).status, (await port.ask("GET", ME, key=key)).status]

    assert statuses == [200, 200]


async def test_secret_of_the_port_is_sealed_in_the_database(port: Port) -> None:
    kept = await port.daemon.db.fetchval("SELECT value FROM alertd_values WHERE name = 'admin_secret'")

    assert kept.startswith("v1.")


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("secret", [b"short", b"x" * 200], ids=["short", "long"])
def test_every_algorithm_reads_what_it_signed(now, algorithm, secret: bytes) -> None:
    tokens = Tokens(secret, algorithm=algorithm, lifetime=timedelta(hours=1))

    claims = tokens.read(tokens.issue(WHO, now).token, now)

    assert claims is not None
    assert (claims.sub, claims.key) == ("admin", WHO.key_ref)


def test_secret_that_cannot_sign_is_a_mistake_of_the_settings() -> None:
    with pytest.raises(ConfigError, match=r"admin\.jwt_secret"):
        Tokens(
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            algorithm="HS256",
            lifetime=timedelta(hours=1),
        )


def test_nobody_gets_a_token_without_a_key(now) -> None:
    tokens = Tokens(b"x" * 32, algorithm="HS256", lifetime=timedelta(hours=1))

    with pytest.raises(ValueError, match="stands for a key"):
        tokens.issue(Identity("anonymous", "anonymous", Role.ADMIN, None), now)
