"""What is new since somebody last looked: events, alerts and sweeps, read from the database. Reads only.

Transactions do not become visible in the order of their ids, so each look goes back a little and leaves
out what was seen there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from alertd.alerts import listing
from alertd.alerts.listing import Alert
from alertd.credentials import sweep_store
from alertd.credentials.sweep_store import Sweep, SweepState
from alertd.db import Row, Sql
from alertd.webhooks.message import event_time, least_event_id

BACK: Final = timedelta(seconds=10)
DECISIONS_BACK: Final = 500
PORTION: Final = 500  # events of one look; the rest comes with the next
SWEEPS: Final = 20  # a sweep that ends was among the newest that began


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is stored: its body is one line of JSON."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class News:
    """In the order in which things are to be told. `decisions` and `newest` are what was looked at for it."""

    events: Sequence[Told]
    alerts: Sequence[Alert] = ()
    sweeps: Sequence[Sweep] = ()
    decisions: Sequence[int] = ()
    newest: Sequence[Sweep] = ()

    def __bool__(self) -> bool:
        """Whether there is something to tell."""
        return bool(self.events or self.alerts or self.sweeps)


class Feed:
    """What one listener has not heard yet.

    `tenant_id` narrows down to one tenant; `events_only` leaves out what is for operators: alerts, sweeps,
    and messages that wait for their release.
    """

    def __init__(self, sql: Sql, *, tenant_id: UUID | None = None, events_only: bool = False) -> None:
        self._sql = sql
        self._tenant_id = tenant_id
        self._events_only = events_only
        self._mark = ""
        self._seen: set[str] = set()
        self._decision = 0
        self._decisions: set[int] = set()
        self._sweeps: dict[UUID, Sweep] = {}

    async def begin(self, now: datetime, *, after: str | None = None) -> None:
        """Whatever is there already counts as heard; with the id of an event, only what is not younger."""
        self._mark = after or least_event_id(now)
        rows = await self._sql.fetch(
            "SELECT id FROM events WHERE id >= $1 AND ($2::text IS NULL OR id <= $2)", _back(self._mark), after
        )
        self._hear([row["id"] for row in rows])
        if self._events_only:
            return
        decisions = await self._sql.fetch("SELECT id FROM alert_log ORDER BY id DESC LIMIT $1", DECISIONS_BACK)
        self._decide([row["id"] for row in decisions])
        over = [sweep for sweep in await self._newest_sweeps() if sweep.state is not SweepState.RUNNING]
        self._sweeps = {sweep.id: sweep for sweep in over}

    async def news(self) -> News:
        """What has come since what was heard last; sweeps that run are new at first. It stays new until it is heard."""
        events = await self._events()
        if self._events_only:
            return News(events)
        decisions = await self._new_decisions()
        newest = await self._newest_sweeps()
        return News(
            events,
            await self._alerts([row["alert_id"] for row in decisions]),
            self._changed(newest),
            [row["id"] for row in decisions],
            newest,
        )

    def heard(self, news: News) -> None:
        """From now on this is not new any more."""
        self._hear([event.id for event in news.events])
        self._decide(news.decisions)
        self._sweeps = {sweep.id: sweep for sweep in news.newest}

    async def _events(self) -> list[Told]:
        rows = await self._sql.fetch(
            """
            SELECT id, body
            FROM events e
            WHERE id >= $1
              AND id <> ALL ($2::text[])
              AND ($3::uuid IS NULL OR tenant_id = $3)
              AND NOT ($4 AND EXISTS (
                SELECT FROM webhook_deliveries d WHERE d.event_id = e.id AND d.state = 'held'))
            ORDER BY id
            LIMIT $5
            """,
            _back(self._mark),
            list(self._seen),
            self._tenant_id,
            self._events_only,
            PORTION,
        )
        return [Told(row["id"], row["body"]) for row in rows]

    def _hear(self, ids: Sequence[str]) -> None:
        self._mark = max(self._mark, *ids, "")
        floor = _back(self._mark)
        self._seen = {each for each in (*self._seen, *ids) if each >= floor}

    async def _new_decisions(self) -> Sequence[Row]:
        return await self._sql.fetch(
            "SELECT id, alert_id FROM alert_log WHERE id > $1 AND id <> ALL ($2::bigint[]) ORDER BY id",
            self._decision - DECISIONS_BACK,
            list(self._decisions),
        )

    async def _alerts(self, decided: Sequence[UUID]) -> list[Alert]:
        """As they stand now, each once, whatever was decided about it meanwhile."""
        alerts = await listing.alerts_of(self._sql, list(dict.fromkeys(decided))) if decided else []
        return [alert for alert in alerts if self._tenant_id in {None, alert.tenant_id}]

    def _decide(self, ids: Sequence[int]) -> None:
        self._decision = max(self._decision, *ids, 0)
        self._decisions = {each for each in (*self._decisions, *ids) if each > self._decision - DECISIONS_BACK}

    def _changed(self, newest: Sequence[Sweep]) -> list[Sweep]:
        changed = [sweep for sweep in newest if self._sweeps.get(sweep.id) != sweep]
        return [sweep for sweep in reversed(changed) if self._tenant_id in {None, sweep.tenant_id}]

    async def _newest_sweeps(self) -> list[Sweep]:
        return await sweep_store.before(self._sql, None, limit=SWEEPS)


def _back(mark: str) -> str:
    """The least id of an event that may still become visible after the one at the mark."""
    return least_event_id(event_time(mark) - BACK)
