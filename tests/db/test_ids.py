import time

from alertd.db import new_id


def test_an_id_is_a_version_7_uuid() -> None:
    made = new_id()

    assert made.version == 7
    assert made.variant == "specified in RFC 4122"


def test_an_id_begins_with_the_milliseconds_of_its_making() -> None:
    before = time.time_ns() // 1_000_000
    made = new_id()
    after = time.time_ns() // 1_000_000

    assert before <= made.int >> 80 <= after


def test_ids_made_a_moment_apart_sort_by_it() -> None:
    first = new_id()
    time.sleep(0.001)

    assert first < new_id()


def test_ids_differ() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
