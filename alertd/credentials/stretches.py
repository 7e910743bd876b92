"""Cuts a long listing into stretches that can be compared with the table one after the other. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from alertd.model import CredentialRef
from alertd.secretstore import listed

FIRST: Final = UUID(int=0)
LAST: Final = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is listed of the tenants from `first` to `last`, both included."""

    first: UUID
    last: UUID
    refs: Sequence[CredentialRef]


def stretches(paths: Sequence[str], size: int) -> Iterator[Stretch]:
    """All tenants there can be, each in one stretch, of about `size` credentials each.

    `paths` must be in order, as a listing is. Nothing listed is one empty stretch.
    """
    first, start = FIRST, 0
    while (end := _end(paths, start, size)) < len(paths):
        last = UUID(_tenant(paths[end - 1]))
        yield Stretch(first, last, [listed(path) for path in paths[start:end]])
        first, start = UUID(int=last.int + 1), end
    yield Stretch(first, LAST, [listed(path) for path in paths[start:]])


def _end(paths: Sequence[str], start: int, size: int) -> int:
    """Where the stretch from `start` ends, with the whole of its last tenant in it."""
    end = min(start + size, len(paths))
    while end < len(paths) and _tenant(paths[end]) == _tenant(paths[end - 1]):
        end += 1
    return end


def _tenant(path: str) -> str:
    return path.partition("/")[0]
