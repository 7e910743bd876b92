"""Holds the embedded database until its standard input ends: STATE PUBLIC BINARIES daemon|attach UID."""

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alertd.postgres import open_embedded


async def main() -> None:
    state, public, binaries, role, _ = sys.argv[1:]
    async with open_embedded(
        Path(state), attach=role == "attach", binaries=Path(binaries), public_dir=Path(public)
    ) as dsn:
        print(dsn, flush=True)
        await asyncio.get_running_loop().run_in_executor(ThreadPoolExecutor(), sys.stdin.read)


def become(uid: int) -> None:
    """After the imports: the new account may not be able to read the interpreter's library."""
    if uid != os.geteuid():
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)


if __name__ == "__main__":
    become(int(sys.argv[5]))
    asyncio.run(main())
