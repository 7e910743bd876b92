"""Where keys lie in a store and what their fields mean: paths to refs and back, fields to secrets. Pure.

`{tenant_id}/exchanges/{exchange}/{leaf}`; the leaf is `trading` or `readonly`, alone or with a label.
Names are read strictly, because a name is written back into a path; values are read kindly, because
people paste them.
"""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from alertd.errors import Refused
from alertd.model import CredentialRef, CredentialType, Secret

EXCHANGE: Final = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
LABEL: Final = re.compile(r"[A-Za-z0-9_-]([A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?", re.ASCII)
SHOWN_CHARACTERS: Final = 200
# What editors and chat programs leave around a pasted value, and `str.strip` does not know.
INVISIBLE: Final = "\ufeff\u200b\u200c\u200d\u2060"
TRUE_WORDS: Final = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something in the store that is no credential, and why; `path` is below the store's prefix."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a walk of the store found, each part in the order of its paths.

    Credentials are kept as paths: a hundred thousand objects would be walked through, at one go, by each
    full run of the garbage collector, and it does not look at strings.
    """

    paths: tuple[str, ...]
    skipped: tuple[Skipped, ...] = ()

    @property
    def refs(self) -> tuple[CredentialRef, ...]:
        """All of them at once."""
        return tuple(listed(path) for path in self.paths)


def tenant_fault(folder: str) -> str:
    """Why `folder` cannot be a tenant's; empty if it can."""
    try:
        canonical = str(UUID(folder))
    except ValueError:
        return "the folder's name is not a UUID"
    return "" if folder == canonical else "a UUID must be written in lower case with hyphens"


def exchange_fault(folder: str) -> str:
    """Why `folder` cannot be an exchange's; empty if it can."""
    if EXCHANGE.fullmatch(folder):
        return ""
    return "an exchange id has 1 to 64 characters out of a-z 0-9 _ -"


def leaf_fault(leaf: str) -> str:
    """Why `leaf` cannot name a credential; empty if it can."""
    kind, dot, label = leaf.partition(".")
    if kind not in set(CredentialType):
        return "the name is neither trading nor readonly, alone or followed by a dot and a label"
    if dot and not LABEL.fullmatch(label):
        return "a label has 1 to 64 characters out of A-Z a-z 0-9 _ - and dots inside"
    return ""


def ref_of(tenant_id: UUID, exchange: str, leaf: str) -> CredentialRef:
    """The ref of names in which none of the `…_fault` functions finds one."""
    kind, _, label = leaf.partition(".")
    return CredentialRef(tenant_id, exchange, CredentialType(kind), label)


def listed(path: str) -> CredentialRef:
    """The ref of a path out of a listing, where everything is known to be in order."""
    tenant, _, exchange, leaf = path.split("/")
    return ref_of(UUID(tenant), sys.intern(exchange), leaf)


def parse(path: str) -> CredentialRef | Skipped:
    """The inverse of `CredentialRef.path`."""
    parts = path.split("/")
    if len(parts) != 4 or parts[1] != "exchanges":
        return Skipped(shown(path), "the path is not {tenant_id}/exchanges/{exchange}/{name}")
    tenant, _, exchange, leaf = parts
    why = tenant_fault(tenant) or exchange_fault(exchange) or leaf_fault(leaf)
    return Skipped(shown(path), why) if why else ref_of(UUID(tenant), exchange, leaf)


def checked_path(ref: CredentialRef) -> str:
    """`ref.path`; Refused if it would lead anywhere but to that credential, as a label with `..` would."""
    why = exchange_fault(ref.exchange) or leaf_fault(ref.leaf)
    if why:
        raise Refused(f"cannot name a credential {shown(ref.path)!r}: {why}")
    return ref.path


def shown(path: str) -> str:
    """A foreign name, fit for logs and tables: short, and without control characters."""
    clean = "".join(c if c.isprintable() else "?" for c in path)
    return clean if len(clean) <= SHOWN_CHARACTERS else clean[: SHOWN_CHARACTERS - 1] + "…"


def secret_of(fields: Mapping[str, object], *, version: str) -> Secret:
    """Reads the fields of one stored key; what is missing or no text becomes an empty string."""
    return Secret(
        api_key=_text(fields.get("api_key")),
        api_secret=_text(fields.get("api_secret")) or _text(fields.get("secret")),
        passphrase=_text(fields.get("passphrase")) or _text(fields.get("password")),
        testnet=_truth(fields.get("testnet")),
        version=version,
        metadata=_mapping(fields.get("metadata")),
    )


def _text(value: object) -> str:
    # A key of digits only is easily stored as a number; true and false are never a key.
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return ""
    text = _trimmed(value)
    return _pem(text) if "-----BEGIN" in text else text


def _pem(text: str) -> str:
    """Real line ends: a PEM copied out of a JSON file has them as a backslash and a letter."""
    unescaped = text.replace("\\r\\n", "\n").replace("\\n", "\n").replace("\r\n", "\n")
    return "\n".join(line.strip() for line in _trimmed(unescaped).split("\n"))


def _trimmed(text: str) -> str:
    # Twice from both sides: an invisible character may hide a space, and a space an invisible character.
    before = ""
    while before != text:
        before, text = text, text.strip().strip(INVISIBLE)
    return text


def _truth(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in TRUE_WORDS
    return value is True or (isinstance(value, int) and value != 0)


def _mapping(value: object) -> dict[str, object]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return {str(k): v for k, v in value.items()} if isinstance(value, Mapping) else {}
