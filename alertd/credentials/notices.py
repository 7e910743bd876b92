"""What a tenant reads about his key: one sentence of ours for each reason, and what to do. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

from alertd.alerts.lifecycle import Memory, Step
from alertd.model import CheckResult, CredentialRef, Reason, iso_utc

ERRORS: Final[Mapping[Reason, str]] = {
    Reason.OK: "The key works.",
    Reason.INVALID_KEY: "{exchange} does not accept this API key: it is unknown, deleted or revoked.",
    Reason.BAD_SECRET: "{exchange} says that the API secret does not belong to this API key.",
    Reason.BAD_PASSPHRASE: "{exchange} says that the passphrase of this API key is wrong.",
    Reason.PERMISSION: "{exchange} accepts this API key, but it lacks a permission that it needs.",
    Reason.IP_RESTRICTED: "{exchange} refuses this API key from our addresses: its IP list does not contain them.",
    Reason.EXPIRED: "{exchange} says that this API key has expired.",
    Reason.ACCOUNT_DISABLED: "{exchange} has frozen, locked or disabled the account of this API key.",
    Reason.WRONG_ENVIRONMENT: "This API key belongs to another environment or site of {exchange}.",
    Reason.INCOMPLETE_SECRET: "The stored credential for {exchange} is incomplete.",
    Reason.RATE_LIMITED: "{exchange} limits our requests at the moment; this says nothing about the key.",
    Reason.EXCHANGE_DOWN: "{exchange} is not in service at the moment; this says nothing about the key.",
    Reason.NETWORK: "{exchange} could not be reached; this says nothing about the key.",
    Reason.CLOCK_SKEW: "{exchange} refused the time or nonce of the request; this says nothing about the key.",
    Reason.BAD_RESPONSE: "{exchange} gave an answer that cannot be understood; this says nothing about the key.",
    Reason.REGION_BLOCKED: "{exchange} does not serve the region of our addresses; this says nothing about the key.",
    Reason.SECRET_STORE: "The stored credential could not be read; this says nothing about the key.",
    Reason.UNSUPPORTED_EXCHANGE: "{exchange} is not supported by this version; this says nothing about the key.",
    Reason.INTERNAL_ERROR: "The check itself failed; this says nothing about the key.",
}

WHAT_TO_DO: Final[Mapping[Reason, str]] = {
    Reason.INVALID_KEY: "Create a new API key at {exchange} and store it here.",
    Reason.BAD_SECRET: "Copy key and secret again from {exchange}; if the secret is lost, create a new key.",
    Reason.BAD_PASSPHRASE: "Store the passphrase that was chosen when the key was made, or create a new key.",
    Reason.PERMISSION: "Switch the missing permission on in the key's settings at {exchange}.",
    Reason.IP_RESTRICTED: "Add the platform's addresses to the key's IP list at {exchange}.",
    Reason.EXPIRED: "Renew the key at {exchange}, or create a new one and store it here.",
    Reason.ACCOUNT_DISABLED: "Ask the support of {exchange} why the account is disabled.",
    Reason.WRONG_ENVIRONMENT: "Store a key of the site and environment (live or test) that this credential is for.",
    Reason.INCOMPLETE_SECRET: "Store the credential again with all its fields.",
}

# One code for several causes: the sentence names them all.
AMBIGUOUS: Final[Mapping[tuple[str, str], str]] = {
    ("binance", "-2015"): (
        "Binance refuses this API key and does not say why: the key is invalid or deleted, "
        "our address is not on its IP list, or it lacks a permission."
    ),
}

# What our clock was found to be ahead, in seconds; a `Date` header has whole ones and was on its way for a while.
CLOCK: Final = re.compile(r"clock([+-][0-9]+)s")
RIGHT_WITHIN: Final = 3


def error(ref: CredentialRef, result: CheckResult) -> str:
    """One sentence about the result, without a word of the exchange's own."""
    measured = CLOCK.search(result.code) if result.reason is Reason.CLOCK_SKEW else None
    if measured is not None:
        return _about_clocks(display_name(ref.exchange), int(measured.group(1)))
    for (exchange, code), sentence in AMBIGUOUS.items():
        if ref.exchange.startswith(exchange) and code in result.code.split():
            return sentence
    return ERRORS[result.reason].format(exchange=display_name(ref.exchange))


def _about_clocks(exchange: str, ahead: int) -> str:
    if abs(ahead) <= RIGHT_WITHIN:
        why = "and our clock is right: another program may be using this key"
    else:
        why = f"because our clock is {abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} its own"
    return f"{exchange} refused the time or nonce of the request, {why}; this says nothing about the key."


def what_to_do(ref: CredentialRef, reason: Reason) -> str:
    """What the tenant can do; empty where it is not his to mend."""
    return WHAT_TO_DO.get(reason, "").format(exchange=display_name(ref.exchange))


def display_name(exchange: str) -> str:
    """`okx` -> `OKX`, `kraken` -> `Kraken`: short ids are initials."""
    return exchange.upper() if len(exchange) <= 3 else exchange.capitalize()


def fields(ref: CredentialRef, result: CheckResult, step: Step, before: Memory, after: Memory) -> Mapping[str, Any]:
    """The event's own fields of `credential.failed` and `credential.recovered`."""
    resolved = step is Step.RESOLVE
    began = before.first_bad_at if resolved else after.first_bad_at
    return {
        "exchange": ref.exchange,
        "credential_type": str(ref.credential_type),
        "label": ref.label,
        "error": None if resolved else error(ref, result),
        "reason": str(result.reason),
        "consecutive_failures": before.streak if resolved else after.streak,
        "first_failure_at": iso_utc(began),
        "last_success_at": iso_utc(after.last_good_at),
        "what_to_do": what_to_do(ref, result.reason),
        **({"reminder": True} if step is Step.REMIND else {}),
    }
