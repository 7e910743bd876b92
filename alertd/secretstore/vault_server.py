"""One Vault or OpenBao, as something that is asked: the only importer of hvac.

Everything here blocks; `session.py` runs it in threads. Whatever the server answers, or does not,
becomes one of our errors, raised outside the handler: what hvac and requests put into their errors
(addresses with paths, headers, bodies) must not hang on to ours as their context.

| what came back                             | becomes                  |
| ------------------------------------------ | ------------------------ |
| 403, 401                                   | Denied: by a policy, or our token is dead |
| 404 of one path, a deleted version         | Absent                   |
| 404 with an explanation, or not from Vault | StoreDown UNREACHABLE: wrong mount, namespace or address |
| 503 sealed or not initialised, 501         | StoreDown SEALED         |
| 400                                        | Refused                  |
| anything else, or nothing                  | StoreDown UNREACHABLE    |
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

import hvac
from hvac import exceptions as answers
from requests import exceptions as failures
from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_after_delay, wait_random
from urllib3.exceptions import HTTPError

from alertd.config import VaultSettings
from alertd.errors import Absent, AlertdError, Refused, StoreDown, StoreFault
from alertd.secretstore.direct import DirectSession, was_reset, why_no_connection

T = TypeVar("T")

RESET_TRIES: Final = 3

DOWN: Final[tuple[tuple[type[Exception], StoreFault, str], ...]] = (
    (answers.VaultNotInitialized, StoreFault.SEALED, "it is not initialised; run `operator init` and unseal it"),
    (answers.RateLimitExceeded, StoreFault.UNREACHABLE, "it limits our requests (429); raise its rate quota"),
    (answers.InternalServerError, StoreFault.UNREACHABLE, "it failed inside (500); its own log says why"),
    (answers.BadGateway, StoreFault.UNREACHABLE, "the proxy before it cannot reach it (502)"),
    (
        answers.VaultError,
        StoreFault.UNREACHABLE,
        "it answered with a status that an active server does not give; is it a standby or a replica, or a proxy?",
    ),
    (
        failures.SSLError,
        StoreFault.UNREACHABLE,
        "its TLS certificate is not trusted or not for this name; see secrets.vault.ca_cert",
    ),
    (failures.Timeout, StoreFault.UNREACHABLE, "it does not answer in time; see secrets.vault.timeout_seconds"),
    (failures.TooManyRedirects, StoreFault.UNREACHABLE, "it redirects without end"),
    (UnicodeError, StoreFault.UNREACHABLE, "a setting of secrets.vault holds letters that cannot be sent"),
)


class Denied(Refused):
    """403: a policy says no, or the token is no longer one; the answer itself does not tell which."""


class _StrangeError(Exception):
    """The answer does not have the shape that Vault's have."""


class Server:
    """`client` is hvac's; whatever is asked with it is asked through `ask`. May be used from `threads` threads."""

    def __init__(self, settings: VaultSettings, *, threads: int) -> None:
        self.address = settings.address or ""
        self.mount = settings.mount.strip("/")
        self._namespace = settings.namespace
        # An empty token, not None: hvac would look for one in the environment and in the home folder.
        self.client = hvac.Client(
            url=self.address,
            token="",
            namespace=settings.namespace,
            session=DirectSession(threads=threads, ca_cert=settings.ca_cert),
            strict_http=True,  # GET with ?list=true: some proxies know no LIST
            timeout=settings.timeout_seconds,  # type: ignore[arg-type]  # requests takes fractions
        )
        self._patiently = Retrying(
            retry=retry_if_exception(was_reset),
            stop=stop_after_attempt(RESET_TRIES) | stop_after_delay(settings.timeout_seconds),
            wait=wait_random(0.05, 0.2),
            reraise=True,
        )

    def close(self) -> None:
        self.client.adapter.close()

    def ask(self, what: str, ask: Callable[[], T], *, gone: str = "", patiently: bool = True) -> T:
        """`patiently` tries again, at once and only when the connection broke; `gone` is the path of a 404."""
        try:
            return self._patiently(ask) if patiently else ask()
        except (answers.VaultError, HTTPError, OSError, UnicodeError, _StrangeError) as failure:
            meaning = self._meaning(what, failure, gone)
        raise meaning

    def down(self, what: str, fault: StoreFault, why: str) -> StoreDown:
        return StoreDown(fault, f"cannot {what} in the secret store at {self.address}: {why}")

    def _meaning(self, what: str, failure: Exception, gone: str) -> AlertdError:
        refusal = self._refusal(what, failure, gone)
        return refusal if refusal is not None else self.down(what, *self._why_down(failure))

    def _refusal(self, what: str, failure: Exception, gone: str) -> Refused | None:
        """What speaks of this one request; the store itself is well."""
        match failure:
            case answers.Forbidden() | answers.Unauthorized():
                return Denied(f"the secret store at {self.address} forbids us to {what}")
            case answers.InvalidPath(json=dict(), errors=None | []):
                return Absent(f"{gone or what}: not in the secret store")
            case answers.InvalidRequest():
                return Refused(f"the secret store at {self.address} refuses to {what}")
            case answers.InternalServerError(errors=[str(said)]) if "past the max TTL" in said:
                return Refused(f"the secret store at {self.address} does not {what} any more")
        return None

    def _why_down(self, failure: Exception) -> tuple[StoreFault, str]:
        match failure:
            case answers.InvalidPath():
                return StoreFault.UNREACHABLE, self._lost()
            case answers.VaultDown():
                return self._why_unavailable()
            case _StrangeError():
                return StoreFault.UNREACHABLE, "what answers there is no Vault"
        for kind, fault, why in DOWN:
            if isinstance(failure, kind):
                return fault, why
        return StoreFault.UNREACHABLE, why_no_connection(failure)

    def _why_unavailable(self) -> tuple[StoreFault, str]:
        """503 comes from a sealed server, from one that was never initialised, and from proxies."""
        status: object = None
        with suppress(answers.VaultError, HTTPError, OSError):
            status = self.client.adapter.get("/v1/sys/seal-status")
        if not isinstance(status, dict):
            return StoreFault.UNREACHABLE, "it is unavailable (503)"
        if status.get("initialized") is False:
            return StoreFault.SEALED, "it is not initialised; run `operator init` and unseal it"
        if status.get("sealed"):
            return StoreFault.SEALED, "it is sealed; unseal it"
        return StoreFault.UNREACHABLE, "it is unavailable (503) although unsealed"

    def _lost(self) -> str:
        space = f", or its namespace {self._namespace!r}" if self._namespace else ""
        return f"there is no mount {self.mount!r}{space}; see secrets.vault.mount and secrets.vault.namespace"


def part(answer: object, *names: str) -> dict[str, Any]:
    """The table that lies under these names in an answer; without it, it is no answer of Vault's."""
    for name in names:
        answer = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(answer, dict):
        raise _StrangeError
    return answer
