"""A listing in stretches is the same listing: every tenant in exactly one of them, and none between two."""

from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from alertd.credentials.stretches import FIRST, LAST, stretches
from alertd.model import CredentialRef, CredentialType

TENANTS = st.integers(0, 6) | st.sampled_from([2**128 - 2, 2**128 - 1])
LISTINGS = st.lists(st.tuples(TENANTS, st.integers(0, 3)), max_size=40).map(
    lambda found: [
        CredentialRef(UUID(int=tenant), "okx", CredentialType.TRADING, str(label)) for tenant, label in sorted(found)
    ]
)
SIZES = st.integers(1, 5)


def paths_of(listing: list[CredentialRef]) -> list[str]:
    return [ref.path for ref in listing]


@given(LISTINGS, SIZES)
def test_nothing_is_lost_or_moved(listing: list[CredentialRef], size: int) -> None:
    cut = list(stretches(paths_of(listing), size))

    assert [ref for stretch in cut for ref in stretch.refs] == listing


@given(LISTINGS, SIZES)
def test_a_stretch_has_its_own_tenants_only(listing: list[CredentialRef], size: int) -> None:
    cut = list(stretches(paths_of(listing), size))

    assert all(stretch.first <= ref.tenant_id <= stretch.last for stretch in cut for ref in stretch.refs)


@given(LISTINGS, SIZES)
def test_stretches_follow_one_another_over_all_tenants_there_can_be(listing: list[CredentialRef], size: int) -> None:
    cut = list(stretches(paths_of(listing), size))

    assert (cut[0].first, cut[-1].last) == (FIRST, LAST)
    assert all(after.first.int == before.last.int + 1 for before, after in pairwise(cut))


@given(st.integers(1, 50), SIZES)
def test_different_tenants_make_short_stretches(tenants: int, size: int) -> None:
    listing = [CredentialRef(UUID(int=n), "okx", CredentialType.TRADING) for n in range(tenants)]

    assert max(len(stretch.refs) for stretch in stretches(paths_of(listing), size)) <= size
