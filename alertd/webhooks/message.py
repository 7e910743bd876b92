"""What goes out: an event as the bytes that are stored, signed and sent, built exactly once."""

import json
import math
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from alertd.model import Event, EventType

_EVENT_ID: Final = re.compile(r"evt_[0-9a-f]{32}")
_LATEST_MS: Final = 1 << 47  # in the year 6429; later ones are somebody's invention
HEAD: Final = ("event", "id", "tenant_id", "timestamp")


@dataclass(frozen=True, slots=True)
class Message:
    """An event on the wire. `body` is never serialised again: a signature covers these very bytes.

    `left_out` older messages of the same matter were not sent, because this one says how it stands now.
    """

    id: str
    type: EventType
    body: bytes
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a message goes: a URL, or for a notifier its name in the settings. Secrets are unsealed.

    `next_secret` is set while a rotation is under way; `headers` are the tenant's own.
    """

    address: str = field(repr=False)  # a path or a query may be a secret
    secret: str = field(default="", repr=False)
    next_secret: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def body(event: Event) -> bytes:
    """Flat UTF-8 JSON, the four common keys first, then the event's own fields in their order.

    A number that JSON cannot hold (NaN, infinity) becomes null and half a surrogate pair U+FFFD: a
    message with a gap arrives, a message that cannot be built does not. Raises ValueError when a
    field would replace a common key, TypeError for a value that is not JSON.
    """
    taken = [name for name in HEAD if name in event.fields]
    if taken:
        raise ValueError(f"event fields must not replace {', '.join(taken)}")
    content = {
        "event": event.type.value,
        "id": event.id,
        "tenant_id": None if event.tenant_id is None else str(event.tenant_id),
        "timestamp": int(event.at.timestamp()),
        **event.fields,
    }
    text = json.dumps(_finite(content), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def new_event_id(now: datetime) -> str:
    """`evt_` and a version 7 UUID (RFC 9562) of `now`: unique, sortable by time, and without a dot,
    which the Standard Webhooks signature uses as its separator."""
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    head = (milliseconds << 16) | 0x7000 | secrets.randbits(12)
    tail = (0b10 << 62) | secrets.randbits(62)
    return f"evt_{(head << 64) | tail:032x}"


def least_event_id(at: datetime) -> str:
    """Not greater than any id of an event at this time or later."""
    return f"evt_{max(0, int(at.timestamp() * 1000)) << 80:032x}"


def event_time(event_id: str) -> datetime:
    """When it was made, to the millisecond. Raises ValueError for what is no id of ours."""
    if _EVENT_ID.fullmatch(event_id) is None:
        raise ValueError("not the id of an event")
    milliseconds = int(event_id[4:16], 16)
    if milliseconds > _LATEST_MS:
        raise ValueError("not the id of an event")
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _finite(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return None
        case Mapping():
            return {key: _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
        case _:
            return value
