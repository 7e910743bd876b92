"""Endpoint secrets at rest: sealed to their row, opened for one claim; a plain one is sealed when first read,
and one of an older key is sealed anew."""

import json
from collections.abc import Mapping
from contextlib import suppress
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
    await _renew(sql, cipher, target.id, (target.secret, target.next_secret, target.headers))
    return Endpoint(address=target.url, secret=secret, next_secret=next_secret, headers=_parsed(headers))


async def renew_all(sql: Sql, cipher: Cipher) -> int:
    """Seal anew whatever is plain or was sealed with an older key, so that this key may go; how many endpoints.

    What no key of ours opens stays as it is; its endpoint is told of when it is used.
    """
    rows = await sql.fetch(
        """
        SELECT id, webhook_secret, next_secret, headers
        FROM tenant_webhooks
        WHERE tenant_id IS NOT NULL
        """
    )
    renewed = 0
    for row in rows:
        with suppress(Refused):
            renewed += await _renew(sql, cipher, row["id"], (row["webhook_secret"], row["next_secret"], row["headers"]))
    return renewed


async def count_stale(sql: Sql, cipher: Cipher) -> int:
    """Endpoints of which something is not sealed with the newest key."""
    rows = await sql.fetch(
        "SELECT webhook_secret, next_secret, headers FROM tenant_webhooks WHERE tenant_id IS NOT NULL"
    )
    return sum(any(text and not cipher.is_current(text) for text in row.values()) for row in rows)


async def _renew(sql: Sql, cipher: Cipher, webhook_id: UUID, texts: tuple[str | None, ...]) -> bool:
    """Replaces only what still is as it was read: a person may just have changed it."""
    renewed = [_renewed(cipher, webhook_id, text) for text in texts]
    if renewed == list(texts):
        return False
    await sql.execute(
        """
        UPDATE tenant_webhooks
        SET webhook_secret = CASE webhook_secret WHEN $2 THEN $3 ELSE webhook_secret END,
            next_secret = CASE next_secret WHEN $4 THEN $5 ELSE next_secret END,
            headers = CASE headers WHEN $6 THEN $7 ELSE headers END
        WHERE id = $1
        """,
        webhook_id,
        *(text for pair in zip(texts, renewed, strict=True) for text in pair),
    )
    return True


def _renewed(cipher: Cipher, webhook_id: UUID, text: str | None) -> str | None:
    if not text or cipher.is_current(text):
        return text
    return seal(cipher, webhook_id, unseal(cipher, webhook_id, text))


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
