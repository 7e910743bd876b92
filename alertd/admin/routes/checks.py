"""A check because somebody asks: one try for each key, answered at once. It never lengthens a streak."""

from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from aiohttp import hdrs, web
from pydantic import Field

from alertd.admin import tenant_store
from alertd.admin.access import Permission
from alertd.admin.audit import record
from alertd.admin.daemon import Daemon
from alertd.admin.limits import whole_seconds
from alertd.admin.problems import absent
from alertd.admin.routes.credentials import PermissionsView
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import Answer, Body, Page, Params, Time, Word
from alertd.credentials import listing, notices
from alertd.credentials.listing import Filter
from alertd.credentials.recorder import Recorded
from alertd.credentials.spot_check import check_now
from alertd.model import CredentialType, Reason, Verdict

MOST: Final = 50  # somebody waits for the answer; a sweep of the tenant takes all


class KeysToCheck(Body):
    """Which of the tenant's keys; what is missing does not narrow down."""

    exchange: Word | None = None
    credential_type: CredentialType | None = None
    label: Annotated[str | None, Field(max_length=64, description="Empty: the key without a label.")] = None


class TenantPath(Params):
    """One tenant."""

    tenant_id: UUID


class CheckedView(Answer):
    """What a check said. `error` and `what_to_do` are our words, never the exchange's."""

    id: UUID
    tenant_id: UUID
    exchange: str
    credential_type: CredentialType
    label: str
    verdict: Verdict
    reason: Reason
    error: str | None
    what_to_do: str
    permissions: PermissionsView
    warnings: list[str]
    consecutive_failures: int
    duration_ms: int
    checked_at: Time


async def check_credentials(daemon: Daemon, call: Call[TenantPath, KeysToCheck]) -> Page[CheckedView]:
    """A key that turns out to be deleted in the store is retired, and is not in the answer."""
    tenant_id = call.params.tenant_id
    call.own(tenant_id, "tenant")
    tenant = await tenant_store.find(daemon.db, tenant_id)
    if tenant is None:
        raise absent("tenant")
    if tenant.paused:
        raise web.HTTPConflict(text="This tenant is paused, so its keys are not checked.")
    wanted = await _wanted(daemon, call)
    if call.scope is not None:
        _spare_others(daemon, tenant_id, len(wanted), call.now)
    recorded = await check_now(daemon.sweeper, wanted)
    if not recorded:
        raise _none_such()
    items = sorted(recorded, key=lambda one: one.check.claim.ref.path)
    await record(
        daemon.db,
        call,
        action="credential.check",
        object=f"tenant:{tenant_id}",
        tenant_id=tenant_id,
        after={"checked": [one.check.claim.ref.path for one in items]},
    )
    return Page[CheckedView](items=[_view(one) for one in items], next_cursor=None)


def _spare_others(daemon: Daemon, tenant_id: UUID, keys: int, now: datetime) -> None:
    """An exchange's budget is everybody's, and it locks out our address for the wrong keys of one."""
    wait = daemon.asked.wait(str(tenant_id), now)
    if wait > timedelta():
        text = "These keys were checked many times just now; wait as long as Retry-After says."
        raise web.HTTPTooManyRequests(text=text, headers={hdrs.RETRY_AFTER: str(whole_seconds(wait))})
    daemon.asked.take(str(tenant_id), now, times=keys)


async def _wanted(daemon: Daemon, call: Call[TenantPath, KeysToCheck]) -> list[UUID]:
    wanted = Filter(tenant_id=call.params.tenant_id, **dict(call.body))
    found = await listing.credentials_after(daemon.db, None, wanted, limit=MOST + 1)
    if not found:
        raise _none_such()
    if len(found) > MOST:
        text = f"These are more than {MOST} keys; name an exchange, a type or a label, or start a sweep of the tenant."
        raise web.HTTPUnprocessableEntity(text=text)
    return [credential.id for credential in found]


def _none_such() -> web.HTTPNotFound:
    return web.HTTPNotFound(text="This tenant has no such credential.")


def _view(recorded: Recorded) -> CheckedView:
    check = recorded.check
    ref, result = check.claim.ref, check.result
    return CheckedView(
        id=check.claim.id,
        tenant_id=ref.tenant_id,
        exchange=ref.exchange,
        credential_type=ref.credential_type,
        label=ref.label,
        verdict=result.verdict,
        reason=result.reason,
        error=check.error,
        what_to_do=notices.what_to_do(ref, result.reason),
        permissions=PermissionsView.model_validate(result.permissions),
        warnings=[str(warning) for warning in result.warnings],
        consecutive_failures=recorded.memory.streak,
        duration_ms=round(result.exchange_seconds * 1000),
        checked_at=check.checked_at,
    )


ROUTES: Final = (
    Route(
        method="POST",
        path="/api/v1/credentials/{tenant_id}/check",
        handler=check_credentials,
        permission=Permission.TRIGGER_MANUAL,
        tenant_scoped=True,
        summary="Check keys of one tenant now",
        params=TenantPath,
        body=KeysToCheck,
        answer=Page[CheckedView],
    ),
)
