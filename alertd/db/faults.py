"""What the driver's errors mean to us: try later, no, or a bug that passes through as it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from alertd.errors import Conflict, Refused, Transient

NOT_NOW: Final = (
    OSError,  # refused, reset, no such host; TimeoutError too
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, statement timeout
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.TransactionRollbackError,  # deadlock, serialization
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby that has not been promoted yet
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.TargetServerAttributeNotMatched,
    asyncpg.InternalClientError,  # an answer that breaks off in the middle of the protocol
)
SCHEMES: Final = ("postgresql", "postgres")
# The driver has no class of its own for a connection, or a pool, that was closed under its user.
CLOSED: Final = ("clos", "released back to the pool")


class Forbidden(Refused):
    """The database forbids our role something: its operator's mistake, and no verdict about a thing."""


def place_of(dsn: str) -> str | None:
    """`host/database` of a DSN for messages, never the user, the password or the options; None if it cannot be one."""
    try:
        parts = urlsplit(dsn)
    except ValueError:
        return None
    # A password with an unquoted slash puts the @, and itself, where the path should be.
    if parts.scheme not in SCHEMES or "@" in parts.path + parts.query + parts.fragment:
        return None
    hosts = parts.netloc.rpartition("@")[2] or ",".join(parse_qs(parts.query).get("host", [])) or "localhost"
    return f"{hosts}/{unquote(parts.path.lstrip('/'))}"


@contextmanager
def our_errors(attempt: str, place: str) -> Iterator[None]:
    """Around one conversation with the server, never around a caller's block: its own OSError is not ours."""
    try:
        yield
    except (asyncpg.UniqueViolationError, asyncpg.DuplicateTableError, asyncpg.DuplicateObjectError) as exc:
        # The detail of the driver's text quotes the row.
        raise Conflict(f"{_named(attempt)} at {place}: {exc.constraint_name or 'it'} is already there") from None
    except asyncpg.InsufficientPrivilegeError as exc:
        raise Forbidden(f"{_named(attempt)} at {place}: {_words(exc)}") from None
    except NOT_NOW as exc:
        raise Transient(f"{_named(attempt)} at {place}: {_words(exc)}") from exc
    except asyncpg.InterfaceError as exc:
        if not any(words in str(exc) for words in CLOSED):
            raise
        raise Transient(f"{_named(attempt)} at {place}: the connection is closed") from exc


def _named(attempt: str) -> str:
    """The first words of a statement; its values travel apart and never show here."""
    words = " ".join(attempt.split())
    return words if len(words) <= 60 else f"{words[:60]}..."


def _words(exc: BaseException) -> str:
    if isinstance(exc, TimeoutError):
        return "no answer in time"
    return str(getattr(exc, "message", None) or str(exc) or type(exc).__name__)
