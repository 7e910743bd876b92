"""Cuts a long listing into stretches that can be compared with the table one after the other. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from alertd.model import CredentialRef

FIRST: Final = UUID(int=0)
LAST: Final = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is listed of the tenants from `first` to `last`, both included."""

    first: UUID
    last: UUID
    refs: Sequence[CredentialRef]


def stretches(refs: Sequence[CredentialRef], size: int) -> Iterator[Stretch]:
    """All tenants there can be, each in one stretch, of about `size` credentials each.

    `refs` must be in the order of their tenants, as a listing is. Nothing listed is one empty stretch.
    """
    first, start = FIRST, 0
    while (end := _end(refs, start, size)) < len(refs):
        last = refs[end - 1].tenant_id
        yield Stretch(first, last, refs[start:end])
        first, start = UUID(int=last.int + 1), end
    yield Stretch(first, LAST, refs[start:])


def _end(refs: Sequence[CredentialRef], start: int, size: int) -> int:
    """Where the stretch from `start` ends, with the whole of its last tenant in it."""
    end = min(start + size, len(refs))
    while end < len(refs) and refs[end].tenant_id == refs[end - 1].tenant_id:
        end += 1
    return end
