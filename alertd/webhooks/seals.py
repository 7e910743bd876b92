"""Endpoint secrets at rest: sealed to their row, opened for one claim; a plain one is sealed when first read."""

import json
from collections.abc import Mapping
from uuid import UUID

from alertd.cipher import Cipher, is_sealed
from alertd.db import Sql
from alertd.errors import Refused
from alertd.webhooks.claims import Target
from alertd.webhooks.message import Endpoint


def seal(cipher: Cipher, webhook_id: UUID, text: str) -> str:
    return cipher.seal(text.encode(), _place(webhook_id))


def unseal(cipher: Cipher, webhook_id: UUID, text: str) -> str:
    """Raises Refused when the key is not ours or the text was moved here from another row."""
    return cipher.unseal(text, _place(webhook_id)).decode() if is_sealed(text) else text


def seal_headers(cipher: Cipher, webhook_id: UUID, headers: Mapping[str, str]) -> str | None:
    return seal(cipher, webhook_id, json.dumps(dict(headers))) if headers else None


def header_names(cipher: Cipher, webhook_id: UUID, sealed: str | None) -> tuple[str, ...]:
    """The names alone. Raises Refused, as `unseal` does."""
    return tuple(_parsed(None if sealed is None else unseal(cipher, webhook_id, sealed)))


async def any_sealed(sql: Sql) -> bool:
    """Whether something here can be read with our keys alone; then no new key may be made."""
    return bool(await sql.fetchval("SELECT EXISTS (SELECT FROM tenant_webhooks WHERE webhook_secret LIKE 'v1.%')"))


async def open_endpoint(sql: Sql, target: Target, cipher: Cipher) -> Endpoint:
    """The endpoint with its secrets in the clear. Raises Refused, as `unseal` does."""
    secret = unseal(cipher, target.id, target.secret)
    next_secret = None if target.next_secret is None else unseal(cipher, target.id, target.next_secret)
    headers = None if target.headers is None else unseal(cipher, target.id, target.headers)
    if any(text and not is_sealed(text) for text in (target.secret, target.next_secret, target.headers)):
        await _seal_plain(sql, target, cipher)
    return Endpoint(address=target.url, secret=secret, next_secret=next_secret, headers=_parsed(headers))


async def _seal_plain(sql: Sql, target: Target, cipher: Cipher) -> None:
    """Replaces only what still is as it was read: a person may just have changed it."""
    plain = (target.secret, target.next_secret, target.headers)
    await sql.execute(
        """
        UPDATE tenant_webhooks
        SET webhook_secret = CASE webhook_secret WHEN $2 THEN $3 ELSE webhook_secret END,
            next_secret = CASE next_secret WHEN $4 THEN $5 ELSE next_secret END,
            headers = CASE headers WHEN $6 THEN $7 ELSE headers END
        WHERE id = $1
        """,
        target.id,
        *(text for old in plain for text in (old, seal(cipher, target.id, old) if old and not is_sealed(old) else old)),
    )


def _parsed(headers: str | None) -> Mapping[str, str]:
    if headers is None:
        return {}
    try:
        parsed = json.loads(headers)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict) or not all(isinstance(value, str) for value in parsed.values()):
        raise Refused("the endpoint's headers are not a JSON object of strings")
    return parsed


def _place(webhook_id: UUID) -> str:
    return f"webhook:{webhook_id}"
