"""Keep secrets out of what is written down: by type, by the name of a field, and by their look in a text.

Types and names are the real defence; the patterns catch what other libraries put into messages.
"""

import re
from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from math import isfinite
from pathlib import PurePath
from typing import Final
from uuid import UUID

from pydantic import SecretBytes, SecretStr

from alertd.model import Secret

HIDDEN: Final = "***"

_SECRET_TYPES: Final = (SecretStr, SecretBytes, Secret, bytes, bytearray, memoryview)

_SECRET_WORDS: Final = frozenset(
    {
        "authorization",
        "cookie",
        "dsn",
        "jwt",
        "passphrase",
        "passwd",
        "password",
        "pem",
        "secret",
        "signature",
        "token",
    }
)
# What kind of key a name means; `key` alone is a key of a mapping more often than of a door.
_SECRET_KEYS: Final = frozenset({"api", "admin", "encryption", "master", "operator", "private", "viewer"})
# A name that ends so speaks about a secret and does not hold one: `secret_version`, `token_type`.
_ABOUT: Final = frozenset(
    {"age", "at", "count", "expire", "file", "header", "hour", "path", "store", "type", "version"}
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

# Repeats are bounded, so that a long hostile text costs time in proportion to its length.
_PEM: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----.*?(?:-----END [A-Z0-9 ]{1,40}-----|\Z)", re.DOTALL)
_USER_INFO: Final = re.compile(
    r"\b([A-Za-z][A-Za-z0-9+.-]{0,30}://)(?:[^\s/?#@]{0,512}|[^\s/@:]{0,128}:[^\s@]{0,512})@"
)
_TOKENS: Final = re.compile(
    r"whsec_[A-Za-z0-9+/=_-]+"
    r"|\bhv[bsr]\.[A-Za-z0-9_-]+"  # Vault: service, batch, recovery
    r"|\b[bsr]\.[A-Za-z0-9]{24,}"  # the same, as OpenBao and older servers write them
    r"|\balertd_[A-Za-z0-9]{10}_[A-Za-z0-9_]{12,}"  # our own API keys
    r"|\beyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)?"  # JSON web tokens
    r"|(?<=\bBearer )\S+|(?<=\bBasic )[A-Za-z0-9+/=]{8,}"
)
_NAMED: Final = re.compile(
    r"""((?:secret|token|password|passwd|passphrase|api[_-]?key|private[_-]?key|signature|authorization)"""
    r"""[\w-]{0,24}(?:=|["']\s{0,4}[:=]\s{0,4}))("[^"]*"|'[^']*'|[^\s,&;)}\]]+)""",
    re.IGNORECASE,
)
_HEADER: Final = re.compile(
    r"\b((?:authorization|cookie|x-[\w-]{0,40}(?:key|token|secret|sign|signature|passphrase)): *)[^\r\n]+",
    re.IGNORECASE,
)


def holds_secret(name: str) -> bool:
    """Whether a field of this name has to be hidden, however the name is spelt (`apiKey`, `API-KEY`)."""
    words = [word.lower().removesuffix("s") for word in _WORD.findall(name)]
    if not words or words[-1] in _ABOUT:
        return False
    keys = pairwise(words)
    return (
        not _SECRET_WORDS.isdisjoint(words)
        or any(kind in _SECRET_KEYS and word == "key" for kind, word in keys)
        or "apikey" in words
    )


# Each with what a text must have one of to match: looking for that first is ten times as fast.
_PATTERNS: Final = (
    (("-----BEGIN",), _PEM, HIDDEN),
    (("://",), _USER_INFO, rf"\1{HIDDEN}@"),
    (("_", ".", "eyJ", " "), _TOKENS, HIDDEN),
    ((":",), _HEADER, rf"\1{HIDDEN}"),
    (("=", '"', "'"), _NAMED, rf"\1{HIDDEN}"),
)


def redact_text(text: str) -> str:
    """The text without anything that looks like a key, a token, or the user part of an address."""
    for marks, pattern, instead in _PATTERNS:
        for mark in marks:
            if mark in text:
                text = pattern.sub(instead, text)
                break
    return text


def redact(value: object, *, depth: int = 6) -> object:
    """The value as JSON can hold it, without secrets: text, numbers, lists and string-keyed dicts.

    What is nested deeper than `depth` is cut off; an unknown type is its repr, filtered as text.
    """
    match value:
        case str() if not isinstance(value, Enum):
            return redact_text(value)
        case None | bool() | int() if not isinstance(value, Enum):
            return value
        case float():
            return value if isfinite(value) else str(value)
        case Enum():
            return redact(value.value, depth=depth)
        case datetime() | date():
            return value.isoformat()
        case UUID() | PurePath():
            return redact_text(str(value))
        case _ if isinstance(value, _SECRET_TYPES):
            return HIDDEN
        case _:
            return _redact_nested(value, depth)


def redact_fields(fields: Mapping[str, object], *, depth: int = 6) -> dict[str, object]:
    """Each field redacted; of a field with a telling name only absence (None) and yes or no survive."""
    redacted = {}
    for name, value in fields.items():
        shown, telling = _field(str(name))
        hidden = telling and value is not None and not isinstance(value, bool)
        redacted[shown] = HIDDEN if hidden else redact(value, depth=depth)
    return redacted


@lru_cache(maxsize=512)
def _field(name: str) -> tuple[str, bool]:
    """A field's name as it may be shown, and whether it tells of a secret; every line has the same few."""
    return redact_text(name), holds_secret(name)


def _redact_nested(value: object, depth: int) -> object:
    if depth == 0:
        return "..."
    match value:
        case Mapping():
            return redact_fields(value, depth=depth - 1)
        case Sequence() | Set():
            return [redact(item, depth=depth - 1) for item in value]
        case BaseException():
            return redact_text(f"{type(value).__name__}: {value}")
        case _:
            return redact_text(repr(value))
