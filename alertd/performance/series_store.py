"""SQL of rows that may be sent again: the same changes nothing, another value replaces and is remembered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from alertd.db import Sql

Key = tuple[UUID, object]  # the subject, and what tells its rows apart
Values = Sequence[object]


@dataclass(frozen=True, slots=True)
class Series:
    """A table of such rows: the column that tells a subject's rows apart, and the others, with their SQL types.

    Of `others` the first `compared` make a row a different one.
    """

    table: str
    kind: str
    key: tuple[str, str]
    others: tuple[tuple[str, str], ...]
    compared: int


RETURNS: Final = Series(
    "performance_returns",
    "return",
    ("day", "date"),
    (("value", "double precision"), ("span_days", "integer"), ("confidence", "text")),
    3,
)
EQUITY: Final = Series(
    "performance_equity",
    "equity",
    ("at", "timestamptz"),
    (("equity", "double precision"), ("quality", "text"), ("source", "text"), ("remark", "text")),
    1,
)
FLOWS: Final = Series(
    "performance_flows",
    "flow",
    ("flow_id", "text"),
    (("at", "timestamptz"), ("amount", "double precision")),
    2,
)
WINDOWS: Final = Series(
    "performance_windows",
    "window",
    ("first_day", "date"),
    (("last_day", "date"), ("in_sample", "double precision"), ("out_of_sample", "double precision")),
    3,
)


@dataclass(frozen=True, slots=True)
class Changes:
    """What was done: the keys of new rows, and of replaced ones what they said before."""

    inserted: frozenset[Key] = frozenset()
    replaced: Mapping[Key, Values] = field(default_factory=dict)
    unchanged: int = 0

    @property
    def keys(self) -> frozenset[Key]:
        """Of all rows that are not as they were."""
        return self.inserted | self.replaced.keys()


async def put(tx: Sql, series: Series, rows: Mapping[Key, Values], *, by: str, now: datetime) -> Changes:
    """Insert what is new and replace what differs. The subjects must be locked."""
    earlier = await _stored(tx, series, rows)
    same = {key for key, (values, _) in earlier.items() if _alike(series, values, rows[key])}
    replaced = {key: values for key, (values, _) in earlier.items() if key not in same}
    await _remember(tx, series, {key: earlier[key] for key in replaced}, by=by, now=now)
    await _write(tx, series, {key: values for key, values in rows.items() if key not in same}, now)
    return Changes(frozenset(rows.keys() - earlier.keys()), replaced, len(same))


async def drop(tx: Sql, series: Series, keys: Iterable[Key], *, by: str, now: datetime) -> None:
    """Rows that do not hold any more; what they said is remembered."""
    wanted = list(keys)
    await _remember(tx, series, await _stored(tx, series, wanted), by=by, now=now)
    await tx.execute(
        f"""
        DELETE FROM {series.table} t
        USING unnest($1::uuid[], $2::{series.key[1]}[]) AS gone (subject_id, key)
        WHERE t.subject_id = gone.subject_id AND t.{series.key[0]} = gone.key
        """,  # noqa: S608 - constants
        *_columns(wanted, 2),
    )


async def _stored(tx: Sql, series: Series, keys: Iterable[Key]) -> dict[Key, tuple[Values, int]]:
    columns = ", ".join(f"t.{name}" for name, _ in series.others)
    rows = await tx.fetch(
        f"""
        SELECT t.subject_id, t.{series.key[0]}, t.revision, {columns}
        FROM unnest($1::uuid[], $2::{series.key[1]}[]) AS wanted (subject_id, key)
        JOIN {series.table} t ON t.subject_id = wanted.subject_id AND t.{series.key[0]} = wanted.key
        """,  # noqa: S608 - constants
        *_columns(keys, 2),
    )
    return {(subject_id, key): (values, revision) for subject_id, key, revision, *values in rows}


async def _write(tx: Sql, series: Series, rows: Mapping[Key, Values], now: datetime) -> None:
    if not rows:
        return
    names = ", ".join(name for name, _ in series.others)
    arrays = ", ".join(f"${place}::{kind}[]" for place, (_, kind) in enumerate(series.others, start=4))
    await tx.execute(
        f"""
        INSERT INTO {series.table} AS t (subject_id, {series.key[0]}, {names}, received_at)
        SELECT sent.*, $1
        FROM unnest($2::uuid[], $3::{series.key[1]}[], {arrays}) AS sent
        ON CONFLICT (subject_id, {series.key[0]}) DO UPDATE
        SET {", ".join(f"{name} = excluded.{name}" for name, _ in series.others)},
            revision = t.revision + 1,
            received_at = excluded.received_at
        """,  # noqa: S608 - constants
        now,
        *_columns(((*key, *values) for key, values in rows.items()), 2 + len(series.others)),
    )


async def _remember(
    tx: Sql, series: Series, earlier: Mapping[Key, tuple[Values, int]], *, by: str, now: datetime
) -> None:
    names = [name for name, _ in series.others]
    await tx.executemany(
        """
        INSERT INTO performance_revisions (subject_id, kind, key, revision, earlier, replaced_at, replaced_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        [
            (
                subject_id,
                series.kind,
                _plain(key),
                revision,
                dict(zip(names, map(_plain, values), strict=True)),
                now,
                by,
            )
            for (subject_id, key), (values, revision) in earlier.items()
        ],
    )


def _alike(series: Series, stored: Values, sent: Values) -> bool:
    return list(stored[: series.compared]) == list(sent[: series.compared])


def _columns(rows: Iterable[Sequence[object]], count: int) -> list[list[object]]:
    """Rows as columns, which one statement takes as arrays."""
    turned = [list(column) for column in zip(*rows, strict=True)]
    return turned or [[] for _ in range(count)]


def _plain(value: object) -> object:
    """As JSON has it."""
    return value.isoformat() if isinstance(value, date) else value
