"""Every forbidden address, by number and by name, when saved and when sent to: refused, and nothing connects."""

import asyncio
from ipaddress import ip_address

import pytest

from alertd.webhooks.addresses import Policy
from alertd.webhooks.dns import Names
from alertd.webhooks.guard import review_url
from alertd.webhooks.post import open_poster
from alertd.webhooks.retry import Fault
from tests.webhooks.post_office import SECOND
from tests.webhooks.receivers import AT, posting, to
from tests.webhooks.test_guard import REFUSED

STRICT = Policy()
NAME = "https://hooks.test/"
NUMBERED = [address for address in REFUSED if "%" not in address]  # a URL cannot hold a zone


def written(address):
    """As the host of a URL."""
    return f"https://[{address}]/" if ":" in address else f"https://{address}/"


def leading_to(*addresses):
    """Name servers that give these answers, one after the other."""
    answers = [(ip_address(address),) for address in addresses]
    return Names(lambda _: answers.pop(0))


@pytest.fixture
def connects(monkeypatch):
    """Every connect that was tried; none gets out, also if the guard should fail."""
    tried = []

    async def note(_loop, _socket, address):
        tried.append(address)
        raise ConnectionRefusedError("nothing leaves a test")

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", note)
    return tried


@pytest.mark.parametrize("address", NUMBERED)
async def test_a_number_is_not_saved(address):
    assert (await review_url(written(address), STRICT, leading_to())).problems


@pytest.mark.parametrize("address", REFUSED)
async def test_a_name_that_leads_to_it_is_not_saved(address):
    assert (await review_url(NAME, STRICT, leading_to(address))).problems


@pytest.mark.parametrize("address", NUMBERED)
async def test_a_number_is_not_sent_to(address, connects):
    async with posting(STRICT) as poster:
        outcome = await poster.post(to(written(address)), at=AT)

    assert (outcome.error, connects) == (Fault.REFUSED_ADDRESS, [])


@pytest.mark.parametrize("address", REFUSED)
async def test_a_name_that_leads_to_it_is_not_sent_to(address, connects):
    async with posting(STRICT, hosts={"hooks.test": (address,)}) as poster:
        outcome = await poster.post(to(NAME), at=AT)

    assert (outcome.error, connects) == (Fault.REFUSED_ADDRESS, [])


@pytest.mark.parametrize("address", REFUSED)
async def test_a_name_that_leads_to_it_only_after_it_was_saved_is_not_sent_to(address, connects):
    names = leading_to("1.1.1.1", address)
    review = await review_url(NAME, STRICT, names)
    async with open_poster(STRICT, names, timeout=SECOND) as poster:
        outcome = await poster.post(to(NAME), at=AT)

    assert (review.problems, outcome.error, connects) == ((), Fault.REFUSED_ADDRESS, [])


async def test_a_public_address_is_connected(connects):
    """Or the tests above would prove nothing."""
    async with posting(STRICT, hosts={"hooks.test": ("1.1.1.1",)}) as poster:
        outcome = await poster.post(to(NAME), at=AT)

    assert (outcome.error, connects) == (Fault.CONNECT, [("1.1.1.1", 443)])
