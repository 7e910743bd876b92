"""What the routes may touch of the daemon that serves them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alertd.admin.auth import Gate
from alertd.admin.kept import AdminSecret
from alertd.admin.limits import Buckets
from alertd.admin.streams import Streams
from alertd.alerts.execution import Executions
from alertd.cipher import Cipher
from alertd.config import Settings
from alertd.credentials.sweep_runner import SweepRunner
from alertd.credentials.sweeper import Sweeper
from alertd.db import Db
from alertd.live import Live
from alertd.secretstore import SecretStore
from alertd.webhooks.addresses import Address, Policy
from alertd.webhooks.dns import Names
from alertd.webhooks.guard import policy_of
from alertd.webhooks.sender import Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """Handlers get this first.

    `policy` and `names` judge the addresses of endpoints, of which `own` are ours; `waiting_for` names what keeps the
    daemon from its work; `asked` bounds how many checks a tenant may ask for.
    """

    live: Live
    now: Callable[[], datetime]
    db: Db
    cipher: Cipher
    secrets: SecretStore
    sweeper: Sweeper
    sweeps: SweepRunner
    sender: Sender
    names: Names
    own: frozenset[tuple[Address, int]]
    executions: Executions
    waiting_for: Callable[[], Sequence[str]]
    gate: Gate
    secret: AdminSecret
    streams: Streams = field(default_factory=Streams)
    asked: Buckets = field(default_factory=lambda: Buckets(burst=60, every=timedelta(seconds=10)))

    @property
    def settings(self) -> Settings:
        """Those in force now; a reload replaces them."""
        return self.live.settings

    @property
    def policy(self) -> Policy:
        return policy_of(self.settings.webhooks, self.own)
