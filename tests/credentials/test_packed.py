"""Ids that were packed come back: all of them, in their order, in chunks of the size that was asked for."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from alertd.credentials.packed import PackedIds

IDS = st.lists(st.uuids(), max_size=30)
SIZES = st.integers(1, 7)


@given(IDS, SIZES)
def test_nothing_is_lost_or_moved(ids: list[UUID], size: int) -> None:
    assert [each for chunk in PackedIds.of(ids).chunks(size) for each in chunk] == ids


@given(IDS)
def test_they_are_counted(ids: list[UUID]) -> None:
    assert len(PackedIds.of(ids)) == len(ids)


@given(st.lists(st.uuids(), min_size=1, max_size=30), SIZES)
def test_only_the_last_chunk_may_be_short(ids: list[UUID], size: int) -> None:
    *full, last = [len(chunk) for chunk in PackedIds.of(ids).chunks(size)]

    assert set(full) <= {size}
    assert 1 <= last <= size
