"""Puts the admin port together: the secret, the gate, the table, the server."""

import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from alertd.admin.access import Permission
from alertd.admin.auth import Gate, Limits
from alertd.admin.bootstrap import ensure_a_way_in
from alertd.admin.certificate import Certificate
from alertd.admin.daemon import Daemon
from alertd.admin.dispatch import answering
from alertd.admin.kept import AdminSecret, admin_secret
from alertd.admin.keyring import Keyring
from alertd.admin.peers import neighbours_of
from alertd.admin.routes import METRICS, TABLE
from alertd.admin.routing import Route
from alertd.admin.server import Address, Endpoint, Surroundings, open_server
from alertd.admin.tokens import Tokens
from alertd.cipher import Cipher
from alertd.config import AdminSettings, Settings
from alertd.db import Db
from alertd.live import Live


async def open_gate(
    live: Live, *, db: Db, cipher: Cipher, now: Callable[[], datetime], limits: Limits | None = None
) -> tuple[Gate, AdminSecret]:
    """The gate, after making sure that somebody can pass it. Raises ConfigError."""
    admin = live.settings.admin
    secret = await admin_secret(db, cipher, now())
    keyring = Keyring(db, pepper=secret.pepper, configured=admin.keys)
    await _keep_a_way_in(live.settings, db, secret, now())
    gate = Gate(
        keyring,
        _tokens(admin, secret),
        now=now,
        key_header=admin.api_key_header,
        enabled=admin.auth_enabled,
        limits=limits or Limits(),
    )

    async def ready_for(settings: Settings) -> Callable[[], None]:
        chosen = settings.admin
        tokens = _tokens(chosen, secret)
        await _keep_a_way_in(settings, db, secret, now())
        return partial(gate.adopt, chosen.keys, tokens, key_header=chosen.api_key_header, enabled=chosen.auth_enabled)

    live.consult(ready_for)
    return gate, secret


def _tokens(admin: AdminSettings, secret: AdminSecret) -> Tokens:
    signing = secret.tokens if admin.jwt_secret is None else admin.jwt_secret.get_secret_value().encode()
    return Tokens(signing, algorithm=admin.jwt_algorithm, lifetime=timedelta(hours=admin.jwt_expire_hours))


async def _keep_a_way_in(settings: Settings, db: Db, secret: AdminSecret, now: datetime) -> None:
    if settings.admin.auth_enabled:
        keyring = Keyring(db, pepper=secret.pepper, configured=settings.admin.keys)
        await ensure_a_way_in(db, keyring, pepper=secret.pepper, state_dir=settings.state_dir, now=now)


@asynccontextmanager
async def open_api(
    daemon: Daemon,
    *,
    table: Iterable[Route] = TABLE,
    inherited: socket.socket | None = None,
) -> AsyncIterator[Address]:
    """Serve the table while inside, where the settings say. Raises Transient if the address cannot be had.

    `inherited` is a listening socket of the service manager. Raises ConfigError when it is not where the settings
    say, or the certificate cannot be used.
    """
    admin = daemon.settings.admin
    certificate = None if admin.tls_cert is None else Certificate(daemon.settings)
    surroundings = Surroundings(
        neighbours=lambda: neighbours_of(daemon.settings.admin),
        tls=None if certificate is None else certificate.context,
        socket=admin.socket,
        inherited=inherited,
    )
    if certificate is not None:
        daemon.live.consult(certificate.ready_for)
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
