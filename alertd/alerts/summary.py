"""The alerts of a period in numbers. Reads only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from alertd.config import CHECK_NAMES
from alertd.db import Sql

CREDENTIALS: Final = "credential_health_check"
Standing = Literal["ok", "info", "warning", "critical", "emergency", "no_data"]
PERFORMANCE: Final = tuple(name for name in CHECK_NAMES if name != CREDENTIALS)


@dataclass(frozen=True, slots=True)
class Summary:
    """Alerts that fired in the period, whatever has become of them, and how things stand at its end.

    `breaches` fired in the period and are about performance; `in_a_row` is the longest run of days below
    the expected interval among the subjects for which that is an open alert. `sharpe` is the worst open
    alert about a Sharpe ratio, `ok` without one, `no_data` while no check could judge any. `suppressed`
    alerts were told of so recently that they are not repeated while they stay as they are.
    """

    total: int
    info: int
    warning: int
    critical: int
    emergency: int
    breaches: int
    in_a_row: int
    sharpe: Standing
    suppressed: int


async def summary(sql: Sql, *, since: datetime, now: datetime, quiet: timedelta) -> Summary:
    """After `since`, up to `now`; `quiet` is how long an unchanged alert is not repeated."""
    row = await sql.fetchrow(
        """
        WITH fired AS (
          SELECT severity, check_name
          FROM alerts
          WHERE fired_at > $1 AND fired_at <= $2),
        open AS (
          SELECT rule, severity, details, announced_at
          FROM alerts
          WHERE state = 'firing')
        SELECT (SELECT count(*) FROM fired) AS total,
               (SELECT count(*) FROM fired WHERE severity = 'info') AS info,
               (SELECT count(*) FROM fired WHERE severity = 'warning') AS warning,
               (SELECT count(*) FROM fired WHERE severity = 'critical') AS critical,
               (SELECT count(*) FROM fired WHERE severity = 'emergency') AS emergency,
               (SELECT count(*) FROM fired WHERE check_name = ANY ($3)) AS breaches,
               (SELECT coalesce(max((details ->> 'in_a_row')::integer), 0)
                FROM open
                WHERE rule = 'interval_breaches') AS in_a_row,
               coalesce(
                 (SELECT severity
                  FROM open
                  WHERE rule = 'sharpe'
                  ORDER BY array_position(ARRAY['emergency', 'critical', 'warning', 'info'], severity)
                  LIMIT 1),
                 (SELECT 'ok'
                  FROM occurrences
                  WHERE schedule = ANY ($3) AND state = 'succeeded' AND result ->> 'outcome' <> 'no_data'
                  LIMIT 1),
                 'no_data') AS sharpe,
               (SELECT count(*) FROM open WHERE announced_at > $4) AS suppressed
        """,
        since,
        now,
        list(PERFORMANCE),
        now - quiet,
    )
    assert row is not None  # noqa: S101 - a SELECT without FROM always has a row
    return Summary(**row)
