"""Coinbase Advanced Trade, simulated: a JWT for each request, made with a P-256 or an Ed25519 key; a mute 401."""

from base64 import b64encode
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from alertd.demo.exchanges.shape import Account, Minted, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import random_bytes, unbase64

HOST: Final = "api.coinbase.com"
TOLERANCE_SECONDS: Final = 5


def mint(number: int) -> Minted:
    """Every third key is of the Ed25519 kind."""
    name = f"organizations/{_uuid('organisation', number)}/apiKeys/{_uuid('key', number)}"
    return Minted(name, ed25519_secret(number) if number % 3 == 2 else pem_secret(number))


def pem_secret(number: int) -> str:
    value = int.from_bytes(random_bytes("coinbase secret", number, 31), "big")
    key = ec.derive_private_key(value, ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def ed25519_secret(number: int) -> str:
    seed = random_bytes("coinbase secret", number, 32)
    return b64encode(seed + Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()).decode()


def _uuid(name: str, number: int) -> UUID:
    return UUID(bytes=random_bytes(f"coinbase {name}", number, 16))


def token(request: Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def key_of(request: Request) -> str:
    try:
        return str(jwt.get_unverified_header(token(request)).get("kid", ""))
    except jwt.InvalidTokenError:
        return ""


def verify(request: Request, account: Account, now: datetime) -> State:
    try:
        claims = jwt.decode(
            token(request),
            _public_key(account.secret),
            algorithms=["ES256", "EdDSA"],
            options={"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
    except (jwt.InvalidTokenError, ValueError, TypeError):
        return State.BAD_SIGNATURE
    wanted = f"{request.method} {HOST}{request.path}"
    if claims.get("sub") != account.key or wanted not in (claims.get("uri"), *claims.get("uris", ())):
        return State.BAD_SIGNATURE
    early, late = claims["nbf"] - TOLERANCE_SECONDS, claims["exp"]
    return State.GOOD if early <= now.timestamp() <= late else State.BAD_TIME


def _public_key(secret: str) -> Any:
    if secret.startswith("-----BEGIN"):
        return load_pem_private_key(secret.encode(), None).public_key()
    return Ed25519PrivateKey.from_private_bytes(unbase64(secret)[:32]).public_key()


def key_permissions(_request: Request, account: Account) -> Reply:
    rights = account.rights
    return Reply(
        200,
        {
            "can_view": rights.read,
            "can_trade": rights.trade,
            "can_transfer": rights.withdraw,
            "portfolio_uuid": str(_uuid("portfolio", account.number)),
            "portfolio_type": "DEFAULT",
        },
    )


def accounts(_request: Request, account: Account) -> Reply:
    held = {"uuid": str(_uuid("account", account.number)), "currency": "BTC", "active": True}
    return Reply(200, {"accounts": [held], "has_next": False, "cursor": "", "size": 1})


MUTE: Final = Reply(401, "Unauthorized\n")

COINBASE: Final = Simulated(
    id="coinbase",
    hosts=(HOST,),
    mint=mint,
    key_of=key_of,
    verify=verify,
    answers={
        "GET /api/v3/brokerage/key_permissions": key_permissions,
        "GET /api/v3/brokerage/accounts": accounts,
    },
    refusals={
        State.REVOKED: MUTE,
        State.EXPIRED: MUTE,
        State.IP_BLOCKED: MUTE,
        State.BAD_SIGNATURE: MUTE,
        State.BAD_TIME: MUTE,
        State.NO_RIGHT: Reply(
            403,
            {
                "error": "PERMISSION_DENIED",
                "error_details": "Missing required scopes",
                "message": "Missing required scopes",
            },
        ),
        State.THROTTLED: Reply(
            429,
            {"errors": [{"id": "rate_limit_exceeded", "message": "You have exceeded your API request rate limit."}]},
        ),
        State.UNHEARD_OF: Reply(400, {"error": "SOMETHING_UNDOCUMENTED", "message": "", "error_details": ""}),
        State.MAINTENANCE: Reply(500, {"error": "internal_server_error", "message": "", "error_details": ""}),
    },
)

SIMULATED: Final = (COINBASE,)
