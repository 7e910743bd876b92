"""What keeps an answer from coming, and what a refusal says: each a sentence with a remedy, and never with a key."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from alertd.cli.answers import Answer
from alertd.cli.api_key import Key
from alertd.errors import AlertdError, Refused, Transient

MOST_FLAWS: Final = 20


class NotDone(Refused):
    """The daemon said no. `reason` is that of a key which its exchange does not accept, else empty."""

    def __init__(self, detail: str, *lines: str, reason: str = "") -> None:
        super().__init__("\n  - ".join([detail, *filter(None, lines)]))
        self.detail = detail
        self.reason = reason


@contextmanager
def explaining(url: str) -> Iterator[None]:
    """Raises Transient for whatever keeps an answer from coming; the client's own words may repeat what was sent."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, UnicodeError) as exc:
        raise Transient(_unconnected(exc, url)) from None
    except httpx.TimeoutException:
        raise Transient(f"The daemon at {url} took too long; it may still be at it.") from None
    except httpx.TransportError:
        text = f"What listens at {url} hung up without an answer; is it alertd, and is http or https right?"
        raise Transient(text) from None


def refusal(response: httpx.Response, *, url: str, key: Key) -> AlertdError:
    """NotDone for what the daemon refuses, Transient for what no daemon of ours would say."""
    problem = Answer(object_in(response) or {}, datetime.now(UTC))
    detail = problem.text("detail")
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return NotDone(_unknown(url, key))
    if not detail:
        return stranger(response, url)
    remedies = [problem.text("what_to_do"), _remedy(response)]
    return NotDone(detail, *_flaws(problem), *remedies, reason=problem.text("reason"))


def stranger(response: httpx.Response, url: str) -> Transient:
    return Transient(f"What answers at {url} is not alertd (status {response.status_code}); is --url right?")


def object_in(response: httpx.Response) -> Mapping[str, Any] | None:
    """None for what is no JSON object."""
    try:
        found = response.json()
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _unconnected(exc: BaseException, url: str) -> str:
    problems = list(_causes(exc))
    if any(isinstance(one, ssl.SSLCertVerificationError) or "VERIFY_FAILED" in str(one) for one in problems):
        return f"The certificate at {url} is not trusted; name the one that made it with --ca."
    if any("SSL" in str(one) for one in problems):
        return f"What listens at {url} does not speak https; is it http?"
    return f"No alertd answers at {url}; start it with `alertd run`, or say with --url where it is."


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__


def _unknown(url: str, key: Key) -> str:
    if not key.text:
        return f"The daemon at {url} wants an API key. {key.source}"
    which = f"the API key from {key.source}"
    return f"The daemon at {url} does not accept {which}: it was revoked, has expired, or is not one of its own."


def _flaws(problem: Answer) -> Iterator[str]:
    found = problem.each("errors")
    for flaw in found[:MOST_FLAWS]:
        yield f"{flaw.text('where').removeprefix('/')}: {flaw.text('detail')}".removeprefix(": ")
    if len(found) > MOST_FLAWS:
        yield f"and {len(found) - MOST_FLAWS} more"


def _remedy(response: httpx.Response) -> str:
    match response.status_code:
        case httpx.codes.FORBIDDEN:
            return "Show another key: --key-file or ALERTD_API_KEY. `alertd keys list` knows the role of each."
        case httpx.codes.TOO_MANY_REQUESTS | httpx.codes.SERVICE_UNAVAILABLE if "Retry-After" in response.headers:
            return f"Try again in {response.headers['Retry-After']} s."
        case _:
            return ""
