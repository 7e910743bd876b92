"""One look at one credential: read its secret, ask its exchange, try again while nobody can tell."""

import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt, wait_fixed

from alertd.credentials.store import Claim
from alertd.errors import Absent, Refused, StoreDown, Transient
from alertd.model import CheckResult, CredentialRef, Reason, Secret, Verdict
from alertd.secretstore import SecretStore

log = structlog.get_logger(__name__)

Ask = Callable[[CredentialRef, Secret], Awaitable[CheckResult]]

POINTLESS: Final = frozenset({Reason.UNSUPPORTED_EXCHANGE, Reason.SECRET_STORE, Reason.INTERNAL_ERROR})


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found; `version` is the secret's, empty when it could not be read."""

    result: CheckResult
    version: str


@dataclass(frozen=True, slots=True)
class Patience:
    """How often to ask while the answer is inconclusive: total tries, and the wait between them."""

    tries: int
    delay: timedelta


async def look(claim: Claim, *, secrets: SecretStore, ask: Ask, patience: Patience) -> Looked:
    """Ask until the answer is conclusive or patience ends.

    Raises Absent when the secret was deleted, StoreDown when no secret can be read, and Transient when the
    budget of requests cannot be asked for; none says anything about the key.
    """
    secrets.forget(claim.ref)  # a look sees the secret as it is now; only its further tries may remember it
    looked = await _once(claim, secrets, ask)
    if patience.tries <= 1 or not _worth_another(looked, patience):
        return looked
    return await _again(claim, looked, secrets=secrets, ask=ask, patience=patience)


async def _again(claim: Claim, first: Looked, *, secrets: SecretStore, ask: Ask, patience: Patience) -> Looked:
    """The further tries. Only the few that need them pay for the machinery of trying again."""
    answers = [first]

    async def answer() -> Looked:
        return answers.pop() if answers else await _once(claim, secrets, ask)

    retrying = AsyncRetrying(
        stop=stop_after_attempt(patience.tries),
        wait=wait_fixed(patience.delay.total_seconds()),
        retry=retry_if_result(lambda looked: _worth_another(looked, patience)),
        retry_error_callback=_last,
        before_sleep=lambda state: _say_retry(claim, state),
    )
    looked: Looked = await retrying(answer)
    return looked


async def _once(claim: Claim, secrets: SecretStore, ask: Ask) -> Looked:
    try:
        secret = await secrets.read(claim.ref)
    except (Absent, StoreDown):
        raise
    except Refused:
        return Looked(CheckResult(Reason.SECRET_STORE, code="refused"), "")
    try:
        result = await ask(claim.ref, secret)
    except Transient:
        raise
    except Exception as exc:  # noqa: BLE001 - around one credential: a bug costs this item only
        # Where it broke and not the exception's text, which may hold a signed URL.
        log.error(  # noqa: TRY400
            "Credential check broke",
            exchange=claim.ref.exchange,
            error_type=type(exc).__name__,
            where=traceback.format_tb(exc.__traceback__)[-3:],
        )
        result = CheckResult(Reason.INTERNAL_ERROR)
    return Looked(result, secret.version)


def _worth_another(looked: Looked, patience: Patience) -> bool:
    result = looked.result
    if result.verdict is not Verdict.INCONCLUSIVE or result.reason in POINTLESS:
        return False
    # An exchange that asked everybody to stay away for longer than we would wait is left alone.
    return result.retry_after is None or result.retry_after <= patience.delay * patience.tries


def _last(state: RetryCallState) -> Looked:
    assert state.outcome is not None  # noqa: S101 - tenacity sets it before it stops
    looked: Looked = state.outcome.result()
    return looked


def _say_retry(claim: Claim, state: RetryCallState) -> None:
    looked = _last(state)
    log.info(
        "Credential health check retry",
        tenant_id=str(claim.ref.tenant_id),
        exchange=claim.ref.exchange,
        attempt=state.attempt_number,
        error=str(looked.result.reason),
    )
