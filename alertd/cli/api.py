"""The admin API as commands use it: one request at a time, answered with a JSON object."""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx
import typer

from alertd.cli.answers import Answer
from alertd.cli.api_key import Key, find_key, on_this_machine
from alertd.cli.faults import explaining, object_in, refusal, stranger
from alertd.cli.options import Where
from alertd.cli.outcome import say

PATIENCE: Final = timedelta(seconds=60)
CONNECT_SECONDS: Final = 5.0
SILENCE: Final = timedelta(seconds=60)  # a stream beats more often
SOCKET: Final = "unix:"


class Api:
    """A daemon that can be asked. Methods raise NotDone when it says no, Transient when nobody answers.

    Members that are None are left out of queries and bodies.
    """

    def __init__(self, client: httpx.Client, *, url: str, key: Key) -> None:
        self._client = client
        self._url = url
        self._key = key

    def get(self, path: str, **query: object) -> Answer:
        return self._ask("GET", path, query=query)

    def post(
        self,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        patience: timedelta | None = PATIENCE,
        **query: object,
    ) -> Answer:
        """`patience` None: however long it takes."""
        return self._ask("POST", path, body=body, query=query, patience=patience)

    def put(self, path: str, body: Mapping[str, object], **query: object) -> Answer:
        return self._ask("PUT", path, body=body, query=query)

    def patch(self, path: str, body: Mapping[str, object | None]) -> Answer:
        """Here null is a value like any other."""
        return self._send("PATCH", path, json.dumps(body).encode(), "application/json", {})

    def delete(self, path: str) -> None:
        self._ask("DELETE", path)

    def upload(self, path: str, content: bytes, media_type: str, **query: object) -> Answer:
        """A file as it is."""
        return self._send("POST", path, content, media_type, query)

    def follow(self, path: str, **query: object) -> Iterator[str]:
        """The lines of a stream, until the daemon ends it."""
        timeout = httpx.Timeout(SILENCE.total_seconds(), connect=CONNECT_SECONDS)
        with explaining(self._url), self._client.stream("GET", path, params=_given(query), timeout=timeout) as response:
            if not response.is_success:
                response.read()
                raise refusal(response, url=self._url, key=self._key)
            yield from response.iter_lines()

    def _ask(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
        patience: timedelta | None = PATIENCE,
    ) -> Answer:
        content = None if body is None else json.dumps(_given(body), default=str).encode()
        return self._send(method, path, content, "application/json", query or {}, patience=patience)

    def _send(
        self,
        method: str,
        path: str,
        content: bytes | None,
        media_type: str,
        query: Mapping[str, object],
        *,
        patience: timedelta | None = PATIENCE,
    ) -> Answer:
        seconds = None if patience is None else patience.total_seconds()
        with explaining(self._url):
            response = self._client.request(
                method,
                path,
                content=content,
                params=_given(query),
                headers={} if content is None else {"Content-Type": media_type},
                timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS),
            )
        if not response.is_success:
            raise refusal(response, url=self._url, key=self._key)
        found = object_in(response) if response.content else {}
        if found is None:
            raise stranger(response, self._url)
        return Answer(found, datetime.now(UTC))


@contextmanager
def open_api(where: Where) -> Iterator[Api]:
    """Raises BadParameter for an address or a key that cannot be."""
    base, transport = _transport(where)
    key = find_key(where)
    if base.startswith("http://") and not on_this_machine(where.url) and key.text:
        say("warning: the API key crosses the network unencrypted; use https.")
    # Without the environment's proxies: a key is for the daemon alone.
    with httpx.Client(base_url=base, transport=transport, headers=key.headers, trust_env=False) as client:
        yield Api(client, url=where.url, key=key)


def path_to(*parts: object) -> str:
    """An address below `/api/v1`, whatever characters the parts have."""
    return "/".join(["/api/v1", *(quote(str(part), safe="") for part in parts)])


def _transport(where: Where) -> tuple[str, httpx.HTTPTransport]:
    if where.url.startswith(SOCKET):
        return "http://localhost", httpx.HTTPTransport(uds=where.url.removeprefix(SOCKET), verify=_trust(where))
    try:
        parts, _ = urlsplit(where.url), httpx.URL(where.url)
        fits = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and not parts.username
    except (ValueError, httpx.InvalidURL):
        fits = False
    if not fits:
        raise typer.BadParameter(f"--url {where.url!r} is not http://HOST:PORT, https://HOST:PORT or unix:PATH")
    return where.url.rstrip("/"), httpx.HTTPTransport(verify=_trust(where))


def _trust(where: Where) -> ssl.SSLContext:
    """The system's certificates are read only where they are needed: it takes a moment."""
    if where.ca is None and not where.url.startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return ssl.create_default_context(cafile=where.ca)
    except (OSError, ssl.SSLError) as exc:
        reason = (exc.strerror or "it holds no certificate").lower()
        raise typer.BadParameter(f"--ca {where.ca} cannot be used: {reason}") from None


def _given(members: Mapping[str, object]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in members.items() if value is not None}


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | float | list | dict) else str(value)
