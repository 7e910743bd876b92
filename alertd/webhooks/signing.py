"""Both signature header families over the same bytes: Standard Webhooks, and the published one.

They key differently, on purpose: `webhook-signature` with the decoded base64 of `whsec_...`, the
published header with the UTF-8 of the whole secret string. The published one does not cover the
timestamp and holds one value, so in a rotation the new secret signs a header of its own.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

MARK: Final = "whsec_"
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
PREFIX: Final = "X-AlphaPulse"
TOLERANCE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Verification:
    """Which signature headers hold, which are not there, and what is wrong with the others."""

    verified: tuple[str, ...]
    absent: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        return bool(self.verified) and not self.problems


def new_secret() -> str:
    """`whsec_` and the base64 of 32 random bytes."""
    return MARK + base64.b64encode(secrets.token_bytes(32)).decode()


def headers(
    *,
    secret: str,
    next_secret: str | None = None,
    event_id: str,
    event_type: str,
    body: bytes,
    at: datetime,
    prefix: str = PREFIX,
) -> dict[str, str]:
    """The signature headers of one attempt, made at `at`. Raises ValueError for an empty secret, or
    an id that could blur where it ends and the timestamp begins."""
    if "." in event_id or not event_id.isascii() or not event_id.isprintable() or " " in event_id:
        raise ValueError("an event id is printable ASCII without dots and spaces")
    timestamp = str(int(at.timestamp()))
    keys = [secret] if next_secret is None else [secret, next_secret]
    signed = {
        f"{prefix}-Signature": published_signature(secret, body),
        f"{prefix}-Timestamp": timestamp,
        f"{prefix}-Event": event_type,
        ID: event_id,
        TIMESTAMP: timestamp,
        SIGNATURE: " ".join(standard_signature(key, event_id, timestamp, body) for key in keys),
    }
    if next_secret is not None:
        signed[f"{prefix}-Signature-Next"] = published_signature(next_secret, body)
    return signed


def standard_signature(secret: str, event_id: str, timestamp: str, body: bytes) -> str:
    """`v1,<base64>` over `id.timestamp.body`, as the Standard Webhooks specification has it."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(_hmac(_standard_key(secret), signed)).decode()


def published_signature(secret: str, body: bytes) -> str:
    """`sha256=<hex>` over the body alone."""
    return "sha256=" + _hmac(secret.encode(), body).hex()


def verify(
    received: Mapping[str, str],
    body: bytes,
    secret: str,
    *,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
    prefix: str = PREFIX,
) -> Verification:
    """Judge a received request as a receiver should; header names in any case.

    Raises ValueError for an empty secret, with which anybody could sign.
    """
    folded = {name.lower(): value for name, value in received.items()}
    findings = {
        SIGNATURE: _standard_problem(folded, body, secret, now=now, tolerance=tolerance),
        f"{prefix}-Signature": _published_problem(folded, body, secret, prefix=prefix.lower()),
    }
    absent = tuple(name for name in findings if name.lower() not in folded)
    problems = [f"{name}: {why}" for name, why in findings.items() if why and name not in absent]
    if len(absent) == len(findings):
        problems.append(f"neither {SIGNATURE} nor {prefix}-Signature is there")
    return Verification(
        verified=tuple(name for name, why in findings.items() if why is None),
        absent=absent,
        problems=tuple(problems),
    )


def _standard_problem(
    folded: Mapping[str, str], body: bytes, secret: str, *, now: datetime, tolerance: timedelta
) -> str | None:
    event_id, timestamp, signatures = (folded.get(name) for name in (ID, TIMESTAMP, SIGNATURE))
    if not event_id or not timestamp or not signatures:
        missing = [name for name in (ID, TIMESTAMP, SIGNATURE) if not folded.get(name)]
        return f"{', '.join(missing)} missing"
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        return f"{TIMESTAMP} is not a whole number of seconds"
    expected = standard_signature(secret, event_id, timestamp, body)
    if not any(_same(expected, given) for given in signatures.split(" ")):
        return "no signature matches: another secret, or other bytes than were sent (sign the raw body)"
    age = timedelta(seconds=now.timestamp() - int(timestamp))
    if abs(age) > tolerance:
        return f"the signature is right, but {TIMESTAMP} is {_spoken(age)}: a replay, or a wrong clock"
    return None


def _published_problem(folded: Mapping[str, str], body: bytes, secret: str, *, prefix: str) -> str | None:
    given = folded.get(f"{prefix}-signature")
    if given is None:
        return "missing"
    if not given.startswith("sha256="):
        return "does not start with sha256="
    expected = published_signature(secret, body)
    if _same(expected, given) or _same(expected, folded.get(f"{prefix}-signature-next", "")):
        return None
    return "does not match: another secret, or other bytes than were sent (sign the raw body)"


def _standard_key(secret: str) -> bytes:
    """A secret from before `whsec_`, or one that only looks like it, is its own key as UTF-8."""
    if not secret.startswith(MARK):
        return secret.encode()
    encoded = secret.removeprefix(MARK).rstrip("=")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()


def _hmac(key: bytes, data: bytes) -> bytes:
    if not key:
        raise ValueError("an endpoint without a secret cannot be signed for; rotate its secret")
    return hmac.digest(key, data, hashlib.sha256)


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


def _spoken(age: timedelta) -> str:
    seconds = round(abs(age.total_seconds()))
    return f"{seconds} s {'old' if age > timedelta(0) else 'in the future'}"
