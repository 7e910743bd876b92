"""Whatever happens to a key, its receiver hears the truth, the last word, and not too much."""

import itertools
import random

import pytest

from tests.factories import tenant, webhook
from tests.webhooks.post_office import FAILED, HOUR, MINUTE, OK, RECOVERED, say, send_all


@pytest.fixture(params=range(6))
async def story(request, db, now):
    """Four hours of a key that fails and recovers at random minutes; what was said, and what was sent when."""
    chance = random.Random(request.param)
    acme = await tenant(db)
    await webhook(db, acme)
    said, sent, kinds = [], [], {}
    for minute in range(60 * 6):
        at = now + minute * MINUTE
        if minute < 240 and chance.random() < 0.1:
            kind = chance.choice([FAILED, FAILED, RECOVERED])
            kinds[await say(db, kind, acme, at=at, window=HOUR if kind is FAILED else None)] = kind
            said.append((at, kind))
        while went := await send_all(db, OK, now=at):
            sent += [(at, kinds[event_id]) for event_id in went]
    return said, sent


def state_at(said, at):
    return [kind for when, kind in said if when <= at][-1]


async def test_what_arrives_is_true_when_it_arrives(story):
    said, sent = story

    assert [kind for _, kind in sent] == [state_at(said, at) for at, _ in sent]


async def test_the_last_word_arrives(story):
    said, sent = story

    assert sent[-1][1] == said[-1][1]


async def test_failures_are_at_least_a_window_apart(story):
    _, sent = story
    failures = [at for at, kind in sent if kind is FAILED]

    assert all(later - earlier >= HOUR for earlier, later in itertools.pairwise(failures))


async def test_every_recovery_arrives_at_once(story):
    said, sent = story

    assert [at for at, kind in sent if kind is RECOVERED] == [at for at, kind in said if kind is RECOVERED]
