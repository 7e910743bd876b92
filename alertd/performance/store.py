"""SQL of what checks are given: many subjects at once, each kind of data in one statement.

Days and readings are many: they come as one row of arrays for each subject, and the stats thread makes
values of them, because the event loop must not be held.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum, auto
from typing import Final
from uuid import UUID

import numpy as np

from alertd.db import Row, Sql
from alertd.performance.days import DAY, DayBoundary
from alertd.performance.projection import PROJECTIONS, Projection
from alertd.performance.reference import BASELINES, Reference, ReferenceKind
from alertd.performance.returns import Confidence, DailyReturn, Flow, Quality, Snapshot
from alertd.performance.stats.drawdown import DrawdownMode
from alertd.performance.stats_thread import in_stats_thread
from alertd.performance.subject import LimitTerms, LossBasis, Subject, ValidationWindow
from alertd.performance.track import TRACKS, Track
from alertd.performance.watched import Kind, ReturnsFrom, Watched

COLUMNS: Final = """
  s.id, s.tenant_id, s.kind, s.name, s.currency, s.timezone, s.cutoff, s.returns_from, s.equity_every,
  s.counts_from, s.credential_id, s.revisions
"""
RECENT_DAYS: Final = timedelta(days=365)  # in which there are 180 usable ones, or too many are missing
FIRST_DAY: Final = date(1970, 1, 1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class DaysWanted(Enum):
    """Which daily returns a check needs."""

    NEW = auto()  # those behind its track
    RECENT = auto()  # of the last year
    ALL = auto()  # since the reference became active
    EVERY = auto()  # whatever they are held against: a limit forgets nothing when a reference comes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a check needs of a subject besides its reference, limits and track."""

    days: DaysWanted
    equity: bool = False
    windows: bool = False
    projection: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """A track under one version of its reference, None when it must be replayed.

    `accepted_on` is the day up to which a person accepted the drift.
    """

    reference_version: int
    track: Track | None
    accepted_on: date | None


async def watched_after(
    sql: Sql, after: UUID | None, *, among: Collection[UUID] | None = None, limit: int
) -> list[Watched]:
    """In the order of their ids, those after this one whose tenant is not paused; `among` None: of all."""
    rows = await sql.fetch(
        f"""
        SELECT {COLUMNS}
        FROM performance_subjects s
        JOIN tenants t ON t.id = s.tenant_id
        WHERE ($1::uuid IS NULL OR s.id > $1)
          AND NOT t.paused
          AND ($3::uuid[] IS NULL OR s.id = ANY ($3))
        ORDER BY s.id
        LIMIT $2
        """,  # noqa: S608 - a constant
        after,
        limit,
        None if among is None else list(among),
    )
    return [watched_of(row) for row in rows]


async def load(sql: Sql, batch: Sequence[Watched], wanted: Wanted, now: datetime) -> Mapping[UUID, Subject]:
    """What was known of these subjects up to `now`, for the judges."""
    ids = [watched.id for watched in batch]
    references = await references_of(sql, ids)
    memories = {
        subject_id: memory
        for subject_id, memory in (await memories_of(sql, ids)).items()
        if memory.reference_version == _version(references.get(subject_id))
    }
    tracks = {subject_id: memory.track for subject_id, memory in memories.items()}
    since = {w.id: _first_day(wanted.days, w, references.get(w.id), tracks.get(w.id), now) for w in batch}
    days = await days_of(sql, since, until=now.date() + DAY)
    counted = {watched.id: watched.counts_from for watched in batch if wanted.equity}
    snapshots = await snapshots_of(sql, counted, until=now)
    flows = await flows_of(sql, counted, until=now)
    windows = await windows_of(sql, ids if wanted.windows else [])
    limits = await limits_of(sql, ids)
    projections = await projections_of(sql, ids if wanted.projection else [], until=now.date())
    return {
        watched.id: Subject(
            reference=references.get(watched.id),
            days=days.get(watched.id, ()),
            track=tracks.get(watched.id),
            accepted_on=memories[watched.id].accepted_on if watched.id in memories else None,
            projection=projections.get(watched.id),
            snapshots=snapshots.get(watched.id, ()),
            flows=flows.get(watched.id, ()),
            windows=windows.get(watched.id, ()),
            boundary=watched.boundary,
            limits=limits.get(watched.id, LimitTerms()),
            equity_every=watched.equity_every,
            seed=watched.seed(_version(references.get(watched.id))),
        )
        for watched in batch
    }


def _version(reference: Reference | None) -> int:
    return 0 if reference is None else reference.version


def _first_day(
    wanted: DaysWanted, watched: Watched, reference: Reference | None, track: Track | None, now: datetime
) -> date:
    active = FIRST_DAY if reference is None else reference.active_from
    match wanted:
        case DaysWanted.EVERY:
            return FIRST_DAY if watched.counts_from is None else watched.boundary.day_of(watched.counts_from)
        case DaysWanted.NEW if reference is not None and track is not None and track.as_of is not None:
            return track.as_of + DAY
        case DaysWanted.RECENT:
            return max(active, now.date() - RECENT_DAYS)
        case _:
            return active


async def references_of(sql: Sql, ids: Iterable[UUID]) -> Mapping[UUID, Reference]:
    """The version that counts, which is the highest."""
    rows = await sql.fetch(
        """
        SELECT DISTINCT ON (subject_id) subject_id, version, kind, active_from, baseline, returns
        FROM performance_references
        WHERE subject_id = ANY ($1)
        ORDER BY subject_id, version DESC
        """,
        list(ids),
    )
    return {row["subject_id"]: reference_of(row) for row in rows}


async def days_of(sql: Sql, since: Mapping[UUID, date], *, until: date) -> Mapping[UUID, Sequence[DailyReturn]]:
    """Each subject's days from its date on, both ends included, in order."""
    rows = await sql.fetch(
        """
        SELECT r.subject_id,
               array_agg(r.day - '0001-01-01'::date + 1 ORDER BY r.day) AS ordinals,
               array_agg(r.value ORDER BY r.day) AS values,
               array_agg(r.span_days ORDER BY r.day) AS spans,
               array_agg(r.confidence ORDER BY r.day) AS confidences
        FROM unnest($1::uuid[], $2::date[]) AS wanted (id, since)
        JOIN performance_returns r ON r.subject_id = wanted.id AND r.day >= wanted.since
        WHERE r.day <= $3
        GROUP BY r.subject_id
        """,
        list(since),
        list(since.values()),
        until,
    )
    return await in_stats_thread(lambda: {subject_id: _days(*columns) for subject_id, *columns in rows})


def _days(
    ordinals: Iterable[int], values: Iterable[float], spans: Iterable[int], confidences: Iterable[str]
) -> list[DailyReturn]:
    return [
        DailyReturn(date.fromordinal(ordinal), value, span_days, Confidence(confidence))
        for ordinal, value, span_days, confidence in zip(ordinals, values, spans, confidences, strict=True)
    ]


async def snapshots_of(
    sql: Sql, since: Mapping[UUID, datetime | None], *, until: datetime
) -> Mapping[UUID, Sequence[Snapshot]]:
    """Each subject's readings of every quality from its time on, both ends included, in order."""
    rows = await sql.fetch(
        """
        SELECT e.subject_id,
               array_agg((extract(epoch FROM e.at) * 1000000)::bigint ORDER BY e.at) AS microseconds,
               array_agg(e.equity ORDER BY e.at) AS equities,
               array_agg(e.quality ORDER BY e.at) AS qualities
        FROM unnest($1::uuid[], $2::timestamptz[]) AS wanted (id, since)
        JOIN performance_equity e ON e.subject_id = wanted.id AND e.at >= coalesce(wanted.since, '-infinity')
        WHERE e.at <= $3
        GROUP BY e.subject_id
        """,
        list(since),
        list(since.values()),
        until,
    )
    return await in_stats_thread(lambda: {subject_id: _snapshots(*columns) for subject_id, *columns in rows})


def _snapshots(microseconds: Iterable[int], equities: Iterable[float], qualities: Iterable[str]) -> list[Snapshot]:
    return [
        Snapshot(EPOCH + timedelta(microseconds=after), equity, Quality(quality))
        for after, equity, quality in zip(microseconds, equities, qualities, strict=True)
    ]


async def flows_of(
    sql: Sql, since: Mapping[UUID, datetime | None], *, until: datetime
) -> Mapping[UUID, Sequence[Flow]]:
    """Each subject's flows from its time on, both ends included, in order; cancelled ones are none."""
    rows = await sql.fetch(
        """
        SELECT f.subject_id, f.at, f.amount
        FROM unnest($1::uuid[], $2::timestamptz[]) AS wanted (id, since)
        JOIN performance_flows f ON f.subject_id = wanted.id AND f.at >= coalesce(wanted.since, '-infinity')
        WHERE f.at <= $3 AND f.amount <> 0
        ORDER BY f.subject_id, f.at
        """,
        list(since),
        list(since.values()),
        until,
    )
    found: dict[UUID, list[Flow]] = {}
    for subject_id, at, amount in rows:
        found.setdefault(subject_id, []).append(Flow(at, amount))
    return found


async def windows_of(sql: Sql, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[ValidationWindow]]:
    """The oldest first."""
    rows = await sql.fetch(
        """
        SELECT subject_id, in_sample, out_of_sample
        FROM performance_windows
        WHERE subject_id = ANY ($1)
        ORDER BY subject_id, first_day
        """,
        ids,
    )
    found: dict[UUID, list[ValidationWindow]] = {}
    for subject_id, in_sample, out_of_sample in rows:
        found.setdefault(subject_id, []).append(ValidationWindow(in_sample, out_of_sample))
    return found


async def limits_of(sql: Sql, ids: Sequence[UUID]) -> Mapping[UUID, LimitTerms]:
    rows = await sql.fetch(
        """
        SELECT subject_id, mode, basis, initial_capital, drawdown_warning, drawdown_critical, daily_loss_warning,
               daily_loss_critical
        FROM performance_limits
        WHERE subject_id = ANY ($1)
        """,
        ids,
    )
    return {
        subject_id: LimitTerms(DrawdownMode(mode), LossBasis(basis), *terms) for subject_id, mode, basis, *terms in rows
    }


async def memories_of(sql: Sql, ids: Sequence[UUID]) -> Mapping[UUID, Memory]:
    rows = await sql.fetch(
        """
        SELECT subject_id, reference_version, track, accepted_on
        FROM performance_tracks
        WHERE subject_id = ANY ($1)
        """,
        ids,
    )
    return {
        subject_id: Memory(version, None if track is None else TRACKS.validate_python(track), accepted_on)
        for subject_id, version, track, accepted_on in rows
    }


async def projections_of(sql: Sql, ids: Sequence[UUID], *, until: date) -> Mapping[UUID, Projection]:
    """The latest that was made by then, of the reference that counts: another one starts everything again."""
    rows = await sql.fetch(
        """
        SELECT DISTINCT ON (p.subject_id) p.subject_id, p.projection
        FROM performance_projections p
        WHERE p.subject_id = ANY ($1) AND p.made_on <= $2
          AND NOT EXISTS (
            SELECT FROM performance_references r WHERE r.subject_id = p.subject_id AND r.created_at > p.made_at)
        ORDER BY p.subject_id, p.made_on DESC
        """,
        ids,
        until,
    )
    return {subject_id: PROJECTIONS.validate_python(projection) for subject_id, projection in rows}


def watched_of(row: Row) -> Watched:
    """From a row with COLUMNS."""
    return Watched(
        id=row["id"],
        tenant_id=row["tenant_id"],
        kind=Kind(row["kind"]),
        name=row["name"],
        currency=row["currency"],
        boundary=DayBoundary(row["timezone"], row["cutoff"]),
        returns_from=None if row["returns_from"] is None else ReturnsFrom(row["returns_from"]),
        equity_every=row["equity_every"],
        counts_from=row["counts_from"],
        credential_id=row["credential_id"],
        revisions=row["revisions"],
    )


def reference_of(row: Row) -> Reference:
    returns = row["returns"]
    return Reference(
        version=row["version"],
        kind=ReferenceKind(row["kind"]),
        active_from=row["active_from"],
        baseline=BASELINES.validate_python(row["baseline"]),
        returns=None if returns is None else np.array(returns, dtype=np.float64),
    )
