"""`alertd webhooks`: what a tenant's developer needs at his desk, a receiver and an offline check."""

import asyncio
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from alertd.cli.options import Json
from alertd.cli.outcome import FAILED, complain, print_json, say
from alertd.demo.receiver import Received, Receiver, listening
from alertd.process import signals
from alertd.webhooks.signing import MARK, TIMESTAMP
from alertd.webhooks.signing import verify as verify_request

commands = typer.Typer(no_args_is_help=True, help="Tenants' endpoints; and receiving and checking webhooks.")


def _not_empty(secret: str) -> str:
    if not secret.removeprefix(MARK):
        raise typer.BadParameter("is empty; is the variable set that it comes from?")
    return secret


Secret = Annotated[
    str, typer.Option("--secret", metavar="S", help="The endpoint's secret, whsec_…", callback=_not_empty)
]


@commands.command(epilog="Example: alertd webhooks listen --secret whsec_… --port 8000")
def listen(
    secret: Secret,
    port: Annotated[int, typer.Option("--port", metavar="P", help="0 picks a free one.")] = 8000,
) -> None:
    """Receive webhooks on loopback, verify them, and print one JSON line for each."""
    try:
        asyncio.run(_listen(secret, port))
    except OSError as exc:
        complain(f"Port {port} cannot be listened on ({exc.strerror}); choose another with --port.")
        raise typer.Exit(FAILED) from None


async def _listen(secret: str, port: int) -> None:
    receiver = Receiver(lambda _path: secret, _print)
    stop = asyncio.Event()
    with signals(stop, asyncio.Event()):
        async with listening(receiver, port=port) as actual:
            say(f"Listening on http://127.0.0.1:{actual}/ ; stop with Ctrl-C.")
            await stop.wait()


def _print(received: Received) -> None:
    line = {"verified": received.verified, "webhook_id": received.event_id, "body": dict(received.body)}
    sys.stdout.write(json.dumps({**line, **({"problem": received.problem} if received.problem else {})}) + "\n")
    sys.stdout.flush()


@commands.command(epilog="Example: alertd webhooks verify --secret whsec_… captured.txt")
def verify(
    secret: Secret,
    request: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="Header lines, an empty line, the body; default: standard input.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Check a captured request; exit 1 if a signature does not hold. The age of the request does not matter."""
    raw = sys.stdin.buffer.read() if request is None else request.read_bytes()
    headers, body = _parsed(raw)
    judged = verify_request(headers, body, secret, now=_made_at(headers))
    if json:
        print_json({"verified": judged.verified, "absent": judged.absent, "problems": judged.problems})
    else:
        for name in judged.verified:
            say(f"{name}: verified")
        for problem in judged.problems:
            say(problem)
    if judged.problems:
        raise typer.Exit(FAILED)


def _parsed(raw: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body of a captured request, with or without its request line, LF or CRLF."""
    end = re.search(rb"\r?\n\r?\n", raw)
    head, body = (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")
    lines = head.decode("latin-1").splitlines()
    pairs = (line.split(":", 1) for line in lines if ":" in line and " HTTP/" not in line)
    return {name.strip(): value.strip() for name, value in pairs}, body


def _made_at(headers: dict[str, str]) -> datetime:
    """The time of the attempt, so that an old capture is judged by its signatures alone."""
    told = {name.lower(): value for name, value in headers.items()}.get(TIMESTAMP.lower(), "")
    return datetime.fromtimestamp(int(told), UTC) if told.isdecimal() and len(told) < 12 else datetime.now(UTC)
