"""Two ways of posting the same messages that write nothing down: the published design's, and bare aiohttp."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import httpx

from alertd.model import Event, EventType
from alertd.webhooks.message import new_event_id
from benchmarks.delivering.speed import Speed, timing

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FIELDS: Final[dict[str, Any]] = {
    "exchange": "kraken",
    "credential_type": "trading",
    "label": "main",
    "error": "Kraken says that this API key has expired.",
    "reason": "expired",
    "consecutive_failures": 3,
    "first_failure_at": "2026-01-05T00:00:00Z",
    "last_success_at": "2026-01-04T18:00:00Z",
    "what_to_do": "Renew the key at Kraken, or create a new one and store it here.",
}

Post = Callable[[str], Awaitable[int]]


def event(tenant_id: Any, subject: str) -> Event:
    """What every way sends: a `credential.failed` with all its fields."""
    now = datetime.now(UTC)
    return Event(new_event_id(now), EventType.CREDENTIAL_FAILED, tenant_id, now, subject, FIELDS)


@asynccontextmanager
async def published() -> AsyncIterator[Post]:
    """A client for each attempt, and `json=`, which serialises again what was signed."""

    async def post(url: str) -> int:
        payload = {"event": "credential.failed", "tenant_id": "7b0c2f6e", "timestamp": int(time.time()), **FIELDS}
        signed = json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
        headers = {
            "X-AlphaPulse-Signature": "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest(),
            "X-AlphaPulse-Timestamp": str(payload["timestamp"]),
            "X-AlphaPulse-Event": "credential.failed",
        }
        async with httpx.AsyncClient(timeout=10.0) as client:
            return (await client.post(url, json=payload, headers=headers)).status_code

    yield post


@asynccontextmanager
async def bare_aiohttp() -> AsyncIterator[Post]:
    """One session and fixed bytes: nothing could cost less in this language."""
    body = json.dumps(FIELDS).encode()
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def post(url: str) -> int:
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                await response.read()
                return response.status

        yield post


async def measure(post: Post, url: str, *, in_flight: int, seconds: float) -> Speed:
    await post(url)
    async with timing() as speed:
        end = time.perf_counter() + seconds

        async def poster() -> int:
            done = 0
            while time.perf_counter() < end:
                assert await post(url) == 204
                done += 1
            return done

        speed.deliveries = sum(await asyncio.gather(*(poster() for _ in range(in_flight))))
    return speed
