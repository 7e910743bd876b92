"""A sealed file that was sealed anew has another version and the same secret: no streak starts again because of it."""

from collections.abc import Mapping

from alertd.db import Sql


async def follow_versions(sql: Sql, versions: Mapping[str, str]) -> None:
    """`versions` leads from the old to the new one; they are fingerprints, each of one secret only."""
    await sql.execute(
        """
        UPDATE credentials c
        SET secret_version = v.after
        FROM unnest($1::text[], $2::text[]) AS v (before, after)
        WHERE c.secret_version = v.before
        """,
        list(versions.keys()),
        list(versions.values()),
    )
