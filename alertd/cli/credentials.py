"""`alertd credentials`: the stored exchange keys. A secret comes from a prompt or a pipe, and is never printed."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import typer

from alertd.cli.answers import Answer
from alertd.cli.api import Api, open_api, path_to
from alertd.cli.faults import NotDone
from alertd.cli.grouping import grouped
from alertd.cli.key_input import read_fields
from alertd.cli.options import ForTenant, Json, Pages, Where, Yes
from alertd.cli.outcome import confirm, print_json, say
from alertd.cli.showing import Columns, show_list, show_object, show_table
from alertd.credentials import notices
from alertd.credentials.keeping import stored_fields
from alertd.credentials.quirks import EXCHANGES
from alertd.model import CredentialRef, Reason, Verdict, Warn
from alertd.secretstore import Skipped, parse
from alertd.secretstore.layout import secret_of

commands = typer.Typer(no_args_is_help=True, help="The stored exchange keys.")

Tenant = Annotated[UUID, typer.Argument(metavar="TENANT", help="The tenant's UUID.")]
Exchange = Annotated[str, typer.Argument(metavar="EXCHANGE", help="The exchange's id in ccxt: binance, kraken, …")]
Leaf = Annotated[
    str, typer.Argument(metavar="LEAF", help="trading or readonly, for further accounts with a label: trading.main")
]

WARNINGS: Final[Mapping[str, str]] = {
    Warn.CAN_WITHDRAW: "it can withdraw; switch that right off unless it is needed",
    Warn.READONLY_CAN_TRADE: "it can trade, although it is stored as readonly",
    Warn.EXPIRES_SOON: "it expires soon",
    Warn.NO_IP_RESTRICTION: "it works from every address; restrict it to the platform's",
}
RIGHTS: Final = ("read", "trade", "withdraw", "transfer")
CONFIGURE: Final = "alert:configure"
UNSURE: Final = frozenset(reason for reason in Reason if reason.verdict is Verdict.INCONCLUSIVE)
LATER: Final = "Try again later, or store it as it is: --unverified."
MISSPELT: Final = (
    "Is the exchange's id spelt as in ccxt, and is it switched on? If so, store the key with --unverified."
)

COLUMNS: Final[Columns] = {
    "tenant": "tenant_id",
    "exchange": "exchange",
    "key": "leaf",
    "verdict": "verdict",
    "reason": "reason",
    "failures": "consecutive_failures",
    "last checked": "last_checked_at",
    "warnings": "warnings",
}
CHECKED: Final[Columns] = {
    "exchange": "exchange",
    "key": lambda checked: ".".join(filter(None, (checked.text("credential_type"), checked.text("label")))),
    "verdict": "verdict",
    "reason": "reason",
    "failures": "consecutive_failures",
    "ms": "duration_ms",
    "what to do": "what_to_do",
}
PAST: Final[Columns] = {
    "checked": "checked_at",
    "verdict": "verdict",
    "reason": "reason",
    "failures": "consecutive_failures",
    "ms": "duration_ms",
    "told": "webhook_sent",
    "error": "error",
}


@commands.command("list", epilog="Example: alertd credentials list --verdict invalid --json")
@grouped
def list_(
    where: Where,
    pages: Pages,
    tenant: ForTenant = None,
    exchange: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this exchange.")] = None,
    verdict: Annotated[
        Literal["valid", "invalid", "inconclusive"] | None, typer.Option(help="Only those that stand so.")
    ] = None,
    reason: Annotated[str | None, typer.Option(metavar="R", help="Only for this reason: expired, …")] = None,
    *,
    retired: Annotated[bool, typer.Option("--retired", help="Also those that were deleted.")] = False,
    json: Json = False,
) -> None:
    """List the keys that are watched, and how they stand."""
    query = {"tenant_id": tenant, "exchange": exchange, "verdict": verdict, "reason": reason}
    with open_api(where) as api:
        show_list(api, path_to("credentials"), COLUMNS, pages, json=json, **query, retired=retired or None)


@commands.command(epilog="Example: alertd credentials show 7c9e6679-7425-40de-944b-e07fc1f90ae7 binance trading")
@grouped
def show(where: Where, tenant: Tenant, exchange: Exchange, leaf: Leaf, *, json: Json = False) -> None:
    """Show one key: how it stands, what to do about it, when it is checked next."""
    ref = _ref(tenant, exchange, leaf)
    with open_api(where) as api:
        show_object(api.get(_path(ref)), json=json)


@commands.command(
    epilog="Example: alertd credentials put 7c9e6679-7425-40de-944b-e07fc1f90ae7 binance trading < key.json"
)
@grouped
def put(
    where: Where,
    tenant: Tenant,
    exchange: Exchange,
    leaf: Leaf,
    *,
    testnet: Annotated[bool, typer.Option("--testnet", help="A key of the exchange's test environment.")] = False,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Store it also if nobody can tell whether it works.")
    ] = False,
    json: Json = False,
) -> None:
    """Ask the exchange whether it accepts a key, and store it, in place of an earlier one, if it does.

    The key is prompted for, or read from standard input: a JSON object or name=value lines with api_key,
    api_secret, and passphrase where the exchange has one; also testnet and metadata.
    """
    ref = _ref(tenant, exchange, leaf)
    with open_api(where) as api:
        _require_right(api)
        fields = dict(stored_fields(secret_of(read_fields(_asked_for(exchange)), version="")))
        if missing := [name for name in ("api_key", "api_secret") if name not in fields]:
            raise typer.BadParameter(f"{missing[0]} is empty")
        stored = _store(api, ref, fields | ({"testnet": True} if testnet else {}), unverified=unverified)
    if json:
        print_json(stored.raw)
    else:
        _tell(ref, stored)


@commands.command(epilog="Example: alertd credentials check 7c9e6679-7425-40de-944b-e07fc1f90ae7 binance trading")
@grouped
def check(
    where: Where,
    tenant: Tenant,
    exchange: Annotated[str | None, typer.Argument(metavar="[EXCHANGE]", help="Only of this exchange.")] = None,
    leaf: Annotated[str | None, typer.Argument(metavar="[LEAF]", help="Only this key: trading.main")] = None,
    *,
    json: Json = False,
) -> None:
    """Check a tenant's keys now, with one try each; ends with 0 whatever the verdicts."""
    which: dict[str, Any] = {"exchange": exchange}
    if exchange is not None and leaf is not None:
        ref = _ref(tenant, exchange, leaf)
        which |= {"credential_type": ref.credential_type, "label": ref.label}
    with open_api(where) as api:
        checked = api.post(path_to("credentials", tenant, "check"), which, patience=None)
    if json:
        print_json(checked.raw)
    else:
        show_table(checked.each("items"), CHECKED)


@commands.command(epilog="Example: alertd credentials history 7c9e6679-7425-40de-944b-e07fc1f90ae7 binance trading")
@grouped
def history(where: Where, pages: Pages, tenant: Tenant, exchange: Exchange, leaf: Leaf, *, json: Json = False) -> None:
    """List the checks of one key, the newest first."""
    ref = _ref(tenant, exchange, leaf)
    with open_api(where) as api:
        show_list(api, f"{_path(ref)}/history", PAST, pages, json=json)


@commands.command(
    epilog="Example: alertd credentials remove 7c9e6679-7425-40de-944b-e07fc1f90ae7 binance trading --yes"
)
@grouped
def remove(where: Where, tenant: Tenant, exchange: Exchange, leaf: Leaf, *, yes: Yes = False) -> None:
    """Delete a key in the secret store, and check it no more. Its history stays."""
    ref = _ref(tenant, exchange, leaf)
    with open_api(where) as api:
        confirm(f"Delete the stored key {ref.path}?", yes=yes)
        api.delete(_path(ref))
    say(f"Removed {ref.path}.")


def _ref(tenant: UUID, exchange: str, leaf: str) -> CredentialRef:
    found = parse(f"{tenant}/exchanges/{exchange}/{leaf}")
    if isinstance(found, Skipped):
        raise typer.BadParameter(f"{found.path}: {found.why}")
    return found


def _path(ref: CredentialRef) -> str:
    return path_to("credentials", ref.tenant_id, ref.exchange, ref.leaf)


def _asked_for(exchange: str) -> Sequence[str]:
    """The fields to prompt for; of an exchange without an entry nobody knows whether it has passphrases."""
    known = EXCHANGES.get(exchange)
    return known.needs if known is not None else ("api_key", "api_secret", "passphrase")


def _require_right(api: Api) -> None:
    """Before a person types a secret in vain."""
    me = api.get("/api/performance-alerts/auth/me")
    if CONFIGURE not in me.words("permissions"):
        raise NotDone(f"{me.text('username')} may not store keys; that needs {CONFIGURE}.")


def _store(api: Api, ref: CredentialRef, fields: Mapping[str, object], *, unverified: bool) -> Answer:
    """`unverified` stores what nobody can judge, and still not what the exchange refuses."""
    try:
        return api.put(_path(ref), fields)
    except NotDone as exc:
        if exc.reason not in UNSURE:
            raise
        if not unverified:
            advice = MISSPELT if exc.reason == Reason.UNSUPPORTED_EXCHANGE else LATER
            raise NotDone(exc.detail, advice, reason=exc.reason) from None
    return api.put(_path(ref), fields, unverified=True)


def _tell(ref: CredentialRef, stored: Answer) -> None:
    accepted = stored.inner("accepted")
    if accepted.raw:
        say(f"{notices.display_name(ref.exchange)} accepts this key: {_spoken(accepted)}.")
    else:
        say("Nobody knows whether this key works; it is stored as it is.")
    for warning in accepted.words("warnings"):
        say(f"warning: {WARNINGS.get(warning, warning)}")
    say(f"Stored {ref.path}; it is checked from now on.")


def _spoken(accepted: Answer) -> str:
    allowed = ", ".join(f"{right} {accepted.text(f'permissions.{right}') or 'unknown'}" for right in RIGHTS)
    addresses = accepted.text("permissions.ip_restricted") or "unknown"
    expires = accepted.text("permissions.expires_at") or "never or unknown"
    return f"{allowed}; restricted to addresses: {addresses}; expires: {expires}"
