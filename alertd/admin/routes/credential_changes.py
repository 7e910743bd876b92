"""Keys stored and removed by people. A key that its exchange does not accept is not stored, and none is shown."""

from collections.abc import Mapping
from typing import Annotated, Final

from aiohttp import hdrs, web
from pydantic import Field, JsonValue

from alertd.admin.access import Permission
from alertd.admin.audit import record
from alertd.admin.daemon import Daemon
from alertd.admin.limits import whole_seconds
from alertd.admin.problems import Flaw, Invalid, absent, problem, wrong
from alertd.admin.routes.credentials import ONE, CredentialPath, CredentialView, PermissionsView
from alertd.admin.routing import Call, Reply, Route
from alertd.admin.shapes import Answer, Body, NoBody
from alertd.credentials import inventory_store, keeping_store, listing, notices
from alertd.credentials.keeping import PATIENCE, asked, stored_fields
from alertd.credentials.listing import Credential
from alertd.errors import Absent, Refused
from alertd.model import CheckResult, CredentialRef, Reason, Secret, Verdict
from alertd.secretstore import Skipped, parse
from alertd.secretstore.layout import exchange_fault, leaf_fault, secret_of

Hidden = Annotated[str, Field(max_length=16_384, repr=False)]

_LATER: Final = "Try again later, or store it as it is with `?unverified=true`."
_UNSUPPORTED: Final = (
    "Is the exchange's id spelt as in ccxt, and is it switched on? If so, store the key with `?unverified=true`."
)


class KeyToStore(Body):
    """A key as its exchange gave it out. What is missing here is removed from what is stored."""

    api_key: Hidden
    api_secret: Hidden
    passphrase: Hidden = ""
    testnet: Annotated[bool, Field(description="A key of the exchange's test environment.")] = False
    metadata: Annotated[dict[str, JsonValue], Field(default_factory=dict, repr=False)]


class StoringPath(CredentialPath):
    """Where the key is stored."""

    unverified: Annotated[bool, Field(description="Store it without asking the exchange.")] = False


class AcceptedView(Answer):
    """What an exchange said of a key that it accepts."""

    permissions: PermissionsView
    warnings: list[str]


class StoredView(CredentialView):
    """A key that is stored, and due to be checked at once. `accepted` null: the exchange was not asked."""

    accepted: AcceptedView | None


async def store_credential(daemon: Daemon, call: Call[StoringPath, KeyToStore]) -> Reply | web.Response:
    ref, secret = _place(call.params), _secret(call.body)
    await _is_stored(daemon, ref)  # before anybody is asked: a store that is down keeps nothing
    result = None if call.params.unverified else await asked(ref, secret, daemon.sweeper.outside.ask)
    if result is not None and result.verdict is not Verdict.VALID:
        return _not_stored(ref, result, request_id=call.request_id)
    async with daemon.db.transaction() as tx:
        before = await listing.find(tx, ref)
        await record(
            tx,
            call,
            action="credential.put",
            object=f"credential:{ref.path}",
            tenant_id=ref.tenant_id,
            before=_told(before),
            after={"verified": result is not None, "testnet": secret.testnet},
        )
        version = await _write(daemon, ref, secret)
        await keeping_store.renew(tx, ref, version, call.now)
        credential = await listing.find(tx, ref)
    daemon.secrets.forget(ref)
    daemon.sweeper.wake()
    view = StoredView(**dict(CredentialView.model_validate(credential)), accepted=_accepted(result))
    return Reply(view, status=201 if before is None or before.retired_at is not None else 200)


async def remove_credential(daemon: Daemon, call: Call[CredentialPath, NoBody]) -> None:
    """Known and not stored, or stored and not known yet: either is reason enough to make sure of both."""
    params = call.params
    ref = parse(f"{params.tenant_id}/exchanges/{params.exchange}/{params.leaf}")
    if isinstance(ref, Skipped):
        raise absent("credential")
    stored = await _is_stored(daemon, ref)
    async with daemon.db.transaction() as tx:
        credential = await listing.find(tx, ref)
        known = credential is not None and credential.retired_at is None
        if not known and not stored:
            raise absent("credential")
        if credential is not None:
            await inventory_store.retire(tx, [credential.id], call.now)
        await record(
            tx,
            call,
            action="credential.delete",
            object=f"credential:{ref.path}",
            tenant_id=ref.tenant_id,
            before=_told(credential),
        )
        if stored:
            await _remove(daemon, ref)


def _place(params: CredentialPath) -> CredentialRef:
    """Raises 422 for names that no key can have."""
    faults = {"exchange": exchange_fault(params.exchange), "leaf": leaf_fault(params.leaf)}
    if any(faults.values()):
        raise Invalid([Flaw(where, why) for where, why in faults.items() if why])
    ref = parse(f"{params.tenant_id}/exchanges/{params.exchange}/{params.leaf}")
    assert isinstance(ref, CredentialRef)  # noqa: S101 - nothing is wrong with its names
    return ref


def _secret(body: KeyToStore) -> Secret:
    """Trimmed of what pasting leaves around a value. Raises 422 for what is blank then."""
    secret = secret_of(body.model_dump(), version="")
    for name in ("api_key", "api_secret"):
        if not getattr(secret, name):
            raise wrong(f"/{name}", "must not be blank")
    return secret


async def _is_stored(daemon: Daemon, ref: CredentialRef) -> bool:
    """Raises StoreDown."""
    try:
        await daemon.secrets.version(ref)
    except Absent:
        return False
    except Refused:
        return True  # something is there that we may not look at
    return True


async def _write(daemon: Daemon, ref: CredentialRef, secret: Secret) -> str:
    try:
        return await daemon.secrets.write(ref, stored_fields(secret))
    except Refused:
        raise Refused("The secret store does not let us write there; grant us `create` and `update`.") from None


async def _remove(daemon: Daemon, ref: CredentialRef) -> None:
    try:
        await daemon.secrets.remove(ref)
    except Refused:
        raise Refused("The secret store does not let us delete there; grant us `delete`.") from None


def _not_stored(ref: CredentialRef, result: CheckResult, *, request_id: str) -> web.Response:
    """422 where another key or another name is needed, 503 where nobody can tell at the moment."""
    advice = notices.what_to_do(ref, result.reason) or _LATER
    headers: dict[str, str] = {}
    if result.reason is Reason.UNSUPPORTED_EXCHANGE:
        advice = _UNSUPPORTED
    elif result.verdict is Verdict.INCONCLUSIVE:
        headers = {str(hdrs.RETRY_AFTER): str(whole_seconds(result.retry_after or PATIENCE))}
    return problem(
        503 if headers else 422,
        f"Nothing was stored. {notices.error(ref, result)}",
        headers=headers,
        request_id=request_id,
        reason=str(result.reason),
        what_to_do=advice,
    )


def _accepted(result: CheckResult | None) -> AcceptedView | None:
    if result is None:
        return None
    permissions = PermissionsView.model_validate(result.permissions)
    return AcceptedView(permissions=permissions, warnings=[str(warning) for warning in result.warnings])


def _told(credential: Credential | None) -> Mapping[str, str | None] | None:
    """What the audit log keeps of how a key stood; None: it was not there."""
    if credential is None or credential.retired_at is not None:
        return None
    return {"verdict": credential.verdict, "reason": credential.reason}


ROUTES: Final = (
    Route(
        method="PUT",
        path=ONE,
        handler=store_credential,
        permission=Permission.CONFIGURE,
        summary="Store a key, in place of an earlier one, if its exchange accepts it; else nothing is stored",
        params=StoringPath,
        body=KeyToStore,
        answer=StoredView,
        others={201: StoredView},
    ),
    Route(
        method="DELETE",
        path=ONE,
        handler=remove_credential,
        permission=Permission.CONFIGURE,
        summary="Delete a key in the secret store, and check it no more; its history stays",
        params=CredentialPath,
        status=204,
    ),
)
