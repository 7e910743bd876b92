"""Whole sweeps as the daemon runs them: discovery, leases, secrets, the exchange, history, one log line each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from alertd.config import Settings
from alertd.core import open_core
from alertd.credentials import sweep
from alertd.credentials.inventory import Inventory
from alertd.credentials.sweep import Scope
from alertd.credentials.sweep_store import Origin, Sweep, SweepState
from alertd.credentials.sweeper import Sweeper
from alertd.credentials.watch import StoreWatch
from alertd.process import configure_logging
from alertd.secretstore import SecretStore
from benchmarks.checking.meter import CLIENT_CORE, Cost, metering, pin
from benchmarks.checking.stores import Free, fill_files
from benchmarks.checking.vaulting import vault as vault_settings

RATE: Final = 1e6


@dataclass(frozen=True, slots=True)
class Swept:
    """The costs of finding new credentials, and of a sweep after that, which looks for newer ones first."""

    discovery: Cost
    sweep: Cost


async def measure(store: str, url: str, *, count: int, vault: str = "") -> Swept:
    """`store` is `free`, `file` or `vault`; the latter's address is `vault`, and its keys are in it already."""
    with TemporaryDirectory(prefix="alertd-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        if store == "file":
            fill_files(home, count)
        with (home / "log").open("w") as log:
            configure_logging(level="INFO", format="json", stream=log)
            async with _open(_settings(home, url, vault), Free(count) if store == "free" else None) as sweeper:
                return await _measure(sweeper, count)


async def _measure(sweeper: Sweeper, count: int) -> Swept:
    pin(CLIENT_CORE)
    async with metering(count) as discovery:
        await sweeper.inventory.discover(sweeper.outside.now())
    async with metering(count) as swept:
        done = await _sweep(sweeper)
    expected = (SweepState.COMPLETED, count, count, 0)
    found = (done.state, done.tally.total, done.tally.valid + done.tally.invalid, done.tally.inconclusive)
    assert found == expected, done
    return Swept(discovery, swept)


async def _sweep(sweeper: Sweeper) -> Sweep:
    sweep_id = await sweep.begin(sweeper, origin=Origin.COMMAND, requested_by="benchmark", scope=Scope())
    return await sweep.run(sweeper, sweep_id, Scope())


@asynccontextmanager
async def _open(settings: Settings, secrets: SecretStore | None) -> AsyncIterator[Sweeper]:
    """The daemon's sweeper; with `secrets` in the place of the settings' store."""
    async with open_core(settings, attach=False, stalled_since=lambda _moment: False) as core:
        if secrets is None:
            yield core.sweeper
            return
        outside = replace(core.sweeper.outside, secrets=secrets)
        yield Sweeper(
            outside,
            pace=core.sweeper.pace,
            recorder=core.sweeper.recorder,
            inventory=Inventory(core.db, secrets),
            watch=StoreWatch(core.db, secrets, outside.now),
        )


def _settings(home: Path, url: str, address: str) -> Settings:
    return Settings(
        state_dir=home,
        secrets=vault_settings(address) if address else {"backend": "file"},
        exchanges={"binance": {"connect_to": url, "requests_per_second": RATE, "concurrency": 100}},
    )
