"""SQL of forgetting what checks said and what rows said before, in small batches; never how a subject stands now."""

from datetime import datetime

from alertd.db import Sql


async def prune_evaluations(sql: Sql, *, before: datetime, batch: int) -> int:
    """Delete one batch of evaluations as of a time `before`, except the newest of each check; how many."""
    return await sql.execute(
        """
        DELETE FROM performance_evaluations
        WHERE (subject_id, check_name, as_of) IN (
          SELECT e.subject_id, e.check_name, e.as_of
          FROM performance_evaluations e
          WHERE e.as_of < $1
            AND EXISTS (
              SELECT
              FROM performance_evaluations n
              WHERE n.subject_id = e.subject_id AND n.check_name = e.check_name AND n.as_of > e.as_of)
          ORDER BY e.as_of
          LIMIT $2
          FOR UPDATE OF e SKIP LOCKED)
        """,
        before,
        batch,
    )


async def prune_projections(sql: Sql, *, before: datetime, batch: int) -> int:
    """Delete one batch of projections that were made `before`, except each subject's newest; how many."""
    return await sql.execute(
        """
        DELETE FROM performance_projections
        WHERE (subject_id, made_on) IN (
          SELECT p.subject_id, p.made_on
          FROM performance_projections p
          WHERE p.made_at < $1
            AND EXISTS (
              SELECT FROM performance_projections n WHERE n.subject_id = p.subject_id AND n.made_on > p.made_on)
          ORDER BY p.made_at
          LIMIT $2
          FOR UPDATE OF p SKIP LOCKED)
        """,
        before,
        batch,
    )


async def prune_revisions(sql: Sql, *, before: datetime, batch: int) -> int:
    """Delete one batch of what was replaced `before`; how many."""
    return await sql.execute(
        """
        DELETE FROM performance_revisions
        WHERE id IN (
          SELECT id
          FROM performance_revisions
          WHERE replaced_at < $1
          ORDER BY replaced_at
          LIMIT $2
          FOR UPDATE SKIP LOCKED)
        """,
        before,
        batch,
    )
