"""What comes together is done together, and everybody gets the own answer."""

import asyncio

import pytest

from alertd.webhooks.gathering import MOST, Gathering


class Clerk:
    """Doubles numbers, batch by batch, once it is let; a batch with a zero in it fails."""

    def __init__(self):
        self.batches = []
        self.may = asyncio.Event()

    async def work(self, numbers):
        self.batches.append(list(numbers))
        await self.may.wait()
        if 0 in numbers:
            raise ValueError("zero")
        return [2 * number for number in numbers]


@pytest.fixture
def clerk():
    return Clerk()


@pytest.fixture
def gathering(clerk):
    return Gathering(clerk.work)


async def put_all(gathering, numbers):
    """Tasks whose items are all handed in."""
    tasks = [asyncio.create_task(gathering.put(number)) for number in numbers]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_one_alone_waits_for_nobody(gathering, clerk):
    clerk.may.set()

    assert await gathering.put(1) == 2
    assert await gathering.put(2) == 4
    assert clerk.batches == [[1], [2]]


async def test_who_comes_during_a_batch_joins_the_next_one(gathering, clerk):
    first = await put_all(gathering, [1])
    later = await put_all(gathering, [2, 3])

    clerk.may.set()

    assert await asyncio.gather(*first, *later) == [2, 4, 6]
    assert clerk.batches == [[1], [2, 3]]


async def test_a_batch_has_an_end(gathering, clerk):
    tasks = await put_all(gathering, range(1, MOST + 2))

    clerk.may.set()
    await asyncio.gather(*tasks)

    assert [len(batch) for batch in clerk.batches] == [MOST, 1]


async def test_a_failure_is_that_of_its_batch_alone(gathering, clerk):
    await put_all(gathering, [9])
    failing = await put_all(gathering, [0, 1])
    clerk.may.set()
    failed = await asyncio.gather(*failing, return_exceptions=True)

    assert [type(failure) for failure in failed] == [ValueError, ValueError]
    assert await gathering.put(3) == 6


async def test_who_left_takes_nobody_along(gathering, clerk):
    gone, stays = await put_all(gathering, [1, 2])
    gone.cancel()
    await asyncio.sleep(0)

    clerk.may.set()

    assert await stays == 4
