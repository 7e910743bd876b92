"""What a tenant's developer uses at his desk judges real requests, and repeats no secret."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from alertd.webhooks.signing import headers, new_secret
from tests.cli.desk import Desk

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"event":"webhook.test","id":"evt_1","tenant_id":"t","note":"Grüße"}'.encode()
LONG_AGO = datetime(2025, 6, 1, tzinfo=UTC)


def signed(secret: str = SECRET, *, next_secret: str | None = None, at: datetime = LONG_AGO) -> dict[str, str]:
    return headers(
        secret=secret, next_secret=next_secret, event_id="evt_1", event_type="webhook.test", body=BODY, at=at
    )


def captured(given: dict[str, str], *, body: bytes = BODY, end: str = "\n", request_line: str = "") -> bytes:
    lines = [*([request_line] if request_line else []), *(f"{name}: {value}" for name, value in given.items())]
    return (end.join(lines) + end + end).encode() + body


async def test_a_captured_request_from_a_file_with_windows_line_ends(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "captured.txt"
    file.write_bytes(captured(signed(), end="\r\n", request_line="POST /hooks HTTP/1.1"))

    ended = await desk.run("webhooks", "verify", "--secret", SECRET, str(file))

    assert ended.code == 0
    assert "webhook-signature: verified" in ended.err
    assert "X-AlphaPulse-Signature: verified" in ended.err


async def test_a_captured_request_on_standard_input(desk: Desk) -> None:
    ended = await desk.run("webhooks", "verify", "--secret", SECRET, "--json", stdin=captured(signed()))

    assert ended.code == 0
    assert json.loads(ended.out) == {
        "verified": ["webhook-signature", "X-AlphaPulse-Signature"],
        "absent": [],
        "problems": [],
    }


async def test_an_empty_line_in_the_body_is_not_the_end_of_the_headers(desk: Desk) -> None:
    body = b'{"note":\r\n\r\n"x"}'
    given = headers(secret=SECRET, event_id="evt_1", event_type="webhook.test", body=body, at=LONG_AGO)

    ended = await desk.run("webhooks", "verify", "--secret", SECRET, stdin=captured(given, body=body))

    assert ended.code == 0


async def test_a_new_secret_during_a_rotation(desk: Desk) -> None:
    newer = new_secret()

    ended = await desk.run("webhooks", "verify", "--secret", newer, stdin=captured(signed(next_secret=newer)))

    assert ended.code == 0


async def test_a_signature_of_somebody_else(desk: Desk) -> None:
    ended = await desk.run("webhooks", "verify", "--secret", SECRET, "--json", stdin=captured(signed(new_secret())))

    assert ended.code == 1
    assert json.loads(ended.out)["verified"] == []
    assert len(json.loads(ended.out)["problems"]) == 2


async def test_a_body_that_was_changed_on_the_way(desk: Desk) -> None:
    ended = await desk.run("webhooks", "verify", "--secret", SECRET, stdin=captured(signed(), body=BODY + b" "))

    assert ended.code == 1
    assert "no signature matches" in ended.err


async def test_a_request_without_signatures(desk: Desk) -> None:
    ended = await desk.run("webhooks", "verify", "--secret", SECRET, stdin=captured({"Host": "example.com"}))

    assert ended.code == 1
    assert "neither webhook-signature nor X-AlphaPulse-Signature is there" in ended.err


@pytest.mark.parametrize("secret", [SECRET, "whsec_not base64!", "plain-old-secret"])
async def test_the_secret_is_not_repeated(desk: Desk, secret: str) -> None:
    ended = await desk.run("webhooks", "verify", "--secret", secret, stdin=captured(signed(new_secret())))

    assert ended.code == 1
    assert secret.removeprefix("whsec_") not in ended.printed


@pytest.mark.parametrize("command", ["verify", "listen"])
@pytest.mark.parametrize("secret", ["", "whsec_"])
async def test_an_empty_secret_is_bad_usage(desk: Desk, command: str, secret: str) -> None:
    ended = await desk.run("webhooks", command, "--secret", secret, stdin=captured(signed()))

    assert (ended.code, "is empty" in ended.err, "Traceback" in ended.err) == (2, True, False)


async def test_a_file_that_is_not_there_is_bad_usage(desk: Desk) -> None:
    ended = await desk.run("webhooks", "verify", "--secret", SECRET, "nowhere.txt")

    assert ended.code == 2
    assert "Traceback" not in ended.err


async def test_a_receiver_tells_the_genuine_from_the_rest(desk: Desk) -> None:
    process = await desk.start("webhooks", "listen", "--secret", SECRET, "--port", "0")
    assert process.stderr is not None
    url = (await process.stderr.readline()).decode().split()[2]

    async with aiohttp.ClientSession() as session:
        now = datetime.now(UTC)
        genuine = await session.post(url, data=BODY, headers=signed(at=now))
        foreign = await session.post(url, data=BODY, headers=signed(new_secret(), at=now))
        replayed = await session.post(url, data=BODY, headers=signed(at=LONG_AGO))
    process.terminate()
    out, err = await process.communicate()

    assert [genuine.status, foreign.status, replayed.status] == [204, 401, 401]
    first, second, third = (json.loads(line) for line in out.splitlines())
    assert first == {"verified": True, "webhook_id": "evt_1", "body": json.loads(BODY)}
    assert (second["verified"], second["body"]) == (False, {})
    assert (third["verified"], third["body"]) == (False, {})
    assert process.returncode == 0
    assert SECRET.encode() not in out + err


async def test_a_port_that_is_taken(desk: Desk) -> None:
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        ended = await desk.run("webhooks", "listen", "--secret", SECRET, "--port", str(port))

    assert ended.code == 1
    assert f"Port {port} cannot be listened on" in ended.err
