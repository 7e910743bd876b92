"""The guard: which addresses, which URLs, and that neither names nor literals get around it."""

import asyncio
import socket
import threading
from dataclasses import replace
from ipaddress import IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertd.webhooks.addresses import FORBIDDEN, Address, Policy, allowed, parse_address
from alertd.webhooks.dns import LookupFailed, Names, look_up
from alertd.webhooks.guard import check_url, own_addresses, review_url
from alertd.webhooks.retry import Fault

from .receivers import AT, LOOPBACK, OK, answering, posting, to

STRICT = Policy()
ANY_PORT = Policy(ports=frozenset())


def policy(*cidrs: str, **more) -> Policy:
    return Policy(allow_cidrs=tuple(ip_network(cidr) for cidr in cidrs), ports=frozenset(), **more)


def names(**hosts: str) -> Names:
    known = {host.replace("_", "."): tuple(map(ip_address, text.split())) for host, text in hosts.items()}
    return Names(lambda host: known.get(host, ()))


# --- addresses -------------------------------------------------------------------------------

REFUSED = [
    # IPv4: this network, private, shared, loopback, link-local and metadata
    *("0.0.0.0", "0.255.255.255", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200"),
    *("100.127.255.255", "127.0.0.1", "127.0.0.2", "127.255.255.255", "169.254.0.1", "169.254.169.254"),
    *("169.254.170.2", "172.16.0.1", "172.31.255.255", "192.168.0.1", "168.63.129.16"),
    # IPv4: special purpose, documentation, benchmarking, multicast, reserved
    *("192.0.0.1", "192.0.0.9", "192.0.0.10", "192.0.0.192", "192.0.0.255", "192.0.2.1", "192.88.99.3"),
    *("198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "224.1.2.3"),
    *("233.252.0.16", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    # IPv6: not global unicast
    *("::", "::1", "::2", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8"),
    *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "5f00::1", "fc00::1", "fd00:ec2::254"),
    *("fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "4000::1", "8000::1", "e000::1"),
    # IPv6: closed blocks of global unicast
    *("2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1", "2001:20::1", "2001:1ff::1"),
    *("2001:db8::1", "2002:7f00:1::1", "2002:808:808::1", "3ffe::1", "3fff::1", "3fff:fff::1"),
    # ISATAP, private inside
    *("2a00:1450::5efe:10.0.0.1", "2a00:1450::200:5efe:127.0.0.1"),
]
OPEN = [
    *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"),
    *("128.0.0.1", "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255"),
    *("172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0"),
    *("223.255.255.255", "2001:200::1", "2001:4860:4860::8888", "2606:4700:4700::1111", "2a00:1450::1"),
    *("2a00:1450::5efe:8.8.8.8", "2003::1", "3ff0::1"),
]


@pytest.mark.parametrize("text", REFUSED)
def test_a_forbidden_address_is_refused(text):
    assert allowed(ip_address(text), 443, STRICT) is not None


@pytest.mark.parametrize("text", OPEN)
def test_a_public_address_is_allowed(text):
    assert allowed(ip_address(text), 443, STRICT) is None


@pytest.mark.parametrize(("network", "why"), FORBIDDEN, ids=str)
def test_every_forbidden_network_is_closed_from_end_to_end_and_says_why(network, why):
    first, last = allowed(network[0], 443, STRICT), allowed(network[-1], 443, STRICT)

    assert first is not None
    assert last is not None
    assert first.why.startswith("forbidden (")


@settings(deadline=None)
@given(st.ip_addresses(v=6).filter(lambda address: int(address) >> 125 != 1))
def test_ipv6_is_closed_but_for_global_unicast(address):
    assert allowed(address, 443, STRICT) is not None


@settings(deadline=None)
@given(inner=st.ip_addresses(v=4), wrapper=st.sampled_from(["::ffff:0:0/96", "64:ff9b::/96", "::ffff:0:0:0/96"]))
def test_opening_a_tunnel_does_not_open_what_is_inside(inner, wrapper):
    outer = IPv6Address(int(ip_network(wrapper)[0]) | int(inner))

    through = allowed(outer, 443, policy(wrapper))

    assert (through is None) == (allowed(inner, 443, STRICT) is None)


@pytest.mark.parametrize("text", ["2002:a00:1::1", "2001:0:a00:1::f7f7:f7f7", "2001:0:808:808::f5ff:fffe"])
def test_6to4_and_both_ends_of_teredo_are_unwrapped(text):
    assert allowed(ip_address(text), 443, policy("2002::/16", "2001::/32")) is not None


@pytest.mark.parametrize("text", ["127.0.0.1", "10.1.2.3", "::1", "fd00::7"])
def test_the_operator_can_open_a_network(text):
    opened = policy("127.0.0.0/8", "10.0.0.0/8", "::1/128", "fd00::/8")

    assert allowed(ip_address(text), 443, opened) is None


def test_an_exception_opens_nothing_else():
    assert allowed(ip_address("10.1.0.1"), 443, policy("10.0.0.0/16")) is not None


@pytest.mark.parametrize(("port", "open_"), [(443, True), (8443, True), (80, False), (5432, False), (0, False)])
def test_only_the_allowed_ports_are_connected(port, open_):
    assert (allowed(ip_address("1.1.1.1"), port, STRICT) is None) == open_


@pytest.mark.parametrize("port", [1, 80, 65535])
def test_no_ports_in_the_settings_means_any(port):
    assert allowed(ip_address("1.1.1.1"), port, ANY_PORT) is None


@pytest.mark.parametrize(
    ("own", "target"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.2"),
        ("127.0.0.1", "::1"),
        ("127.0.0.1", "0.0.0.0"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "::1"),
        ("10.0.0.7", "10.0.0.7"),
        ("10.0.0.7", "::ffff:10.0.0.7"),
        ("8.8.8.8", "8.8.8.8"),
    ],
)
def test_no_exception_opens_our_own_admin_or_database_port(own, target):
    everything = policy("0.0.0.0/0", "::/0", own=frozenset({(ip_address(own), 8089)}))

    refusal = allowed(ip_address(target), 8089, everything)

    assert refusal is not None
    assert refusal.why == "alertd's own"


@pytest.mark.parametrize(("target", "port"), [("127.0.0.1", 8090), ("10.0.0.8", 8089)])
def test_other_ports_and_machines_are_not_ours(target, port):
    own = frozenset({(ip_address("127.0.0.1"), 8089), (ip_address("10.0.0.7"), 8089)})

    assert allowed(ip_address(target), port, policy("0.0.0.0/0", own=own)) is None


@pytest.mark.parametrize("text", ["0x7f.1", "2130706433", "127.1", "0177.0.0.1", "localhost", ""])
def test_only_canonical_literals_are_addresses(text):
    assert parse_address(text) is None


# --- URLs ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/",
        "https://hooks.example.com:8443/a/b?c=d&e=%2F",
        "HTTPS://Hooks.Example.COM",
        "https://bücher.example/",
        "https://xn--bcher-kva.example/",
        "https://my_host-1.example/",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]:443/",
        "https://0x7f.example/",
    ],
)
def test_a_good_url_has_no_problem(url):
    assert check_url(url, STRICT) == []


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://hooks.example.com/", "https://"),
        ("ftp://hooks.example.com/", "https://"),
        ("javascript:alert(1)", "https://"),
        ("//hooks.example.com/", "https://"),
        ("hooks.example.com", "https://"),
        ("", "https://"),
        ("https:///path", "no host"),
        ("https://", "no host"),
        ("https://user@hooks.example.com/", "user name"),
        ("https://user:pass@hooks.example.com/", "user name"),
        ("https://@hooks.example.com/", "user name"),
        ("https://hooks.example.com/#x", "fragment"),
        ("https://hooks.example.com:80/", "ports 443, 8443"),
        ("https://hooks.example.com:0/", "ports 443, 8443"),
        ("https://hooks.example.com:99999/", "not a URL"),
        ("https://hooks.example.com:port/", "not a URL"),
        ("https://[::1/", "not a URL"),
        ("https://ex%61mple.com/", "percent"),
        ("https://[fe80::1%25eth0]/", "percent"),
        ("https://hooks.example.com\\@evil.test/", "backslash"),
        ("https://hooks.example.com /", "space"),
        ("https://hooks.example.com/\n", "space"),
        ("https://hooks.example.com/\u202e", "space"),
        ("https://hooks..example.com/", "proper host name"),
        ("https://-hooks.example.com/", "proper host name"),
        ("https://hooks.example.com./", "proper host name"),
        ("https://" + "a" * 64 + ".example/", "proper host name"),
        ("https://" + "a." * 130 + "example/", "proper host name"),
        ("https://0x7f.1/", "four decimal numbers"),
        ("https://0x7f000001/", "four decimal numbers"),
        ("https://2130706433/", "four decimal numbers"),
        ("https://127.1/", "four decimal numbers"),
        ("https://0177.0.0.1/", "four decimal numbers"),
        ("https://1.2.3.4.5/", "four decimal numbers"),
        ("https://example.0x/", "four decimal numbers"),
        ("https://127.0.0.1/", "forbidden (loopback)"),
        ("https://127\u30020\u30020\u30021/", "forbidden (loopback)"),
        ("https://\uff11\uff12\uff17.0.0.1/", "forbidden (loopback)"),
        ("https://169.254.169.254/latest/", "forbidden (link-local)"),
        ("https://[::1]/", "forbidden (loopback)"),
        ("https://[::ffff:10.0.0.1]/", "forbidden (IPv4-mapped)"),
        ("https://hooks.example.com/" + "x" * 2048, "longer than 2048"),
    ],
)
def test_a_bad_url_is_told_why(url, problem):
    assert problem in " ".join(check_url(url, STRICT))


def test_plain_http_can_be_allowed():
    assert check_url("http://hooks.example.com/", Policy(allow_http=True, ports=frozenset({80}))) == []


def test_port_0_is_refused_even_where_any_port_is_allowed():
    assert check_url("https://hooks.example.com:0/", ANY_PORT) == ["must not use port 0"]


def test_an_opened_literal_is_fine():
    assert check_url("https://10.0.0.1/", policy("10.0.0.0/8")) == []


def test_the_problems_never_repeat_the_url():
    assert "s3cret" not in " ".join(check_url("http://user:s3cret@x.test:1/s3cret#s3cret", STRICT))


@settings(deadline=None)
@given(st.text(max_size=60) | st.text(max_size=60).map(lambda rest: "https://" + rest))
def test_no_text_breaks_the_check(url):
    assert isinstance(check_url(url, STRICT), list)


async def test_a_reviewed_url_is_saved_in_its_normal_form():
    review = await review_url("HTTPS://Bücher.Example:443/a", STRICT, names(xn__bcher_kva_example="1.1.1.1"))

    assert (review.url, review.problems) == ("https://xn--bcher-kva.example/a", ())


@pytest.mark.parametrize("answer", ["10.0.0.1", "1.1.1.1 127.0.0.1", "2606:4700::1 ::1"])
async def test_a_name_with_one_forbidden_address_is_not_saved(answer):
    review = await review_url("https://hooks.test/", STRICT, names(hooks_test=answer))

    assert "forbidden" in review.problems[0]


async def test_what_a_name_means_inside_is_not_told():
    review = await review_url("https://hooks.test/", STRICT, names(hooks_test="10.20.30.40"))

    assert "10.20.30.40" not in review.problems[0]


async def test_a_name_that_does_not_resolve_just_now_is_saved_with_a_note():
    review = await review_url("https://hooks.test/", STRICT, names())

    assert (review.problems, len(review.notes)) == ((), 1)


async def test_a_literal_is_reviewed_without_the_name_servers():
    review = await review_url("https://1.1.1.1/", STRICT, names())

    assert (review.problems, review.notes) == ((), ())


async def test_a_bad_url_is_not_looked_up():
    assert (await review_url("http://hooks.test/", STRICT, names())).notes == ()


# --- names -----------------------------------------------------------------------------------


def test_the_system_resolver_gives_numeric_addresses():
    assert ip_address("127.0.0.1") in look_up("localhost")


async def test_a_name_server_that_hangs_is_given_up_on():
    release = threading.Event()
    hanging = Names(lambda host: release.wait(10) and ())

    with pytest.raises(LookupFailed, match="in time"):
        await hanging.addresses("slow.test", timeout_seconds=0.05)
    release.set()
    await hanging.close()


async def test_a_hanging_name_delays_no_other():
    release = threading.Event()
    mixed = Names(
        lambda host: (release.wait(10), ip_address("1.1.1.1"))[1:] if host == "slow.test" else (ip_address("2.2.2.2"),)
    )
    slow = asyncio.create_task(mixed.addresses("slow.test", timeout_seconds=10))

    fast = await mixed.addresses("fast.test", timeout_seconds=5)
    release.set()

    assert (fast, await slow) == ((ip_address("2.2.2.2"),), (ip_address("1.1.1.1"),))


class Hanging:
    """Looks up names; these hosts hang until `release`."""

    def __init__(self, *hosts: str) -> None:
        self.hosts = set(hosts)
        self.release = threading.Event()

    def __call__(self, host: str) -> tuple[Address, ...]:
        if host in self.hosts:
            self.release.wait(10)
        return (FOUND,)


FOUND = ip_address("2.2.2.2")


async def hung_once(hanging: Hanging) -> Names:
    """Names of which all that hang were slow; they hang again."""
    names = Names(hanging, threads=2, slow_threads=1, slow_seconds=0.01)
    first = [asyncio.create_task(names.addresses(host, timeout_seconds=10)) for host in hanging.hosts]
    await asyncio.sleep(0.05)
    hanging.release.set()
    await asyncio.gather(*first)
    hanging.release.clear()
    return names


async def test_names_that_hung_the_last_time_leave_the_others_their_threads():
    hanging = Hanging("a.test", "b.test")
    names = await hung_once(hanging)
    again = [asyncio.create_task(names.addresses(host, timeout_seconds=10)) for host in hanging.hosts]
    await asyncio.sleep(0)

    good = await names.addresses("good.test", timeout_seconds=5)
    hanging.release.set()

    assert [good, *await asyncio.gather(*again)] == [(FOUND,)] * 3


async def test_a_name_that_answers_at_once_again_waits_for_no_slow_one():
    hanging = Hanging("a.test", "b.test")
    names = await hung_once(hanging)
    hanging.hosts = {"a.test"}
    await names.addresses("b.test", timeout_seconds=10)
    again = asyncio.create_task(names.addresses("a.test", timeout_seconds=10))
    await asyncio.sleep(0)

    better = await names.addresses("b.test", timeout_seconds=5)
    hanging.release.set()

    assert (better, await again) == ((FOUND,), (FOUND,))


async def test_a_name_is_looked_up_once_for_all_who_wait():
    asked = []
    release = threading.Event()
    counting = Names(lambda host: (asked.append(host), release.wait(10)) and (ip_address("1.1.1.1"),))

    waiting = asyncio.gather(*(counting.addresses("a.test", timeout_seconds=5) for _ in range(5)))
    await asyncio.sleep(0)
    release.set()
    await waiting

    assert asked == ["a.test"]


@pytest.mark.parametrize("error", [socket.gaierror(socket.EAI_NONAME, "no"), UnicodeError("label too long")])
async def test_a_failed_lookup_is_one_kind_of_error(error):
    def fails(host: str):
        raise error

    with pytest.raises(LookupFailed):
        await Names(fails).addresses("a.test", timeout_seconds=5)


async def test_own_servers_may_be_given_by_name_or_number():
    found = await own_addresses(
        [("127.0.0.1", 8089), ("db.test", 5432), ("/run/postgresql", 5432), ("gone.test", 1)],
        names(db_test="10.0.0.7 fd00::7"),
    )

    assert found == {
        (ip_address("127.0.0.1"), 8089),
        (ip_address("10.0.0.7"), 5432),
        (ip_address("fd00::7"), 5432),
    }


# --- at the connect --------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "hooks.test"])
async def test_nothing_reaches_a_forbidden_address(host):
    closed = replace(LOOPBACK, allow_cidrs=())

    async with answering(OK) as receiver, posting(closed, hosts={"hooks.test": ("127.0.0.1",)}) as poster:
        outcome = await poster.post(to(receiver.url(host)), at=AT)

    assert (outcome.error, receiver.connections) == (Fault.REFUSED_ADDRESS, 0)


async def test_a_name_with_one_forbidden_address_is_refused_outright():
    hosts = {"hooks.test": ("127.0.0.1", "10.0.0.1")}

    async with answering(OK) as receiver, posting(LOOPBACK, hosts=hosts) as poster:
        outcome = await poster.post(to(receiver.url("hooks.test")), at=AT)

    assert (outcome.error, receiver.connections) == (Fault.REFUSED_ADDRESS, 0)


async def test_a_name_that_changes_its_address_is_refused_from_then_on():
    hosts = {"hooks.test": ("127.0.0.1",)}
    narrow = replace(LOOPBACK, allow_cidrs=(ip_network("127.0.0.1/32"),))
    closing = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"

    async with answering(closing) as receiver, posting(narrow, hosts=hosts) as poster:
        before = await poster.post(to(receiver.url("hooks.test")), at=AT)
        hosts["hooks.test"] = ("127.0.0.2",)
        after = await poster.post(to(receiver.url("hooks.test")), at=AT)

    assert (before.status, after.error) == (204, Fault.REFUSED_ADDRESS)


async def test_our_own_port_is_refused_at_every_address_of_this_machine():
    machine = _address_of_this_machine()
    async with answering(OK) as receiver:
        own = frozenset({(ip_address("0.0.0.0"), receiver.port)})
        everything = policy("0.0.0.0/0", allow_http=True, own=own)
        async with posting(everything) as poster:
            outcome = await poster.post(to(receiver.url(machine)), at=AT)

    assert outcome.error is Fault.REFUSED_ADDRESS


def _address_of_this_machine() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"  # no network at all: the weaker case
        return probe.getsockname()[0]
