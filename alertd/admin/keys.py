"""API keys as text: `alertd_<lookup>_<secret>_<checksum>`. Pure, but for the random source in `new_key`.

The look-up part may be shown and finds the row; the checksum tells a mistyped key without asking anybody.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass, field
from typing import Final

LOOKUP_CHARACTERS: Final = 10
SECRET_CHARACTERS: Final = 43  # 256 bits
CHECKSUM_CHARACTERS: Final = 6

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE: Final = re.compile(r"(alertd_([0-9A-Za-z]{10})_[0-9A-Za-z]{43})_([0-9A-Za-z]{6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that nobody has seen yet."""

    lookup: str
    text: str = field(repr=False)


def new_key() -> NewKey:
    lookup = _random(LOOKUP_CHARACTERS)
    body = f"alertd_{lookup}_{_random(SECRET_CHARACTERS)}"
    return NewKey(lookup, f"{body}_{_checksum(body)}")


def lookup_of(text: str) -> str | None:
    """The public part; None for what cannot be a key of ours."""
    match = _SHAPE.fullmatch(text)
    return match[2] if match is not None and match[3] == _checksum(match[1]) else None


def digest(text: str, pepper: bytes) -> bytes:
    """What is kept of a key. Keys are random, so nothing slow is needed; any text has one, also what is no UTF-8."""
    return hmac.digest(pepper, text.encode(errors="surrogatepass"), hashlib.sha256)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    """CRC-32 in base 62."""
    rest, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_CHARACTERS):
        rest, digit = divmod(rest, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
