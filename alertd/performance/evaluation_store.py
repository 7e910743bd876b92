"""SQL of what checks remember and say: tracks, projections, evaluations. Many subjects in one statement."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter

from alertd.db import Row, Sql
from alertd.performance.findings import Finding, Status
from alertd.performance.projection import PROJECTIONS, Projection
from alertd.performance.track import TRACKS, Track

MOST_MESSAGES: Final = 50
# To and from JSON.
FINDINGS: Final = TypeAdapter(tuple[Finding, ...])
# In rising order of how much somebody should look.
WORSE: Final = (
    Status.OK,
    Status.INFO,
    Status.NO_DATA,
    Status.STALE,
    Status.WARNING,
    Status.CRITICAL,
    Status.EMERGENCY,
)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one check said about one subject as of a time."""

    subject_id: UUID
    check_name: str
    as_of: datetime
    findings: tuple[Finding, ...]

    @property
    def status(self) -> Status:
        """The worst of its findings."""
        return worst(self.findings)


def worst(findings: Iterable[Finding]) -> Status:
    return max((finding.status for finding in findings), key=WORSE.index, default=Status.NO_DATA)


@dataclass(frozen=True, slots=True)
class TrackKept:
    """A subject's track under one version of its reference, computed from days of so many `revisions`."""

    subject_id: UUID
    reference_version: int
    revisions: int
    track: Track


async def keep_tracks(sql: Sql, kept: Iterable[TrackKept], now: datetime) -> None:
    """In place of the earlier ones, but not where days were revised meanwhile: the next run replays those.

    An acceptance lasts as long as the version it was given for.
    """
    await sql.executemany(
        """
        INSERT INTO performance_tracks AS t (subject_id, reference_version, track, updated_at)
        SELECT s.id, $2::integer, $4::jsonb, $5::timestamptz
        FROM performance_subjects s
        WHERE s.id = $1 AND s.revisions = $3
        FOR SHARE
        ON CONFLICT (subject_id) DO UPDATE
        SET track = excluded.track,
            updated_at = excluded.updated_at,
            accepted_on = CASE WHEN t.reference_version = excluded.reference_version THEN t.accepted_on END,
            reference_version = excluded.reference_version
        """,
        [(k.subject_id, k.reference_version, k.revisions, TRACKS.dump_python(k.track, mode="json"), now) for k in kept],
    )


async def accept_drift(tx: Sql, subject_id: UUID, day: date) -> None:
    """A person accepts the drift up to this day, and the track is to be replayed."""
    await tx.execute("UPDATE performance_subjects SET revisions = revisions + 1 WHERE id = $1", subject_id)
    await tx.execute(
        "UPDATE performance_tracks SET accepted_on = $2, track = NULL WHERE subject_id = $1", subject_id, day
    )


async def forget_tracks(tx: Sql, subject_id: UUID, revised: date) -> None:
    """A day that a check may have seen was revised: what has seen it must be replayed, and is not kept."""
    await tx.execute("UPDATE performance_subjects SET revisions = revisions + 1 WHERE id = $1", subject_id)
    await tx.execute(
        """
        UPDATE performance_tracks
        SET track = NULL
        WHERE subject_id = $1 AND (track ->> 'as_of')::date >= $2
        """,
        subject_id,
        revised,
    )


async def keep_projections(sql: Sql, made: Mapping[UUID, Projection], now: datetime) -> None:
    """One that was made on the same day is replaced."""
    await sql.executemany(
        """
        INSERT INTO performance_projections (subject_id, made_on, projection, made_at)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (subject_id, made_on) DO UPDATE
        SET projection = excluded.projection, made_at = excluded.made_at
        """,
        [(subject_id, p.made_on, PROJECTIONS.dump_python(p, mode="json"), now) for subject_id, p in made.items()],
    )


async def lock_for_evaluation(
    tx: Sql, topic: str, check_names: Sequence[str], ids: Sequence[UUID], as_of: datetime
) -> set[UUID]:
    """Those of these subjects that none of the checks has evaluated as of this time or later.

    Until the transaction ends nobody else evaluates this topic, and the subjects stay; they are locked
    in the order of their ids, as everywhere.
    """
    await tx.fetchval("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", topic)
    rows = await tx.fetch(
        """
        SELECT s.id
        FROM performance_subjects s
        WHERE s.id = ANY ($1)
          AND NOT EXISTS (
            SELECT FROM performance_evaluations e
            WHERE e.subject_id = s.id AND e.check_name = ANY ($2) AND e.as_of >= $3)
        ORDER BY s.id
        FOR KEY SHARE OF s
        """,
        ids,
        check_names,
        as_of,
    )
    return {row["id"] for row in rows}


async def with_new_equity(sql: Sql, check_names: Sequence[str], now: datetime) -> Mapping[UUID, datetime]:
    """Subjects, each with the time of its newest reading, which none of these checks has seen."""
    rows = await sql.fetch(
        """
        SELECT s.id, newest.at
        FROM performance_subjects s
        CROSS JOIN LATERAL (
          SELECT e.at
          FROM performance_equity e
          WHERE e.subject_id = s.id AND e.at <= $2
          ORDER BY e.at DESC
          LIMIT 1) newest
        WHERE s.equity_every IS NOT NULL
          AND NOT EXISTS (
            SELECT FROM performance_evaluations v
            WHERE v.subject_id = s.id AND v.check_name = ANY ($1) AND v.as_of >= newest.at)
        """,
        check_names,
        now,
    )
    return {row["id"]: row["at"] for row in rows}


async def open_rules(sql: Sql, check_name: str) -> set[tuple[UUID, str, str]]:
    """Tenant, subject and rule of each alert of this check that is not over."""
    rows = await sql.fetch(
        "SELECT tenant_id, subject, rule FROM alerts WHERE check_name = $1 AND state <> 'resolved'", check_name
    )
    return {(row["tenant_id"], row["subject"], row["rule"]) for row in rows}


async def record_evaluations(sql: Sql, said: Iterable[Evaluation], now: datetime) -> None:
    """A second evaluation as of the same time replaces the first."""
    await sql.executemany(
        """
        INSERT INTO performance_evaluations (subject_id, check_name, as_of, status, findings, evaluated_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (subject_id, check_name, as_of) DO UPDATE
        SET status = excluded.status, findings = excluded.findings, evaluated_at = excluded.evaluated_at
        """,
        [
            (e.subject_id, e.check_name, e.as_of, e.status, FINDINGS.dump_python(e.findings, mode="json"), now)
            for e in said
        ],
    )


async def messages_of(tx: Sql, now: datetime) -> list[Mapping[str, Any]]:
    """The messages about performance that this transaction, whose time is `now`, has queued; up to fifty."""
    rows = await tx.fetch(
        """
        SELECT e.body, e.recipients
        FROM events e
        WHERE e.created_at = $1 AND e.type LIKE 'performance.%'
        ORDER BY e.id
        LIMIT $2
        """,
        now,
        MOST_MESSAGES,
    )
    return [{**json.loads(row["body"]), "endpoints": row["recipients"]} for row in rows]


async def latest_evaluations(sql: Sql, ids: Iterable[UUID]) -> list[Evaluation]:
    """How these subjects stand: of each check the newest."""
    rows = await sql.fetch(
        """
        SELECT DISTINCT ON (subject_id, check_name) subject_id, check_name, as_of, findings
        FROM performance_evaluations
        WHERE subject_id = ANY ($1)
        ORDER BY subject_id, check_name, as_of DESC
        """,
        list(ids),
    )
    return [_evaluation(row) for row in rows]


def _evaluation(row: Row) -> Evaluation:
    return Evaluation(row["subject_id"], row["check_name"], row["as_of"], FINDINGS.validate_python(row["findings"]))
