"""How soon is alertd there, and how much memory does it hold at rest?

    python benchmarks/startup.py

Both with its own database, which exists already, and with one of each exchange's keys checked, so that
every exchange's driver is loaded.
"""

import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from alertd.cipher import load_or_create_key
from alertd.config import Settings
from alertd.demo.exchanges.registry import SIMULATED
from alertd.secretstore import open_store
from benchmarks.report import Aim, conclude
from tests.e2e.daemon import Home, running
from tests.e2e.town import Town, open_town

STARTS: Final = 5
READY_SECONDS: Final = 2.0
REST_MB: Final = 200.0
REST_SECONDS: Final = 5.0
CHECKED: Final = "Credential health check completed"


async def _measured(folder: Path) -> tuple[list[float], float]:
    """Seconds of each start, and the memory at rest in MB."""
    home = Home(folder)
    home.state.mkdir(mode=0o711)
    cipher = load_or_create_key(None, home.state, ciphertext_exists=False)
    async with open_store(Settings(state_dir=home.state), cipher) as store, open_town(store, cipher) as town:
        for exchange in SIMULATED:
            await town.tenant(exchange)
        given = _given(town)
        memory = await _memory_at_rest(home, given)
        return [await _start(home, given) for _ in range(STARTS)], memory


def _given(town: Town) -> dict[str, object]:
    exchanges = {f"ALERTD_EXCHANGES__{name.upper()}__CONNECT_TO": town.simulator.url for name in SIMULATED}
    return {**exchanges, "ALERTD_SECRETS__BACKEND": "file"}


async def _memory_at_rest(home: Home, given: dict[str, object]) -> float:
    async with running(home, given) as daemon:
        await daemon.says(CHECKED, times=len(SIMULATED))
        await asyncio.sleep(REST_SECONDS)
        status = Path(f"/proc/{daemon.process.pid}/status").read_text()
        await daemon.stop()
    (resident,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(resident.split()[1]) / 1024


async def _start(home: Home, given: dict[str, object]) -> float:
    """From nothing to READY: database, secret store, port and schedules are up."""
    began = time.perf_counter()
    async with running(home, given) as daemon:
        seconds = time.perf_counter() - began
        await daemon.stop()
    return seconds


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="alertd-bench-"))
    folder.chmod(0o711)
    try:
        starts, memory = asyncio.run(_measured(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    median = statistics.median(starts)
    print(f"starts: {', '.join(f'{seconds:.2f} s' for seconds in starts)}")
    conclude(
        "startup",
        aims=[
            Aim(f"ready {median:.2f} s after its start (at most {READY_SECONDS:g})", median <= READY_SECONDS),
            Aim(
                f"{memory:.0f} MB at rest with {len(SIMULATED)} exchanges loaded (at most {REST_MB:g})",
                memory <= REST_MB,
            ),
        ],
        figures={"start.seconds": median, "rest.memory_mb": memory, "rest.exchanges": len(SIMULATED)},
    )


if __name__ == "__main__":
    main()
