"""`Idempotency-Key`: a request that is sent twice is carried out once and answered twice alike, for a day.

Only what was carried out is remembered: after a refusal the same key may be tried again. The mark that it was done
is committed with the deed, its answer right after; a crash in between leaves a 409 that says so.
"""

import base64
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from aiohttp import hdrs, web

from alertd.admin import idempotency_store as store
from alertd.admin.idempotency_store import Earlier, Request
from alertd.cipher import Cipher
from alertd.db import Db
from alertd.errors import Refused

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"

_CONTEXT: Final = "idempotency"
_SANE: Final = re.compile(r"[\x21-\x7e]{1,255}")


async def once(
    perform: Callable[[UUID], Awaitable[web.StreamResponse]],
    *,
    request: web.Request,
    raw: bytes,
    principal: str,
    route: str,
    db: Db,
    cipher: Cipher,
    now: datetime,
) -> web.StreamResponse:
    """`perform` under a claim, unless it was done.

    Raises 400 for an odd key, 409 while the first is under way or when its answer was lost, 422 for another body.
    """
    key = request.headers[HEADER]
    if _SANE.fullmatch(key) is None:
        raise web.HTTPBadRequest(text=f"{HEADER} must be 1 to 255 printable ASCII characters.")
    fingerprint = hashlib.sha256(request.raw_path.encode() + b"\0" + raw).hexdigest()
    claimed = await store.claim(db, Request(principal, route, key, fingerprint), now)
    if isinstance(claimed, Earlier):
        return _earlier(claimed, fingerprint, cipher)
    try:
        response = await perform(claimed)
    except BaseException:
        await store.release(db, claimed)
        raise
    if isinstance(response, web.Response) and response.status < 300:
        await store.settle(db, claimed, _sealed(response, cipher))
    else:
        await store.release(db, claimed)
    return response


def _earlier(earlier: Earlier, fingerprint: str, cipher: Cipher) -> web.Response:
    if earlier.lost:
        raise web.HTTPConflict(text=f"What this {HEADER} was sent with was carried out, and the answer was lost.")
    if earlier.answer is None:
        raise web.HTTPConflict(text=f"A request with this {HEADER} is under way.", headers={hdrs.RETRY_AFTER: "1"})
    if earlier.fingerprint != fingerprint:
        raise web.HTTPUnprocessableEntity(text=f"This {HEADER} was used for another request.")
    try:
        kept = json.loads(cipher.unseal(earlier.answer, _CONTEXT))
    except Refused:
        raise web.HTTPConflict(text=f"This {HEADER} was used, and its answer cannot be read any more.") from None
    return web.Response(
        status=kept["status"],
        body=base64.b64decode(kept["body"]),
        headers={**kept["headers"], REPLAYED: "true"},
    )


def _sealed(response: web.Response, cipher: Cipher) -> str:
    body = response.body if isinstance(response.body, bytes) else b""
    content = {
        "status": response.status,
        "headers": dict(response.headers),
        "body": base64.b64encode(body).decode(),
    }
    return cipher.seal(json.dumps(content).encode(), _CONTEXT)
