"""Puts the admin port together: the secret, the gate, the table, the server."""

import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from alertd.admin.access import Permission
from alertd.admin.auth import Gate, Limits
from alertd.admin.bootstrap import ensure_a_way_in
from alertd.admin.daemon import Daemon
from alertd.admin.dispatch import answering
from alertd.admin.kept import AdminSecret, admin_secret
from alertd.admin.keyring import Keyring
from alertd.admin.peers import allowed_hosts
from alertd.admin.routes import METRICS, TABLE
from alertd.admin.routing import Route
from alertd.admin.server import Address, Endpoint, Surroundings, open_server
from alertd.admin.tokens import Tokens
from alertd.cipher import Cipher
from alertd.config import Settings
from alertd.db import Db


async def open_gate(
    settings: Settings, *, db: Db, cipher: Cipher, now: Callable[[], datetime], limits: Limits | None = None
) -> tuple[Gate, AdminSecret]:
    """The gate, after making sure that somebody can pass it. Raises ConfigError."""
    admin = settings.admin
    secret = await admin_secret(db, cipher, now())
    keyring = Keyring(db, pepper=secret.pepper, configured=admin.keys)
    signing = secret.tokens if admin.jwt_secret is None else admin.jwt_secret.get_secret_value().encode()
    tokens = Tokens(signing, algorithm=admin.jwt_algorithm, lifetime=timedelta(hours=admin.jwt_expire_hours))
    if admin.auth_enabled:
        await ensure_a_way_in(db, keyring, pepper=secret.pepper, state_dir=settings.state_dir, now=now())
    gate = Gate(
        keyring, tokens, now=now, key_header=admin.api_key_header, enabled=admin.auth_enabled, limits=limits or Limits()
    )
    return gate, secret


@asynccontextmanager
async def open_api(
    daemon: Daemon, *, tls: ssl.SSLContext | None = None, table: Iterable[Route] = TABLE
) -> AsyncIterator[Address]:
    """Serve the table while inside, where the settings say. Raises Transient if the address cannot be had."""
    admin = daemon.settings.admin
    surroundings = Surroundings(
        allowed_hosts=allowed_hosts(admin),
        trusted_proxies=admin.trusted_proxies if admin.behind_proxy else (),
        tls=tls,
        socket=admin.socket,
    )
    endpoints = [
        Endpoint(route.method, route.path, answering(route, daemon), endless=route.endless)
        for route in _as_set(table, daemon)
    ]
    async with open_server(endpoints, host=admin.host, port=admin.port, surroundings=surroundings) as address:
        try:
            yield address
        finally:
            daemon.streams.end()  # who listens would keep the server waiting


def _as_set(table: Iterable[Route], daemon: Daemon) -> Iterator[Route]:
    """The table as the settings want it: `/metrics` may need a key."""
    for route in table:
        closed = route.path == METRICS and daemon.settings.metrics.require_auth
        yield replace(route, permission=Permission.VIEW_STATUS) if closed else route
