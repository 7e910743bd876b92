"""From an empty machine to a key that is watched and an endpoint that was tested, with the README's own commands."""

import asyncio
import re
import shlex
import sys
from pathlib import Path

from alertd.demo.exchanges.server import Simulator, open_simulator
from alertd.demo.receiver import Received, Receiver, listening
from tests.e2e.daemon import Done, Home, running
from tests.e2e.waiting import PATIENCE_SECONDS

README = Path(__file__).parents[2] / "README.md"
SECTION = re.compile(r"^## Your first tenant$.+?In a second one:\n\n```sh\n(.+?)```", re.MULTILINE | re.DOTALL)
RECEIVER = "https://example.com/hooks"
ENDPOINT = "0199c0de-0000-7000-8000-000000000001"
PUT = "alertd credentials put $TENANT binance readonly"


def steps() -> tuple[str, str]:
    """The commands up to the endpoint, and those that follow."""
    [found] = SECTION.findall(README.read_text())
    commands = [line for line in found.splitlines() if "alertd " in line and not line.startswith("#")]
    [added] = [number for number, line in enumerate(commands) if "webhooks add" in line]
    return "\n".join(commands[: added + 1]), "\n".join(commands[added + 1 :])


async def shell(home: Home, script: str, given: dict[str, object]) -> Done:
    """What a person types, as a script that ends at the first failure."""
    alertd = f'alertd() {{ {shlex.quote(sys.executable)} -m alertd "$@"; }}'
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-euc",
        f"{alertd}\n{script}",
        env=home.environment(given),
        cwd=home.folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, err = await process.communicate()
    return Done(process.returncode or 0, out.decode(), err.decode())


def here(simulator: Simulator) -> dict[str, object]:
    """What differs from real life: the exchange and the receiver are on this machine."""
    return {
        "ALERTD_EXCHANGES__BINANCE__CONNECT_TO": simulator.url,
        "ALERTD_WEBHOOKS__ALLOW_HTTP": "true",
        "ALERTD_WEBHOOKS__PORTS": "[]",
        "ALERTD_WEBHOOKS__ALLOW_CIDRS": "127.0.0.0/8",
    }


async def test_the_commands_of_the_readme_lead_there(home: Home) -> None:
    heard: list[Received] = []
    secrets: dict[str, str] = {}
    first, then = steps()
    async with open_simulator() as simulator, listening(Receiver(lambda path: secrets[path], heard.append)) as port:
        account = simulator.add("binance")
        (home.folder / "key").write_text(f"api_key={account.key}\napi_secret={account.secret}\n")
        async with running(home, here(simulator)) as daemon:
            asked: dict[str, object] = {"ALERTD_URL": daemon.url}
            first = first.replace(PUT, f"{PUT} < key").replace(RECEIVER, f"http://127.0.0.1:{port}/hooks")
            set_up = await shell(home, f'{first}\necho "$TENANT $SECRET"', asked)
            assert set_up.code == 0, set_up.err
            tenant, secrets["/hooks"] = set_up.out.split()[-2:]
            [endpoint] = re.findall(r"Added endpoint (\S+);", set_up.err)
            tested = await shell(home, f"TENANT={tenant}\n{then.replace(ENDPOINT, endpoint)}", asked)

    assert "Binance accepts this key" in set_up.err
    assert re.search(rf"^{tenant} +binance +readonly +valid +ok ", set_up.out, re.MULTILINE)
    assert (tested.code, len(heard), heard[0].verified) == (0, 1, True), tested.err
    assert "The endpoint took it: status 204" in tested.err
    assert re.search(rf"webhook\.test +delivered .+{endpoint}", tested.out)
    assert (home.state / "admin.key").stat().st_mode & 0o077 == 0
