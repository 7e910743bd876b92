"""The stored exchange keys as they stand: their health, each with what to do, and its history."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field

from alertd.admin.access import Permission
from alertd.admin.daemon import Daemon
from alertd.admin.pages import after, page
from alertd.admin.problems import absent
from alertd.admin.routing import Call, Route
from alertd.admin.shapes import Answer, NoBody, Page, PageParams, Params, Time, Word
from alertd.credentials import listing
from alertd.credentials.listing import Credential, Filter, PastCheck
from alertd.model import CredentialType, Reason, Verdict
from alertd.secretstore import Skipped, parse

ONE: Final = "/api/v1/credentials/{tenant_id}/{exchange}/{leaf}"


class PermissionsView(Answer):
    """What a key may do; null: the exchange does not say."""

    read: bool | None
    trade: bool | None
    withdraw: bool | None
    transfer: bool | None
    ip_restricted: bool | None
    expires_at: Time | None


class HealthView(Answer):
    """A key and its last check; before the first one, verdict, reason and duration are null.

    `endpoint_configured`: an endpoint of the tenant listens to failures, and is switched on.
    """

    id: UUID
    tenant_id: UUID
    exchange: str
    credential_type: CredentialType
    label: str
    verdict: Verdict | None
    reason: Reason | None
    permissions: PermissionsView
    warnings: list[str]
    consecutive_failures: int
    duration_ms: int | None
    last_checked_at: Time | None
    last_success_at: Time | None
    first_failure_at: Time | None
    endpoint_configured: bool


class CredentialView(HealthView):
    """A key with everything on file about it, and what to do where it does not work.

    `code` is for operators: status and code of the exchange. `alerting`: its failure was announced.
    `missing_since`: gone from the secret store's listing; `retired_at`: deleted there, not checked any more.
    """

    leaf: str
    error: str | None
    what_to_do: str
    code: str
    alerting: bool
    next_check_at: Time
    missing_since: Time | None
    retired_at: Time | None
    created_at: Time


class PastCheckView(Answer):
    """One check. `webhook_sent`: a message about it was accepted."""

    id: UUID
    checked_at: Time
    verdict: Verdict
    reason: Reason
    error: str | None
    code: str
    permissions: PermissionsView
    warnings: list[str]
    consecutive_failures: int
    duration_ms: int
    sweep_id: UUID | None
    webhook_sent: bool
    webhook_sent_at: Time | None


class HealthListing(PageParams):
    """Which keys to list; those that were deleted in the secret store are not among them."""

    tenant_id: UUID | None = None
    exchange: Word | None = None
    verdict: Verdict | None = None
    reason: Reason | None = None


class CredentialListing(HealthListing):
    """Which keys to list."""

    credential_type: CredentialType | None = None
    label: Annotated[str | None, Field(max_length=64, description="Empty: the key without a label.")] = None
    retired: Annotated[bool, Field(description="Also those that were deleted in the secret store.")] = False


class CredentialPath(Params):
    """One key; `leaf` is `trading` or `readonly`, for further accounts with a label: `trading.main`."""

    tenant_id: UUID
    exchange: str
    leaf: str


class PastCheckListing(PageParams, CredentialPath):
    """The checks of one key."""


async def list_health(daemon: Daemon, call: Call[HealthListing, NoBody]) -> Page[HealthView]:
    return page(call, await _listed(daemon, call), shape=HealthView, mark=_mark)


async def list_credentials(daemon: Daemon, call: Call[CredentialListing, NoBody]) -> Page[CredentialView]:
    return page(call, await _listed(daemon, call), shape=CredentialView, mark=_mark)


async def show_credential(daemon: Daemon, call: Call[CredentialPath, NoBody]) -> CredentialView:
    return CredentialView.model_validate(await _found(daemon, call))


async def list_past_checks(daemon: Daemon, call: Call[PastCheckListing, NoBody]) -> Page[PastCheckView]:
    credential = await _found(daemon, call)
    mark = after(call)
    before = None if mark is None else (datetime.fromisoformat(mark[0]), UUID(mark[1]))
    found = await listing.checks_before(daemon.db, credential.id, before, limit=call.params.limit + 1)
    return page(call, found, shape=PastCheckView, mark=_place)


async def _listed(daemon: Daemon, call: Call[HealthListing, NoBody]) -> list[Credential]:
    mark = after(call)
    asked = call.params.model_dump(exclude={"limit", "cursor", "tenant_id"})
    wanted = Filter(tenant_id=call.within(call.params.tenant_id), **asked)
    after_id = None if mark is None else UUID(mark[0])
    return await listing.credentials_after(daemon.db, after_id, wanted, limit=call.params.limit + 1)


async def _found(daemon: Daemon, call: Call[CredentialPath, NoBody]) -> Credential:
    params = call.params
    call.own(params.tenant_id, "credential")
    ref = parse(f"{params.tenant_id}/exchanges/{params.exchange}/{params.leaf}")
    credential = None if isinstance(ref, Skipped) else await listing.find(daemon.db, ref)
    if credential is None:
        raise absent("credential")
    return credential


def _mark(credential: Credential) -> tuple[str]:
    return (str(credential.id),)


def _place(check: PastCheck) -> tuple[str, str]:
    return check.checked_at.isoformat(), str(check.id)


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/credentials/health",
        handler=list_health,
        permission=Permission.VIEW_STATUS,
        tenant_scoped=True,
        summary="How the keys stand that are checked",
        params=HealthListing,
        answer=Page[HealthView],
        refusals=(404,),
    ),
    Route(
        method="GET",
        path="/api/v1/credentials",
        handler=list_credentials,
        permission=Permission.VIEW_STATUS,
        tenant_scoped=True,
        summary="The keys on file",
        params=CredentialListing,
        answer=Page[CredentialView],
        refusals=(404,),
    ),
    Route(
        method="GET",
        path=ONE,
        handler=show_credential,
        permission=Permission.VIEW_STATUS,
        tenant_scoped=True,
        summary="One key: how it stands, what to do about it, when it is checked next",
        params=CredentialPath,
        answer=CredentialView,
    ),
    Route(
        method="GET",
        path=f"{ONE}/history",
        handler=list_past_checks,
        permission=Permission.VIEW_HISTORY,
        tenant_scoped=True,
        summary="The checks of one key, newest first",
        params=PastCheckListing,
        answer=Page[PastCheckView],
    ),
)
