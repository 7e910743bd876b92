"""What one secret costs to read from OpenBao: through our store, through hvac alone, and by plain aiohttp."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
import hvac

from alertd.cipher import Cipher
from alertd.config import Settings
from alertd.model import CredentialRef
from alertd.secretstore import open_store
from benchmarks.checking.meter import CLIENT_CORE, Cost, best, metering, pin
from benchmarks.checking.stores import refs

IN_FLIGHT: Final = 4  # as many threads as the store has
ROUNDS: Final = 3

Read = Callable[[CredentialRef], Awaitable[object]]
Opening = Callable[[str], AbstractAsyncContextManager[Read]]


@asynccontextmanager
async def through_the_store(address: str) -> AsyncIterator[Read]:
    settings = Settings(state_dir=Path(), secrets=vault(address))
    async with open_store(settings, Cipher([bytes(32)])) as store:

        async def read(ref: CredentialRef) -> object:
            store.forget(ref)
            return await store.read(ref)

        yield read


@asynccontextmanager
async def hvac_alone(address: str) -> AsyncIterator[Read]:
    client = hvac.Client(url=address, token="root")

    async def read(ref: CredentialRef) -> object:
        return client.secrets.kv.v2.read_secret_version(path=f"tenants/{ref.path}", raise_on_deleted_version=True)

    yield read


@asynccontextmanager
async def plain_aiohttp(address: str) -> AsyncIterator[Read]:
    async with aiohttp.ClientSession(headers={"X-Vault-Token": "root"}) as session:

        async def read(ref: CredentialRef) -> object:
            async with session.get(f"{address}/v1/secret/data/tenants/{ref.path}") as response:
                return json.loads(await response.read())["data"]

        yield read


STORE: Final = "OpenBao, our store (hvac in threads)"
HVAC: Final = "OpenBao, hvac alone, in the loop"
AIOHTTP: Final = "OpenBao, aiohttp"
WAYS: Final[Mapping[str, Opening]] = {
    STORE: through_the_store,
    HVAC: hvac_alone,
    AIOHTTP: plain_aiohttp,
}


def vault(address: str) -> dict[str, object]:
    """The settings of the secret store."""
    return {"backend": "vault", "vault": {"address": address, "auth": "token", "token": "root"}}


async def measure(address: str, count: int) -> dict[str, Cost]:
    pin(CLIENT_CORE)
    return {name: await _measure(opening, address, count) for name, opening in WAYS.items()}


async def _measure(opening: Opening, address: str, count: int) -> Cost:
    costs = []
    async with opening(address) as read:
        for _ in range(ROUNDS):
            async with metering(count) as cost:
                await _read_all(read, refs(count))
            costs.append(cost)
    return best(costs)


async def _read_all(read: Read, wanted: Sequence[CredentialRef]) -> None:
    left = iter(wanted)

    async def work() -> None:
        for ref in left:
            await read(ref)

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
