"""Whatever a receiver does, the POST ends in time with an outcome from a closed set."""

import asyncio
import gzip
import ssl
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertd.webhooks.addresses import Policy
from alertd.webhooks.post import READ_AT_MOST, Request
from alertd.webhooks.retry import Fault, Outcome

from .receivers import AT, LOOPBACK, OK, Talk, answering, authority, posting, receiving, to

SHORT = 0.3


async def outcome_of(script, *, seconds: float = 5.0) -> Outcome:
    async with receiving(script) as receiver, posting(seconds=seconds) as poster:
        return await poster.post(to(receiver.url()), at=AT)


async def outcome_of_answer(answer: bytes, *, seconds: float = 5.0) -> Outcome:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(answer)

    return await outcome_of(script, seconds=seconds)


async def test_a_plain_success():
    async with answering(OK) as receiver, posting() as poster:
        outcome = await poster.post(to(receiver.url()), at=AT)

    assert replace(outcome, duration=timedelta(0)) == Outcome(status=200, response="ok", address="127.0.0.1")


async def test_the_body_arrives_byte_for_byte():
    body = '{"b":1, "a":"Zürich\\u0000"}'.encode()

    async with answering(OK) as receiver, posting() as poster:
        await poster.post(to(receiver.url(), body), at=AT)

    assert receiver.requests[0].endswith(b"\r\n\r\n" + body)


async def test_the_request_asks_for_no_compression_and_carries_no_cookie_of_an_earlier_answer():
    cookie = b"HTTP/1.1 204 No Content\r\nSet-Cookie: a=b\r\n\r\n"

    async with answering(cookie) as receiver, posting() as poster:
        await poster.post(to(receiver.url()), at=AT)
        await poster.post(to(receiver.url()), at=AT)

    assert b"accept-encoding: identity\r\n" in receiver.requests[1].lower()
    assert b"cookie" not in receiver.requests[1].lower()


async def test_a_connection_is_used_again_and_its_address_is_still_known():
    async with answering(OK) as receiver, posting() as poster:
        await poster.post(to(receiver.url()), at=AT)
        second = await poster.post(to(receiver.url()), at=AT)

    assert (receiver.connections, second.address) == (1, "127.0.0.1")


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert (await outcome_of_answer(OK)).status == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status):
    async with answering(OK) as target:
        where = target.url().encode()
        outcome = await outcome_of_answer(
            b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, where)
        )

    assert (outcome.status, outcome.error, target.connections) == (status, None, 0)


async def test_retry_after_is_read_from_a_503():
    outcome = await outcome_of_answer(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")

    assert outcome.retry_after == timedelta(seconds=7)


async def test_early_hints_before_the_answer_are_skipped():
    outcome = await outcome_of_answer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + OK)

    assert outcome.status == 200


async def test_an_answer_before_the_request_was_read_counts():
    async def script(talk: Talk) -> None:
        await talk.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await asyncio.sleep(1)

    assert (await outcome_of(script)).status == 413


async def test_switching_protocols_is_just_a_status():
    outcome = await outcome_of_answer(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello", seconds=SHORT
    )

    assert outcome.status == 101


# --- what is kept of an answer ---------------------------------------------------------------


async def kept(body: bytes) -> str:
    return (await outcome_of_answer(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)).response


async def test_4_kib_of_the_answer_are_kept():
    assert await kept(b"x" * 5000) == "x" * 4096


async def test_half_a_character_at_the_cut_is_left_out():
    assert (await kept("é".encode() * 3000)) == "é" * 2048


async def test_bytes_that_are_no_text_still_fit_4_kib():
    text = await kept(b"\xff" * 5000)

    assert (set(text), len(text.encode()) <= 4096) == ({"\ufffd"}, True)


async def test_control_characters_are_removed():
    assert await kept(b"a\0b\x1b[31m\r\n\tc\xc2\x9b") == "ab[31m\r\n\tc"


async def test_a_compressed_answer_is_not_unpacked():
    bomb = gzip.compress(b"0" * 50_000_000)
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)

    outcome = await outcome_of_answer(answer + bomb)

    assert (outcome.status, "0000" in outcome.response) == (200, False)


async def test_no_more_than_16_kib_are_read_and_the_connection_is_closed():
    sent = 0

    async def script(talk: Talk) -> None:
        nonlocal sent
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            await talk.say(b"x" * READ_AT_MOST)
            sent += READ_AT_MOST

    async with receiving(script) as receiver, posting() as poster:
        outcome = await poster.post(to(receiver.url()), at=AT)
        again = await poster.post(to(receiver.url()), at=AT)

    assert (outcome.status, outcome.error, again.status, receiver.connections) == (200, None, 200, 2)
    assert sent < 64 * 1024 * 1024


async def test_an_endless_chunked_answer_is_cut_off_too():
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await talk.say(b"400\r\n" + b"y" * 1024 + b"\r\n")

    outcome = await outcome_of(script)

    assert (outcome.status, outcome.error, outcome.response) == (202, None, "y" * 4096)


# --- the deadline ----------------------------------------------------------------------------


async def test_silence_is_a_timeout():
    async def script(talk: Talk) -> None:
        await asyncio.sleep(10)

    outcome = await outcome_of(script, seconds=SHORT)

    assert (outcome.status, outcome.error, outcome.address) == (None, Fault.TIMEOUT, "127.0.0.1")


async def test_a_body_that_drips_past_the_deadline_is_a_timeout():
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            await talk.say(b".")
            await asyncio.sleep(0.02)

    outcome = await outcome_of(script, seconds=SHORT)

    assert (outcome.status, outcome.error) == (200, Fault.TIMEOUT)


async def test_headers_that_drip_past_the_deadline_are_a_timeout():
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            await talk.say(b".")
            await asyncio.sleep(0.02)

    assert (await outcome_of(script, seconds=SHORT)).error is Fault.TIMEOUT


async def test_endless_interim_answers_are_a_timeout():
    async def script(talk: Talk) -> None:
        await talk.request()
        while True:
            await talk.say(b"HTTP/1.1 100 Continue\r\n\r\n")
            await asyncio.sleep(0.001)

    assert (await outcome_of(script, seconds=SHORT)).error is Fault.TIMEOUT


async def test_a_tls_handshake_that_hangs_is_a_timeout():
    async def script(talk: Talk) -> None:
        await asyncio.sleep(10)

    async with receiving(script) as receiver, posting(seconds=SHORT) as poster:
        outcome = await poster.post(to(receiver.url(scheme="https")), at=AT)

    assert outcome.error is Fault.TIMEOUT


async def test_the_deadline_is_reported_as_the_duration():
    async def script(talk: Talk) -> None:
        await asyncio.sleep(10)

    assert (await outcome_of(script, seconds=SHORT)).duration >= timedelta(seconds=SHORT)


# --- broken answers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"HTTP/1.1 two hundred OK\r\n\r\n",
        b"HTTP/9.9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nNo colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Many: header\r\n" * 5000 + b"\r\n",
        b"HTTP/1.1 200 " + b"reason " * 5000 + b"\r\n\r\n",
        b"\r\n" * 100 + b"?",
    ],
)
async def test_what_is_not_http_is_a_protocol_fault(answer):
    outcome = await outcome_of_answer(answer, seconds=2)

    assert (outcome.status, outcome.error) == (None, Fault.PROTOCOL)


async def test_endless_headers_are_a_protocol_fault():
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\n")
        while True:
            await talk.say(b"X-More: header\r\n" * 100)

    assert (await outcome_of(script)).error is Fault.PROTOCOL


async def test_closing_without_an_answer_is_a_reset():
    async def script(talk: Talk) -> None:
        await talk.request()

    assert (await outcome_of(script)).error is Fault.RESET


async def test_closing_at_once_is_a_reset():
    async def script(talk: Talk) -> None:
        talk.writer.close()

    assert (await outcome_of(script)).error is Fault.RESET


async def test_a_tcp_reset_is_a_reset():
    async def script(talk: Talk) -> None:
        await talk.request()
        talk.reset()

    assert (await outcome_of(script)).error is Fault.RESET


async def test_closing_within_the_headers_is_a_reset():
    assert (await outcome_of_answer(b"HTTP/1.1 200 OK\r\nX-Ha")).error is Fault.RESET


async def test_a_body_that_breaks_off_after_a_success_is_a_success():
    outcome = await outcome_of_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    assert (outcome.status, outcome.error, outcome.response) == (200, None, "half")


async def test_a_reset_within_the_body_after_a_success_is_a_success():
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        await asyncio.sleep(0.05)
        talk.reset()

    outcome = await outcome_of(script)

    assert (outcome.status, outcome.error) == (200, None)


async def test_broken_chunks_end_with_the_deadline_at_the_latest():
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await asyncio.sleep(0.05)
        await talk.say(b"zz\r\n")

    assert (await outcome_of(script, seconds=SHORT)).status == 200


async def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one():
    gone = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"

    async with answering(OK + gone, OK) as receiver, posting() as poster:
        first = await poster.post(to(receiver.url()), at=AT)
        second = await poster.post(to(receiver.url()), at=AT)

    assert (first.status, second.status) == (200, 200)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    answer=st.binary(max_size=200)
    | st.binary(max_size=100).map(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest)
    | st.binary(max_size=100).map(lambda rest: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + rest)
)
def test_no_bytes_whatsoever_make_it_raise(answer):
    outcome = asyncio.run(outcome_of_answer(answer, seconds=2))

    assert outcome.status is not None or outcome.error in set(Fault)


# --- getting there ---------------------------------------------------------------------------


async def test_nobody_listening_is_a_connect_fault():
    async with answering(OK) as receiver:
        url = receiver.url()

    async with posting() as poster:
        outcome = await poster.post(to(url), at=AT)

    assert (outcome.error, outcome.address) == (Fault.CONNECT, None)


async def test_an_unknown_name_is_a_dns_fault():
    async with posting() as poster:
        outcome = await poster.post(to("http://nowhere.test/"), at=AT)

    assert outcome.error is Fault.DNS


@pytest.mark.parametrize("url", ["https://user:pass@x.test/", "gopher://x.test/", "nonsense", "http://"])
async def test_a_url_that_is_not_allowed_is_not_even_tried(url):
    async with posting() as poster:
        outcome = await poster.post(to(url), at=AT)

    assert outcome.error is Fault.REFUSED_URL


async def test_plain_http_needs_to_be_allowed():
    async with answering(OK) as receiver, posting(replace(LOOPBACK, allow_http=False)) as poster:
        outcome = await poster.post(to(receiver.url()), at=AT)

    assert (outcome.error, receiver.connections) == (Fault.REFUSED_URL, 0)


async def test_a_header_that_would_smuggle_another_is_not_sent():
    async with answering(OK) as receiver, posting() as poster:
        outcome = await poster.post(Request(receiver.url(), {"X": "a\r\nY: b"}, b"{}"), at=AT)

    assert (outcome.error, receiver.requests) == (Fault.PROTOCOL, [])


async def test_the_certificate_of_a_known_authority_is_accepted(tmp_path):
    ca, tls = authority(tmp_path, "hooks.test")

    async with answering(OK, tls=tls) as receiver, posting(ca=ca, hosts={"hooks.test": ("127.0.0.1",)}) as poster:
        outcome = await poster.post(to(receiver.url("hooks.test", "https")), at=AT)

    assert (outcome.status, outcome.address) == (200, "127.0.0.1")


async def test_a_self_signed_certificate_is_refused(tmp_path):
    _, tls = authority(tmp_path, "hooks.test")

    async with answering(OK, tls=tls) as receiver, posting(hosts={"hooks.test": ("127.0.0.1",)}) as poster:
        outcome = await poster.post(to(receiver.url("hooks.test", "https")), at=AT)

    assert (outcome.error, receiver.requests) == (Fault.TLS, [])


async def test_a_certificate_for_another_name_is_refused_even_with_a_good_connection_open(tmp_path):
    ca, tls = authority(tmp_path, "hooks.test")
    hosts = {"hooks.test": ("127.0.0.1",), "wrong.test": ("127.0.0.1",)}

    async with answering(OK, tls=tls) as receiver, posting(ca=ca, hosts=hosts) as poster:
        await poster.post(to(receiver.url("hooks.test", "https")), at=AT)
        outcome = await poster.post(to(receiver.url("wrong.test", "https")), at=AT)

    assert (outcome.error, len(receiver.requests)) == (Fault.TLS, 1)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_an_old_tls_version_is_refused(tmp_path):
    ca, tls = authority(tmp_path, "hooks.test")
    tls.set_ciphers("DEFAULT@SECLEVEL=0")
    tls.minimum_version, tls.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1

    async with answering(OK, tls=tls) as receiver, posting(ca=ca, hosts={"hooks.test": ("127.0.0.1",)}) as poster:
        outcome = await poster.post(to(receiver.url("hooks.test", "https")), at=AT)

    assert (outcome.error, receiver.requests) == (Fault.TLS, [])


async def test_tls_to_a_plain_server_is_a_tls_fault():
    async def script(talk: Talk) -> None:
        await talk.say(b"HTTP/1.1 400 Plain HTTP only\r\n\r\n")
        await talk.reader.read()

    async with receiving(script) as receiver, posting() as poster:
        outcome = await poster.post(to(receiver.url(scheme="https")), at=AT)

    assert outcome.error is Fault.TLS


async def test_a_forbidden_address_is_not_connected():
    async with answering(OK) as receiver, posting(Policy(allow_http=True, ports=frozenset())) as poster:
        outcome = await poster.post(to(receiver.url()), at=AT)

    assert (outcome.error, receiver.connections) == (Fault.REFUSED_ADDRESS, 0)


async def test_a_request_shows_nothing_of_itself():
    assert repr(Request("https://x.test/secret", {"a": "b"}, b"body")) == "Request()"
