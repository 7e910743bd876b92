"""Why nobody is to hear of an alert that fires: muted, silenced, or explained by another one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from uuid import UUID

from alertd.alerts import silence_store, store
from alertd.alerts.explanation import Decision
from alertd.alerts.identity import Identity
from alertd.alerts.inhibition import Standing, cause
from alertd.alerts.silences import Labels, Silence, first_match
from alertd.db import Tx
from alertd.model import Severity


@dataclass(frozen=True, slots=True)
class Quiet:
    """The decision to tell nobody, and the silence or the alert behind it."""

    decision: Decision
    silence_id: UUID | None = None
    cause_id: UUID | None = None


class Surroundings:
    """What else holds in this transaction: silences, looked up once, and alerts that may be causes.

    `standing` is kept current by who opens and closes alerts; without it no alert is explained by another.
    """

    def __init__(self, tx: Tx, now: datetime, standing: Sequence[Standing] = ()) -> None:
        self._tx = tx
        self._now = now
        self._silences: Sequence[Silence] | None = None
        self._firing = {each.identity for each in standing}
        self._of_tenant: dict[UUID | None, dict[UUID, Standing]] = defaultdict(dict)
        for each in standing:
            self._of_tenant[each.identity.tenant_id][each.id] = each

    def fires(self, identity: Identity) -> bool:
        """Whether this alert fired when the looking around was done."""
        return identity in self._firing

    async def silence_of(self, labels: Labels) -> Silence | None:
        if self._silences is None:
            self._silences = await silence_store.active(self._tx, self._now)
        return first_match(self._silences, labels, self._now)

    def cause_of(self, identity: Identity, severity: Severity, *, depends_on: str | None) -> Standing | None:
        standing = chain(self._of_tenant[None].values(), self._of_tenant[identity.tenant_id].values())
        return cause(identity, severity, depends_on=depends_on, standing=standing)

    def note_told(self, alert_id: UUID, identity: Identity, severity: Severity) -> None:
        """People know of this alert now."""
        self._of_tenant[identity.tenant_id][alert_id] = Standing(alert_id, identity, severity)

    def note_over(self, alert_id: UUID, identity: Identity) -> None:
        self._of_tenant[identity.tenant_id].pop(alert_id, None)


async def surroundings(tx: Tx, tenant_ids: Sequence[UUID], now: datetime) -> Surroundings:
    """For findings about these tenants, of which one may explain another."""
    return Surroundings(tx, now, await store.standing(tx, tenant_ids))


async def kept_quiet(
    around: Surroundings,
    identity: Identity,
    labels: Labels,
    severity: Severity,
    *,
    depends_on: str | None = None,
    aloud: bool = True,
) -> Quiet | None:
    """Why nobody is to hear of this alert now; None: people are told."""
    if not aloud:
        return Quiet(Decision.MUTED)
    silence = await around.silence_of(labels)
    if silence is not None:
        return Quiet(Decision.SILENCED, silence_id=silence.id)
    other = around.cause_of(identity, severity, depends_on=depends_on)
    return None if other is None else Quiet(Decision.INHIBITED, cause_id=other.id)
