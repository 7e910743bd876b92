"""What a tenant may ask of its endpoint: event types and headers of its own. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from alertd.model import EventType

ALL: Final = "*"
SUBSCRIBABLE: Final = tuple(str(kind) for kind in EventType if kind is not EventType.SYSTEM_ALERT)

MOST_HEADERS: Final = 20
LONGEST_VALUE: Final = 1024
TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
VALUE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?|")
# Ours, the connection's, or a way to smuggle a second request.
RESERVED: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)
RESERVED_STARTS: Final = ("content-", "proxy-", "webhook-")


def event_type_problems(event_types: Sequence[str]) -> list[str]:
    unknown = sorted(set(event_types) - {ALL, *SUBSCRIBABLE})
    if not unknown:
        return []
    return [f"event_types: unknown {', '.join(unknown)}; known are {ALL}, {', '.join(SUBSCRIBABLE)}"]


def header_problems(headers: Mapping[str, str], prefix: str) -> list[str]:
    """One line for each header that cannot be sent; never its value. `prefix` is that of our own."""
    problems = [problem for name, value in headers.items() if (problem := _header_problem(name, value, prefix))]
    if len(headers) > MOST_HEADERS:
        problems.append(f"headers: at most {MOST_HEADERS}")
    if len({name.lower() for name in headers}) < len(headers):
        problems.append("headers: the same name twice, in another case")
    return problems


def _header_problem(name: str, value: str, prefix: str) -> str | None:
    if not TOKEN.fullmatch(name):
        return "headers: a name is made of letters, digits and hyphens"
    lowered = name.lower()
    if lowered in RESERVED or lowered.startswith((*RESERVED_STARTS, f"{prefix.lower()}-")):
        return f"headers: {name} is reserved"
    if len(value) > LONGEST_VALUE or not VALUE.fullmatch(value):
        return f"headers: the value of {name} must be at most {LONGEST_VALUE} printable ASCII characters"
    return None
