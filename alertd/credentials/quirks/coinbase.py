"""Coinbase (Advanced Trade): a mute 401 stands for key, secret, address and clock; secrets come in two formats."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from alertd.credentials.quirks.reading import at, flag, listed, said, word
from alertd.credentials.quirks.shape import TEXT, Call, Quirks, Said, on
from alertd.model import Permissions, Reason, Secret


def key_permissions(body: object) -> Permissions | None:
    view, trade, transfer = (flag(body, name) for name in ("can_view", "can_trade", "can_transfer"))
    if view is None or trade is None:
        return None
    # a transfer may go to any address, so it is a withdrawal
    return Permissions(read=view, trade=trade, withdraw=transfer, transfer=transfer)


def accounts(body: object) -> Permissions | None:
    return None if listed(body, "accounts") is None else Permissions(read=True)


def one(_secret: Secret, _earlier: tuple[object, ...]) -> Mapping[str, object]:
    return {"limit": 1}


def refusal(body: object) -> Said:
    first = at(body, "errors", 0)
    code = word(body, "error") or word(first, "id") or word(body, "code")
    message = word(body, "message") or word(body, "error_details") or word(first, "message")
    return said(code, message)


def credentials(secret: Secret) -> Mapping[str, str]:
    return {"apiKey": secret.api_key, "secret": pem(secret.api_secret)}


def pem(text: str) -> str:
    r"""The key with real line ends: a copy out of Coinbase's JSON file has a literal \n for each."""
    return text.replace("\\n", "\n") if text.startswith("-----BEGIN") else text


def malformed(secret: Secret) -> bool:
    """Neither a P-256 key in PEM nor the base64 of an Ed25519 key."""
    if secret.api_secret.startswith("-----BEGIN"):
        return not _is_p256(pem(secret.api_secret))
    try:
        return len(b64decode(secret.api_secret, validate=True)) not in {32, 64}
    except (binascii.Error, ValueError):
        return True


def _is_p256(text: str) -> bool:
    try:
        key = load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1)


ERRORS: Final = (
    on(Reason.CLOCK_SKEW, says=("request timestamp expired",)),
    on(Reason.INVALID_KEY, TEXT, status=401, hides_clock=True),
    on(Reason.INVALID_KEY, "unauthorized", "authentication_error", "invalid_token", hides_clock=True),
    on(Reason.INVALID_KEY, "UNAUTHENTICATED", "16", hides_clock=True),
    on(Reason.INVALID_KEY, "revoked_token"),
    on(Reason.EXPIRED, "expired_token"),
    on(Reason.PERMISSION, "PERMISSION_DENIED", "invalid_scope", "7"),
    on(Reason.PERMISSION, status=403, says=("missing required scopes",)),
    on(Reason.RATE_LIMITED, "rate_limit_exceeded", "resource_exhausted", "RESOURCE_EXHAUSTED"),
    on(Reason.EXCHANGE_DOWN, "internal_server_error", "INTERNAL", "UNAVAILABLE"),
)

COINBASE: Final = Quirks(
    id="coinbase",
    ask=(
        Call(method="v3PrivateGetBrokerageKeyPermissions", good=key_permissions),
        Call(method="v3PrivateGetBrokerageAccounts", good=accounts, params=one),
    ),
    errors=ERRORS,
    read=refusal,
    credentials=credentials,
    malformed=malformed,
    labels=frozenset({"unknown", "NOT_FOUND", "not_found", "INVALID_ARGUMENT"}),
)

ENTRIES: Final = (COINBASE,)
