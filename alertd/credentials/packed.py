"""Many ids in sixteen bytes each: a hundred thousand objects would hold up the loop when memory is collected. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

WIDTH: Final = 16


@dataclass(frozen=True, slots=True)
class PackedIds:
    """Ids one after the other, as PostgreSQL's `uuid_send` writes them."""

    packed: bytes = b""

    @classmethod
    def of(cls, ids: Iterable[UUID]) -> Self:
        return cls(b"".join(each.bytes for each in ids))

    def __len__(self) -> int:
        return len(self.packed) // WIDTH

    def chunks(self, size: int) -> Iterator[Sequence[UUID]]:
        """In their order, `size` at a time; the iterator may be shared."""
        starts = range(0, len(self.packed), size * WIDTH)
        return (_unpacked(self.packed[start : start + size * WIDTH]) for start in starts)


def _unpacked(packed: bytes) -> Sequence[UUID]:
    return [UUID(bytes=packed[start : start + WIDTH]) for start in range(0, len(packed), WIDTH)]
