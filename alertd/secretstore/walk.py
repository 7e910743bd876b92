"""Finds every credential in a store: tenants, their exchanges, their keys; a few folders at a time.

There may be a hundred thousand: they are sorted tenant by tenant, so that the event loop is not held up
at the end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from alertd.errors import Absent, Refused
from alertd.secretstore.layout import (
    Listing,
    Skipped,
    exchange_fault,
    leaf_fault,
    shown,
    tenant_fault,
)

WALKERS: Final = 4

Names = Callable[[str], Awaitable[Sequence[str]]]


async def walk(names: Names, *, tenants: Sequence[str]) -> Listing:
    """`names(path)` lists a folder, subfolders with a slash at their end.

    Where it raises Absent, the folder has just gone, and nothing is in it; where it raises Refused,
    the folder is skipped. Any other error ends the walk.
    """
    found = _Found()
    folders = iter(tenants)
    walkers = [asyncio.create_task(_walk(names, folders, found)) for _ in range(WALKERS)]
    try:
        await asyncio.gather(*walkers)
    finally:
        for walker in walkers:
            walker.cancel()
        await asyncio.wait(walkers)
    return Listing(
        tuple(chain.from_iterable(found.paths[tenant] for tenant in sorted(found.paths))),
        tuple(sorted(found.skipped, key=lambda skipped: skipped.path)),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """What the walkers gather, in the order in which answers came."""

    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by tenant, each in order
    skipped: list[Skipped] = field(default_factory=list)

    def accepts(self, path: str, fault: str) -> bool:
        if fault:
            self.skipped.append(Skipped(shown(path), fault))
        return not fault


async def _walk(names: Names, folders: Iterator[str], found: _Found) -> None:
    for folder in folders:
        tenant = folder.removesuffix("/")
        if not found.accepts(folder, tenant_fault(tenant) or _stray(folder)):
            continue
        paths = await _gather(tenant, names, found)
        if paths:
            found.paths[tenant] = tuple(sorted(paths))


async def _gather(tenant: str, names: Names, found: _Found) -> list[str]:
    above, paths = f"{tenant}/exchanges", list[str]()
    for inner in await _inside(above, names, found):
        exchange = inner.removesuffix("/")
        if found.accepts(f"{above}/{inner}", exchange_fault(exchange) or _stray(inner)):
            folder = f"{above}/{exchange}"
            leaves = await _inside(folder, names, found)
            paths += [f"{folder}/{leaf}" for leaf in leaves if found.accepts(f"{folder}/{leaf}", leaf_fault(leaf))]
    return paths


async def _inside(path: str, names: Names, found: _Found) -> Sequence[str]:
    try:
        return await names(path)
    except Absent:
        return ()
    except Refused as refusal:
        found.skipped.append(Skipped(path, str(refusal)))
        return ()


def _stray(name: str) -> str:
    return "" if name.endswith("/") else "a secret lies where a folder should be"
