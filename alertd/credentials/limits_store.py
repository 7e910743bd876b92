"""SQL of the request budgets: one row for each exchange, shared by every process on this database."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alertd.db import Db
from alertd.model import Reason

# How often a wait can double.
DOUBLINGS: Final = 16


@dataclass(frozen=True, slots=True)
class Standing:
    """How an exchange stands: how long it is backed off and why, and how often in a row it was."""

    until: datetime | None = None
    reason: Reason | None = None
    backoffs: int = 0


async def reserve(
    db: Db, exchange: str, *, now: datetime, span: timedelta, horizon: timedelta
) -> tuple[datetime, Standing]:
    """Speaks for `span` of the exchange's time and answers when it starts.

    `horizon` bounds how far ahead time may be spoken for: a clock that was once wrong must not stop
    an exchange for good.
    """
    row = await db.fetchrow(
        """
        INSERT INTO exchange_budgets AS b (exchange, reserved_until)
        VALUES ($1, $2::timestamptz + $3::interval)
        ON CONFLICT (exchange) DO UPDATE
        SET reserved_until = least(greatest(b.reserved_until, $2), $2 + $4::interval) + $3
        RETURNING reserved_until - $3 AS starts_at, backed_off_until, backed_off_reason, backoffs
        """,
        exchange,
        now,
        span,
        horizon,
    )
    if row is None:
        raise AssertionError("an upsert returns its row")
    return row["starts_at"], Standing(row["backed_off_until"], _reason(row["backed_off_reason"]), row["backoffs"])


async def back_off(
    db: Db, exchange: str, *, now: datetime, wait: timedelta, ceiling: timedelta, reason: Reason
) -> Standing:
    """Nobody asks the exchange for `wait`, doubled for each time in a row up to `ceiling`.

    Answers to requests that were under way together count as one time.
    """
    row = await db.fetchrow(
        """
        INSERT INTO exchange_budgets AS b (exchange, reserved_until, backed_off_until, backed_off_reason, backoffs)
        VALUES ($1, $2::timestamptz, $2::timestamptz + $3::interval, $4, 1)
        ON CONFLICT (exchange) DO UPDATE
        SET backed_off_until = CASE
              WHEN b.backed_off_until > $2 THEN greatest(b.backed_off_until, $2 + $3)
              ELSE $2 + greatest($3, least($3 * power(2, least(b.backoffs, $6::int)), $5::interval))
            END,
            backed_off_reason = CASE
              WHEN b.backed_off_until >= $2 + $3 THEN b.backed_off_reason
              ELSE $4
            END,
            backoffs = CASE
              WHEN b.backed_off_until > $2 THEN b.backoffs
              ELSE b.backoffs + 1
            END
        RETURNING backed_off_until, backed_off_reason, backoffs
        """,
        exchange,
        now,
        wait,
        str(reason),
        ceiling,
        DOUBLINGS,
    )
    if row is None:
        raise AssertionError("an upsert returns its row")
    return Standing(row["backed_off_until"], _reason(row["backed_off_reason"]), row["backoffs"])


async def recover(db: Db, exchange: str, *, now: datetime) -> None:
    """The exchange answers again: the next wait starts small."""
    await db.execute(
        """
        UPDATE exchange_budgets
        SET backoffs = 0
        WHERE exchange = $1
          AND backoffs > 0
          AND backed_off_until <= $2
        """,
        exchange,
        now,
    )


def _reason(text: str | None) -> Reason | None:
    return Reason(text) if text is not None else None
