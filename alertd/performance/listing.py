"""SQL of subjects for people: lists with how each stands, and everything about one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from alertd.db import Row, Sql
from alertd.performance.evaluation_store import WORSE, Evaluation, latest_evaluations
from alertd.performance.findings import Finding, Status
from alertd.performance.reference import ReferenceKind
from alertd.performance.registration import Outlook
from alertd.performance.returns import Quality
from alertd.performance.store import COLUMNS, watched_of
from alertd.performance.watched import Kind, Watched

SUMMARY: Final = """
  days.live_days, days.last_day, reading.at AS last_equity_at, reading.equity AS last_equity,
  reading.quality AS equity_quality, held.version AS reference_version, held.kind AS reference_kind,
  held.active_from, held.registration ->> 'outlook' AS outlook,
  (held.registration ->> 'days')::integer AS reference_days
"""


_JOINS: Final = """
        LEFT JOIN LATERAL (
          SELECT version, kind, active_from, registration
          FROM performance_references r
          WHERE r.subject_id = s.id
          ORDER BY version DESC
          LIMIT 1
        ) held ON true
        LEFT JOIN LATERAL (
          SELECT count(*) FILTER (WHERE d.confidence = 'full') AS live_days, max(d.day) AS last_day
          FROM performance_returns d
          WHERE d.subject_id = s.id AND d.day >= coalesce(held.active_from, '-infinity')
        ) days ON true
        LEFT JOIN LATERAL (
          SELECT at, equity, quality
          FROM performance_equity e
          WHERE e.subject_id = s.id
          ORDER BY at DESC
          LIMIT 1
        ) reading ON true
"""


@dataclass(frozen=True, slots=True)
class Against:
    """The reference of a subject, in short."""

    version: int
    kind: ReferenceKind
    days: int
    active_from: date
    outlook: Outlook


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading of equity, and how far it can be believed."""

    at: datetime
    equity: float
    quality: Quality


@dataclass(frozen=True, slots=True)
class Revision:
    """What a row said before it was replaced: its `key` is its day, instant or id."""

    kind: str
    key: str
    revision: int
    earlier: Mapping[str, str | int | float | None]
    replaced_at: datetime
    replaced_by: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A subject and how it stands: `live_days` are usable returns since its reference became active."""

    watched: Watched
    live_days: int
    last_day: date | None
    reading: Reading | None
    against: Against | None
    evaluations: Sequence[Evaluation]

    @property
    def status(self) -> Status | None:
        """The worst that a check says; None: none has looked yet."""
        return max((said.status for said in self.evaluations), key=WORSE.index, default=None)

    @property
    def waits(self) -> Finding | None:
        """Of the rules that wait for data, the one that has the longest to wait."""
        waiting = [f for said in self.evaluations for f in said.findings if f.have is not None and f.need is not None]
        return max(waiting, key=lambda finding: (finding.need or 0) - (finding.have or 0), default=None)


async def standings(
    sql: Sql, after: UUID | None, *, limit: int, tenant_id: UUID | None = None, kind: Kind | None = None
) -> list[Standing]:
    """In the order of their ids, those after this one."""
    rows = await sql.fetch(
        f"""
        SELECT {COLUMNS}, {SUMMARY}
        FROM (
          SELECT *
          FROM performance_subjects s
          WHERE ($1::uuid IS NULL OR s.id > $1)
            AND ($2::uuid IS NULL OR s.tenant_id = $2)
            AND ($3::text IS NULL OR s.kind = $3)
          ORDER BY s.id
          LIMIT $4
        ) s
        {_JOINS}
        ORDER BY s.id
        """,  # noqa: S608 - constants
        after,
        tenant_id,
        kind,
        limit,
    )
    return await _with_evaluations(sql, rows)


async def standing(sql: Sql, subject_id: UUID, *, tenant_id: UUID | None) -> Standing | None:
    """Of this tenant, or with None of any."""
    rows = await sql.fetch(
        f"""
        SELECT {COLUMNS}, {SUMMARY}
        FROM performance_subjects s
        {_JOINS}
        WHERE s.id = $1 AND ($2::uuid IS NULL OR s.tenant_id = $2)
        """,  # noqa: S608 - constants
        subject_id,
        tenant_id,
    )
    found = await _with_evaluations(sql, rows)
    return found[0] if found else None


async def _with_evaluations(sql: Sql, rows: Sequence[Row]) -> list[Standing]:
    said: dict[UUID, list[Evaluation]] = {row["id"]: [] for row in rows}
    for evaluation in await latest_evaluations(sql, list(said)):
        said[evaluation.subject_id].append(evaluation)
    return [_standing(row, said[row["id"]]) for row in rows]


def _standing(row: Row, evaluations: Sequence[Evaluation]) -> Standing:
    reading = against = None
    if row["last_equity_at"] is not None:
        reading = Reading(row["last_equity_at"], row["last_equity"], Quality(row["equity_quality"]))
    if row["reference_version"] is not None:
        against = Against(
            version=row["reference_version"],
            kind=ReferenceKind(row["reference_kind"]),
            days=row["reference_days"],
            active_from=row["active_from"],
            outlook=Outlook(row["outlook"]),
        )
    return Standing(watched_of(row), row["live_days"], row["last_day"], reading, against, evaluations)


async def latest_readings(sql: Sql, subject_id: UUID, *, limit: int) -> list[Reading]:
    """The latest ones, in the order of time."""
    rows = await sql.fetch(
        """
        SELECT at, equity, quality
        FROM performance_equity
        WHERE subject_id = $1
        ORDER BY at DESC
        LIMIT $2
        """,
        subject_id,
        limit,
    )
    return [Reading(at, equity, Quality(quality)) for at, equity, quality in reversed(rows)]


async def latest_revisions(sql: Sql, subject_id: UUID, *, limit: int) -> list[Revision]:
    """The newest first."""
    rows = await sql.fetch(
        """
        SELECT kind, key, revision, earlier, replaced_at, replaced_by
        FROM performance_revisions
        WHERE subject_id = $1
        ORDER BY id DESC
        LIMIT $2
        """,
        subject_id,
        limit,
    )
    return [Revision(**row) for row in rows]
