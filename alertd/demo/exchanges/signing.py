"""The few cryptographic steps that exchanges build their signatures from, and deterministic key material."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import datetime, timedelta

from alertd.demo.exchanges.shape import Minted


def hex_hmac(secret: str, text: str, algorithm: str = "sha256") -> str:
    return hmac.new(secret.encode(), text.encode(), algorithm).hexdigest()


def base64_hmac(secret: bytes, data: bytes, algorithm: str = "sha256") -> str:
    return b64encode(hmac.new(secret, data, algorithm).digest()).decode()


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def within(milliseconds: str, now: datetime, *, past: timedelta, future: timedelta) -> bool:
    """Whether a timestamp in milliseconds lies in the window around now."""
    if not milliseconds.isdigit():
        return False
    age = timedelta(milliseconds=now.timestamp() * 1000 - int(milliseconds))
    return -future <= age <= past


def random_bytes(name: str, number: int, length: int) -> bytes:
    """The same ones for the same name and number."""
    return hashlib.shake_256(f"{name} {number}".encode()).digest(length)


def hex_text(name: str, number: int, length: int) -> str:
    return random_bytes(name, number, length).hex()[:length]


def letters(name: str, number: int, length: int) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(alphabet[byte % len(alphabet)] for byte in random_bytes(name, number, length))


def minting(exchange: str, *, key: int, secret: int, passphrase: int = 0) -> Callable[[int], Minted]:
    """Makes key pairs of letters and digits of the given lengths."""

    def mint(number: int) -> Minted:
        return Minted(
            letters(f"{exchange} key", number, key),
            letters(f"{exchange} secret", number, secret),
            letters(f"{exchange} passphrase", number, passphrase),
        )

    return mint


def unbase64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""
