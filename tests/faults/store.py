"""A secret store of the scene's own that daemons enter with an AppRole, and how it is broken."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from tests.bao import Bao, raft_server
from tests.faults.lasting import lasting
from tests.faults.plan import Ban, Strike
from tests.faults.units import CHECKED, STORE_LOST, Units

LOGGED_IN: Final = "Logged in to the secret store"
ROLE: Final = "alertd"
# Logins are renewed and end while everything else goes wrong.
LOGIN_LASTS: Final = {"token_ttl": "20s", "token_max_ttl": "40s"}
LIST: Final = """
path "secret/metadata/tenants" { capabilities = ["list"] }
path "secret/metadata/tenants/*" { capabilities = ["list", "read"] }
"""
READ: Final = 'path "secret/data/tenants/*" { capabilities = ["read"] }'
RULES: Final = {Ban.LIST: READ, Ban.READ: LIST, Ban.BOTH: 'path "secret/elsewhere" { capabilities = ["read"] }'}


@dataclass
class Store:
    """`units` are those who feel it."""

    bao: Bao
    units: Units
    role_id: str = ""
    secret_id: str = field(default="", repr=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def given(self) -> dict[str, object]:
        """The settings by which a daemon gets in."""
        prefix = "ALERTD_SECRETS__VAULT__"
        return {
            "VAULT_ADDR": self.bao.address,
            f"{prefix}AUTH": "approle",
            f"{prefix}ROLE_ID": self.role_id,
            f"{prefix}SECRET_ID": self.secret_id,
            f"{prefix}TIMEOUT_SECONDS": 5,
        }

    async def seal(self, strike: Strike) -> int:
        async with self._turn:
            await asyncio.to_thread(self.bao.seal)
            felt = await self._missed(strike)
            await asyncio.to_thread(self.bao.unseal)
        return felt

    async def kill(self, strike: Strike) -> int:
        async with self._turn:
            await asyncio.to_thread(self.bao.kill)
            felt = await self._missed(strike)
            await asyncio.to_thread(self.bao.restart)
            await asyncio.to_thread(self.bao.unseal)
        return felt

    async def end_logins(self, strike: Strike) -> int:
        """Every token is revoked, and AppRole gives new ones."""
        async with self._turn:
            await asyncio.to_thread(self._revoke)
            return await lasting(strike.seconds, lambda: self.units.said(LOGGED_IN))

    async def forbid(self, strike: Strike) -> int:
        """The policy loses lines for a while; tokens stay what they are."""
        async with self._turn:
            await asyncio.to_thread(self._rule, RULES[Ban(strike.way)])
            felt = await lasting(strike.seconds, self._refused)
            await asyncio.to_thread(self._rule, LIST + READ)
        return felt

    async def _missed(self, strike: Strike) -> int:
        """Who has not found it again since the last time says nothing new, and misses it all the same."""
        waiting = self.units.without_store()
        if waiting:
            await asyncio.sleep(strike.seconds)
        return waiting or await lasting(strike.seconds, lambda: self.units.said(STORE_LOST))

    def _refused(self) -> int:
        return self.units.said(STORE_LOST) + self.units.said(f"{CHECKED}: secret_store")

    def _revoke(self) -> None:
        self.bao.client().sys.revoke_prefix("auth/approle/login")

    def _rule(self, rules: str) -> None:
        self.bao.client().sys.create_or_update_policy(ROLE, rules)

    def admit(self) -> None:
        """Make the AppRole."""
        client = self.bao.client()
        self._rule(LIST + READ)
        client.sys.enable_auth_method("approle")
        client.auth.approle.create_or_update_approle(ROLE, token_policies=[ROLE], **LOGIN_LASTS)
        self.role_id = client.auth.approle.read_role_id(ROLE)["data"]["role_id"]
        self.secret_id = client.auth.approle.generate_secret_id(ROLE)["data"]["secret_id"]


@contextmanager
def opened_store(units: Units) -> Iterator[Store]:
    with raft_server() as bao:
        store = Store(bao, units)
        store.admit()
        yield store
