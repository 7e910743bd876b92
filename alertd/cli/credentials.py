"""`alertd credentials`: look at and change what is stored, directly in the secret store."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

import typer

from alertd.cli.key_input import read_fields
from alertd.cli.options import ConfigFile, Json
from alertd.cli.outcome import FAILED, complain, print_json, print_table, say
from alertd.cli.secrets import open_secrets
from alertd.config import Settings, load
from alertd.credentials import notices
from alertd.credentials.check_store import permissions_json
from alertd.credentials.exchange import open_exchanges
from alertd.credentials.keeping import stored_fields
from alertd.credentials.limits import Limits
from alertd.credentials.quirks import EXCHANGES
from alertd.errors import Refused
from alertd.model import CheckResult, CredentialRef, Permissions, Reason, Secret, Verdict, Warn, iso_utc
from alertd.process import configure_logging
from alertd.secretstore import Listing, Skipped, parse
from alertd.secretstore.layout import secret_of

commands = typer.Typer(no_args_is_help=True, help="The stored exchange keys.")

Tenant = Annotated[UUID, typer.Argument(metavar="TENANT", help="The tenant's UUID.")]
Exchange = Annotated[str, typer.Argument(metavar="EXCHANGE", help="The exchange's id in ccxt: binance, kraken, …")]
Leaf = Annotated[
    str, typer.Argument(metavar="LEAF", help="trading or readonly, for further accounts with a label: trading.main")
]

WARNINGS: Final[Mapping[Warn, str]] = {
    Warn.CAN_WITHDRAW: "it can withdraw; switch that right off unless it is needed",
    Warn.READONLY_CAN_TRADE: "it can trade, although it is stored as readonly",
    Warn.EXPIRES_SOON: "it expires soon",
    Warn.NO_IP_RESTRICTION: "it works from every address; restrict it to the platform's",
}
WORDS: Final = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Put:
    """What became of a key that somebody wants to store."""

    ref: CredentialRef
    result: CheckResult
    stored: bool


@commands.command(
    epilog="Example: alertd credentials put 7c9e6679-7425-40de-944b-e07fc1f90ae7 kraken trading < key.json"
)
def put(
    tenant: Tenant,
    exchange: Exchange,
    leaf: Leaf,
    config: ConfigFile = None,
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
    settings = load(config)
    configure_logging(level="ERROR", format="console")  # what goes wrong on the way is told below, once
    asyncio.run(_require_store(settings, ref))
    secret = secret_of(read_fields(_asked_for(exchange)), version="")
    if not secret.api_key:
        raise typer.BadParameter("api_key is empty")
    done = asyncio.run(_put(settings, ref, replace(secret, testnet=secret.testnet or testnet), unverified=unverified))
    if json:
        print_json(_as_json(done))
    else:
        _tell(done, settings)
    if not done.stored:
        raise typer.Exit(FAILED)


@commands.command("list", epilog="Example: alertd credentials list --json")
def list_(config: ConfigFile = None, *, json: Json = False) -> None:
    """Say which keys are stored, and what in the store is none, with the reason."""
    settings = load(config)
    listing = asyncio.run(_list(settings))
    if json:
        print_json(
            {
                "credentials": [_place(ref) for ref in listing.refs],
                "skipped": [{"path": skipped.path, "why": skipped.why} for skipped in listing.skipped],
            }
        )
        return
    if listing.refs:
        rows = [(str(ref.tenant_id), ref.exchange, ref.leaf) for ref in listing.refs]
        print_table(("tenant", "exchange", "key"), rows)
    for skipped in listing.skipped:
        say(f"skipped {skipped.path}: {skipped.why}")
    say(f"{len(listing.refs)} stored, {len(listing.skipped)} skipped.")


@commands.command(epilog="Example: alertd credentials remove 7c9e6679-7425-40de-944b-e07fc1f90ae7 kraken trading --yes")
def remove(
    tenant: Tenant,
    exchange: Exchange,
    leaf: Leaf,
    config: ConfigFile = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a stored key. Its history stays; the daemon stops checking it when it next looks."""
    ref = _ref(tenant, exchange, leaf)
    settings = load(config)
    if not yes and not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask at; say --yes")
    if not yes:
        typer.confirm(f"Delete the stored key {ref.path}?", abort=True, err=True)
    asyncio.run(_remove(settings, ref))
    say(f"Removed {ref.path}.")


def _ref(tenant: UUID, exchange: str, leaf: str) -> CredentialRef:
    found = parse(f"{tenant}/exchanges/{exchange}/{leaf}")
    if isinstance(found, Skipped):
        raise typer.BadParameter(f"{found.path}: {found.why}")
    return found


def _asked_for(exchange: str) -> Sequence[str]:
    """The fields to prompt for; of an exchange without an entry nobody knows whether it has passphrases."""
    known = EXCHANGES.get(exchange)
    return known.needs if known is not None else ("api_key", "api_secret", "passphrase")


async def _require_store(settings: Settings, ref: CredentialRef) -> None:
    """Raises StoreDown before a person types a secret in vain. What is stored there now does not matter."""
    async with open_secrets(settings) as store:
        with suppress(Refused):
            await store.version(ref)


async def _put(settings: Settings, ref: CredentialRef, secret: Secret, *, unverified: bool) -> Put:
    result = await _ask(settings, ref, secret)
    accepted = result.verdict is Verdict.VALID or (unverified and result.verdict is Verdict.INCONCLUSIVE)
    if accepted:
        async with open_secrets(settings, writing=True) as store:
            await store.write(ref, stored_fields(secret))
    return Put(ref, result, accepted)


async def _ask(settings: Settings, ref: CredentialRef, secret: Secret) -> CheckResult:
    limits = Limits(None, settings, _now)
    async with open_exchanges(settings, limits=limits, now=_now) as exchanges:
        return await exchanges.ask(ref, secret)


async def _list(settings: Settings) -> Listing:
    async with open_secrets(settings) as store:
        return await store.list_refs()


async def _remove(settings: Settings, ref: CredentialRef) -> None:
    async with open_secrets(settings) as store:
        await store.version(ref)  # raises Absent: to remove nothing is a mistake worth a word
        await store.remove(ref)


def _now() -> datetime:
    return datetime.now(UTC)


def _tell(done: Put, settings: Settings) -> None:
    sentence = notices.error(done.ref, done.result)
    if not done.stored:
        complain(f"Not stored: {sentence}", *_remedies(done))
        return
    if done.result.verdict is Verdict.VALID:
        say(f"{notices.display_name(done.ref.exchange)} accepts this key: {_spoken(done.result.permissions)}.")
    else:
        say(f"Nobody knows whether this key works: {sentence}")
    for warning in done.result.warnings:
        say(f"warning: {WARNINGS[warning]}")
    say(f"Stored {done.ref.path}; a running daemon finds it within {settings.credentials.discovery_minutes:g} min.")


def _remedies(done: Put) -> Sequence[str]:
    advice = notices.what_to_do(done.ref, done.result.reason) or "Try again later, or store it as it is: --unverified."
    if done.result.reason is Reason.UNSUPPORTED_EXCHANGE:
        advice = "Is the exchange's id spelt as in ccxt, and is it switched on? If so, store the key with --unverified."
    code = f"For operators: {done.result.code}." if done.result.code else ""
    return [line for line in (advice, code) if line]


def _spoken(permissions: Permissions) -> str:
    allowed = ", ".join(
        f"{name} {WORDS[getattr(permissions, name)]}" for name in ("read", "trade", "withdraw", "transfer")
    )
    expires = iso_utc(permissions.expires_at) or "never or unknown"
    return f"{allowed}; restricted to addresses: {WORDS[permissions.ip_restricted]}; expires: {expires}"


def _place(ref: CredentialRef) -> dict[str, str]:
    return {
        "tenant_id": str(ref.tenant_id),
        "exchange": ref.exchange,
        "credential_type": str(ref.credential_type),
        "label": ref.label,
    }


def _as_json(done: Put) -> dict[str, object]:
    result = done.result
    return {
        **_place(done.ref),
        "stored": done.stored,
        "verdict": str(result.verdict),
        "reason": str(result.reason),
        "error": None if result.verdict is Verdict.VALID else notices.error(done.ref, result),
        "what_to_do": notices.what_to_do(done.ref, result.reason),
        "permissions": permissions_json(result.permissions),
        "warnings": [str(warning) for warning in result.warnings],
    }
