"""The cache remembers for its time, its versions and its room."""

from alertd.model import Secret
from alertd.secretstore.cache import Cache
from tests.secretstore.corner import BOB, ref

SECRET = Secret(api_key="k", api_secret="s", version="1")


def test_a_secret_is_remembered_until_its_time_is_over() -> None:
    cache = Cache(ttl_seconds=300)
    cache.put(ref(), SECRET, at=1000)

    assert cache.get(ref(), at=1299.9) is SECRET
    assert cache.get(ref(), at=1300) is None


def test_another_ref_is_another_entry() -> None:
    cache = Cache(ttl_seconds=300)
    cache.put(ref(), SECRET, at=0)

    assert cache.get(ref(BOB), at=0) is None


def test_a_new_version_drops_what_was_remembered() -> None:
    cache = Cache(ttl_seconds=300)
    cache.put(ref(), SECRET, at=0)

    cache.drop_unless(ref(), version="2")

    assert cache.get(ref(), at=0) is None


def test_the_same_version_keeps_it() -> None:
    cache = Cache(ttl_seconds=300)
    cache.put(ref(), SECRET, at=0)

    cache.drop_unless(ref(), version="1")

    assert cache.get(ref(), at=0) is SECRET


def test_what_was_stored_longest_ago_makes_room() -> None:
    cache = Cache(ttl_seconds=300, capacity=2)
    cache.put(ref(label="a"), SECRET, at=0)
    cache.put(ref(label="b"), SECRET, at=1)
    cache.put(ref(label="a"), SECRET, at=2)
    cache.put(ref(label="c"), SECRET, at=3)

    assert cache.get(ref(label="b"), at=3) is None
    assert cache.get(ref(label="a"), at=3) is SECRET


def test_dropping_what_is_not_there_is_nothing() -> None:
    cache = Cache(ttl_seconds=300)

    cache.drop(ref())
    cache.drop_unless(ref(), version="1")

    assert cache.get(ref(), at=0) is None
