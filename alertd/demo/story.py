"""The whole product on loopback: real daemon, real database, simulated exchanges, verifying receivers."""

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from alertd.cipher import load_or_create_key
from alertd.config import Settings
from alertd.credentials import inventory_store
from alertd.db import Db, Row
from alertd.demo.cast import CAST, OUTAGE, Player
from alertd.demo.exchanges.server import Simulator, open_simulator
from alertd.demo.exchanges.shape import Account, State
from alertd.demo.receiver import Received, Receiver, listening
from alertd.demo.strategies import STRATEGIES
from alertd.model import CredentialRef, CredentialType
from alertd.secretstore import open_store
from alertd.webhooks import endpoints

INTERVAL_SECONDS: Final = 4.0
STRIKES: Final = 3

Heard = tuple[str, str, str]  # tenant, event, reason or rule


@dataclass
class Stage:
    """What the demo runs on, and what its tenants heard so far."""

    settings: Settings
    simulator: Simulator
    receiver_port: int
    secrets: dict[str, str]
    accounts: dict[str, Account] = field(default_factory=dict)
    heard: list[Received] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    outlooks: Mapping[str, str] = field(default_factory=dict)  # of strategies, by what their backtests promise

    def tally(self) -> Counter[Heard]:
        """What arrived and verified, each distinct message once: a repeat has the same `webhook-id`."""
        distinct = {received.event_id: received for received in self.heard if received.verified}
        return Counter(spoken(received) for received in distinct.values())


def spoken(received: Received) -> Heard:
    by_path = {player.path: player.name for player in CAST}
    name = by_path.get(received.path, received.path)
    body = received.body
    return name, str(body.get("event", "")), str(body.get("reason", body.get("rule", "")))


def expected() -> Counter[Heard]:
    keys = [(player.name, event, reason) for player in CAST for event, reason in player.hears]
    returns = [(strategy.owner, event, rule) for strategy in STRATEGIES for event, rule in strategy.hears]
    return Counter(keys + returns)


@asynccontextmanager
async def open_stage(show: Callable[[Received], None]) -> AsyncIterator[Stage]:
    """Simulated exchanges, a receiver, and an empty state folder."""
    with tempfile.TemporaryDirectory(prefix="alertd-demo-") as folder:
        # As root, the database runs under another account, which must get through here to its data.
        os.chmod(folder, 0o711)  # noqa: PTH101 - pathlib's would be taken for a slow call
        secrets: dict[str, str] = {}
        stage: Stage  # what is heard before the curtain rises has no tenant to hear it

        def hear(received: Received) -> None:
            stage.heard.append(received)
            stage.news.set()
            show(received)

        receiver = Receiver(lambda path: secrets.get(path, ""), hear)
        async with open_simulator() as simulator, listening(receiver) as port:
            settings = _settings(Path(folder), simulator.url)
            stage = Stage(settings, simulator, port, secrets)
            simulator.exchange(OUTAGE[0]).outage = OUTAGE[1]
            yield stage


def _settings(folder: Path, exchange_url: str) -> Settings:
    """Hours become seconds; everything listens on a free port of loopback.

    The performance checks run when the demo asks for them, and are next due in half a day.
    """
    far = f"{datetime.now(UTC) + timedelta(hours=12):%H:%M}"
    return Settings.model_validate(
        {
            "state_dir": folder,
            "credentials": {
                "interval_hours": INTERVAL_SECONDS / 3600,
                "consecutive_failures_before_alert": STRIKES,
                "retries": 2,
                "retry_delay_seconds": 0.3,
                "timeout_seconds": 3,
                "discovery_minutes": 0.02,
            },
            "exchanges": {player.exchange: {"connect_to": exchange_url, "requests_per_second": 50} for player in CAST},
            "webhooks": {"allow_http": True, "ports": [], "allow_cidrs": ["127.0.0.0/8"]},
            "alerts": {
                "daily_pnl_time": far,
                "weekly_stability_time": far,
                "monthly_forward_time": far,
                "threshold_time_1": far,
                "threshold_time_2": far,
            },
            "admin": {"port": 0},
        }
    )


async def store_keys(stage: Stage) -> None:
    """Each player gets an account at the exchange, and its key into the secret store.

    After the endpoints: what is found at the first check is told to those who listen by then.
    """
    cipher = load_or_create_key(None, stage.settings.state_dir, ciphertext_exists=True)
    async with open_store(stage.settings, cipher) as store:
        for number, player in enumerate(CAST):
            account = stage.simulator.add(player.exchange, number, state=player.state, rights=player.rights)
            stage.accounts[player.name] = account
            fields = {"api_key": account.key, "api_secret": account.secret, "passphrase": account.passphrase}
            if player.half_empty:
                fields["api_secret"] = ""
            await store.write(ref_of(player), fields)


def ref_of(player: Player) -> CredentialRef:
    return CredentialRef(player.tenant_id, player.exchange, CredentialType(player.credential_type))


async def add_endpoints(stage: Stage, db: Db, players: Sequence[Player] = CAST) -> None:
    """Name the tenants and give each an endpoint of its own."""
    cipher = load_or_create_key(None, stage.settings.state_dir, ciphertext_exists=True)
    now = datetime.now(UTC)
    for player in players:
        async with db.transaction() as tx:
            await inventory_store.add_tenant(tx, player.tenant_id, player.name, now)
            url = f"http://127.0.0.1:{stage.receiver_port}{player.path}"
            added = await endpoints.add(tx, endpoints.Draft(player.tenant_id, url), cipher=cipher, now=now)
            stage.secrets[player.path] = added.secret


async def mend_what_failed(stage: Stage) -> None:
    """Tenants who repair their keys do so as soon as they hear of it. Runs until cancelled."""
    while True:
        await stage.news.wait()
        stage.news.clear()
        for player in CAST:
            if player.mended and any(name == player.name for name, _, _ in stage.tally()):
                stage.accounts[player.name].state = State.GOOD


async def standings(db: Db) -> list[Row]:
    """How every key stands, by tenant."""
    return await db.fetch(
        """
        SELECT t.name, c.exchange, c.credential_type, c.verdict, c.reason, c.consecutive_failures, c.warnings
        FROM credentials c
        JOIN tenants t ON t.id = c.tenant_id
        ORDER BY t.name
        """
    )


def verdict_of(stage: Stage, rows: Sequence[Row]) -> list[str]:
    """What went otherwise than it must, one line each; empty when all went well."""
    wanted, got = expected(), stage.tally()
    problems = [f"did not arrive: {', '.join(heard)}" for heard in (wanted - got).elements()]
    problems += [f"arrived and should not have: {', '.join(heard)}" for heard in (got - wanted).elements()]
    problems += [f"not authentic: {r.problem}" for r in stage.heard if not r.verified]
    problems += [
        f"accused of an outage: {row['name']}"
        for row in rows
        if row["exchange"] == OUTAGE[0] and (row["verdict"] != "inconclusive" or row["consecutive_failures"])
    ]
    problems += [
        f"called {stage.outlooks.get(strategy.name, 'nothing')}, and is {strategy.outlook}: {strategy.name}"
        for strategy in STRATEGIES
        if stage.outlooks.get(strategy.name) != strategy.outlook
    ]
    if len(rows) != len(CAST):
        problems.append(f"{len(rows)} keys were checked, and there are {len(CAST)}")
    return problems
