"""Who is watched: an account or strategy of a tenant, and how its days and readings come about."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from alertd.performance.days import DayBoundary


class Kind(StrEnum):
    """What a subject is."""

    ACCOUNT = "account"
    STRATEGY = "strategy"


class ReturnsFrom(StrEnum):
    """Where a subject's daily returns come from."""

    PUSHED = "pushed"  # the platform says them
    EQUITY = "equity"  # they follow from equity and flows


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A subject on file. What is None is not known, or not yet.

    `equity_every` is how often a reading should come, `counts_from` when limits began to count, and
    `revisions` how often days were revised: what was computed from days of an earlier count is not kept.
    """

    id: UUID
    tenant_id: UUID
    kind: Kind
    name: str
    currency: str | None = None
    boundary: DayBoundary = field(default_factory=DayBoundary)
    returns_from: ReturnsFrom | None = None
    equity_every: timedelta | None = None
    counts_from: datetime | None = None
    credential_id: UUID | None = None
    revisions: int = 0

    def seed(self, version: int) -> int:
        """Of simulations about one version of its reference: the same every time."""
        return self.id.int + version
