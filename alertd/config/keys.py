"""What an encryption key looks like when a person writes it down."""

import base64
import binascii

from pydantic import SecretStr

KEY_BYTES = 32
HOW_TO_MAKE_ONE = "make one with: openssl rand -base64 32"


def decoded_keys(text: str) -> tuple[bytes, ...]:
    """The keys in `text`, newest first: base64 (standard or URL-safe) of 32 bytes each, separated by commas.

    Raises ValueError, with a text that says which one is wrong and never what it is.
    """
    parts = [part.strip() for part in text.split(",")]
    return tuple(
        _decoded(part, f"key {at} of {len(parts)} " if len(parts) > 1 else "") for at, part in enumerate(parts, 1)
    )


def checked_keys(value: SecretStr) -> SecretStr:
    """`value` itself, once every key in it has been read."""
    decoded_keys(value.get_secret_value())
    return value


def _decoded(part: str, which: str) -> bytes:
    try:
        key = base64.b64decode(
            part.replace("-", "+").replace("_", "/").rstrip("=") + "=" * (-len(part.rstrip("=")) % 4), validate=True
        )
    except (binascii.Error, ValueError):
        raise ValueError(f"{which}must be base64; {HOW_TO_MAKE_ONE}") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"{which}must be {KEY_BYTES} bytes in base64, got {len(key)} bytes; {HOW_TO_MAKE_ONE}")
    return key
