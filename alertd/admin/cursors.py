"""Where a list goes on: an opaque text that only we can make, and that fits only the list it came from."""

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

_MAC_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Cursors:
    """The cursors of one list; `key` is the same in all daemons of one database."""

    key: bytes
    listing: str

    def seal(self, mark: Sequence[str]) -> str:
        """`mark` is the place of the last item shown, such as its time and id."""
        content = json.dumps(list(mark), separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(content) + content).rstrip(b"=").decode()

    def open(self, cursor: str) -> tuple[str, ...]:
        """The mark. Raises 400 for a cursor that we did not make for this list."""
        try:
            raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except (binascii.Error, ValueError):
            raw = b""
        mac, content = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(content)):
            raise web.HTTPBadRequest(text="The cursor is not one of this list; start without it.")
        return tuple(json.loads(content))

    def _mac(self, content: bytes) -> bytes:
        return hmac.digest(self.key, self.listing.encode() + b"\0" + content, "sha256")[:_MAC_BYTES]
