"""Speaks with Vault or OpenBao: logs in, reads and writes KV v2. The only importer of hvac.

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

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
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

KUBERNETES_JWT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
SENDABLE: Final = re.compile(r"[!-~]+")
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


@dataclass(frozen=True, slots=True)
class Lease:
    """How long a login lasts from when it was given; `seconds` 0 is for ever."""

    seconds: float
    renewable: bool


@dataclass(frozen=True, slots=True)
class Login:
    """A token, to be handed to `Vault.use`."""

    token: str = field(repr=False)
    lease: Lease


@dataclass(frozen=True, slots=True)
class Stored:
    """What lies at one path. `version` is equal to what `Vault.version` gives for the same write."""

    fields: Mapping[str, object] = field(repr=False)
    version: str


class Vault:
    """One server, one login. Paths are below the prefix. May be called from `threads` threads at once."""

    def __init__(self, settings: VaultSettings, *, threads: int, kubernetes_jwt: Path = KUBERNETES_JWT) -> None:
        self.address = settings.address or ""
        self.can_log_in_again = settings.auth != "token"
        self._settings = settings
        self._kubernetes_jwt = kubernetes_jwt
        self._prefix = settings.prefix.strip("/")
        self._mount = settings.mount.strip("/")
        session = DirectSession(threads=threads, ca_cert=settings.ca_cert)
        # An empty token, not None: hvac would look for one in the environment and in the home folder.
        self._client = hvac.Client(
            url=self.address,
            token="",
            namespace=settings.namespace,
            session=session,
            strict_http=True,  # GET with ?list=true: some proxies know no LIST
            timeout=settings.timeout_seconds,  # type: ignore[arg-type]  # requests takes fractions
        )
        self._kv = self._client.secrets.kv.v2
        self._patiently = Retrying(
            retry=retry_if_exception(was_reset),
            stop=stop_after_attempt(RESET_TRIES) | stop_after_delay(settings.timeout_seconds),
            wait=wait_random(0.05, 0.2),
            reraise=True,
        )

    def close(self) -> None:
        self._client.adapter.close()

    def log_in(self) -> Login:
        """Raises StoreDown: LOGIN_REFUSED, or whatever keeps the server from answering."""
        if self._settings.auth == "token":
            return self._take_token(_value(self._settings.token))
        what = f"log in with {self._settings.auth}"
        try:
            auth = self._ask(what, lambda: _part(self._enter(), "auth"))
        except Refused as refusal:
            raise self._down(what, StoreFault.LOGIN_REFUSED, _login_advice(self._settings.auth)) from refusal
        return Login(str(auth.get("client_token", "")), _lease(auth.get("lease_duration"), auth))

    def use(self, login: Login) -> None:
        """Makes it the token of all later requests; asks nothing."""
        self._client.token = login.token

    def renew(self) -> Lease:
        """Raises Refused (Denied or not) where the token cannot be renewed any more."""
        auth = self._ask("renew our token", lambda: _part(self._client.auth.token.renew_self(), "auth"))
        return _lease(auth.get("lease_duration"), auth)

    def token_lives(self) -> bool:
        """Tells a policy's 403 from a dead token's: a living token may nearly always look at itself."""
        return self._look_up() is not None or self._may_list()

    def names(self, path: str) -> tuple[str, ...]:
        """What lies in the folder, subfolders with a slash at their end; Absent if there is no such folder."""
        answer = self._ask(
            f"list {path or 'the tenants'}",
            lambda: _part(self._kv.list_secrets(path=self._full(path), mount_point=self._mount), "data"),
            gone=path,
        )
        keys = answer.get("keys")
        return tuple(str(key) for key in keys) if isinstance(keys, list) else ()

    def read(self, path: str) -> Stored:
        return self._ask(f"read {path}", lambda: self._read(path), gone=path)

    def version(self, path: str) -> str:
        """From the metadata alone, as long as nobody has put an end to the version."""
        what = f"read the version of {path}"
        data = self._ask(what, lambda: _part(self._read_metadata(path), "data"), gone=path)
        number = data.get("current_version")
        versions = data.get("versions")
        latest = versions.get(str(number)) if isinstance(versions, dict) else None
        if not isinstance(latest, dict) or latest.get("destroyed"):
            raise Absent(f"{path} has no version in the secret store")
        if latest.get("deletion_time"):
            # It may lie in the future (`delete_version_after`); whether it is over, the server's clock decides.
            return self.read(path).version
        return _marker(number, latest)

    def write(self, path: str, fields: Mapping[str, object]) -> str:
        """Adds a version, never tried twice; returns its marker."""
        data = self._ask(
            f"write {path}",
            lambda: _part(
                self._kv.create_or_update_secret(path=self._full(path), secret=dict(fields), mount_point=self._mount),
                "data",
            ),
            patiently=False,
        )
        return _marker(data.get("version"), data)

    def delete(self, path: str) -> None:
        """Deletes the latest version; it can be undeleted in Vault. Nothing there: nothing happens."""
        self._ask(
            f"delete {path}",
            lambda: self._kv.delete_latest_version_of_secret(path=self._full(path), mount_point=self._mount),
            patiently=False,
        )

    def check_mount(self) -> None:
        """StoreDown if the mount is something else than KV v2: a KV v1 looks like an empty folder."""
        try:
            about = self._ask(
                f"look at the mount {self._mount!r}",
                lambda: _part(self._client.adapter.get(f"/v1/sys/internal/ui/mounts/{self._mount}"), "data"),
            )
        except Refused:
            return  # not allowed to look: then the empty folder has to be believed
        options = about.get("options")
        if not isinstance(options, dict) or options.get("version") != "2":
            why = f"the mount {self._mount!r} is no KV version 2 engine; see secrets.vault.mount"
            raise self._down("list the tenants", StoreFault.UNREACHABLE, why)

    def no_answer(self) -> StoreDown:
        """For a caller who stopped waiting."""
        return self._down("get an answer", StoreFault.UNREACHABLE, "it does not answer in time")

    # -- logging in --

    def _take_token(self, token: str) -> Login:
        refused = (
            "the token is expired, revoked or mistyped; put a living one into secrets.vault.token, "
            "or use approle, which can log in again"
        )
        if not SENDABLE.fullmatch(token):
            raise self._down("log in with token", StoreFault.LOGIN_REFUSED, refused)
        self._client.token = token
        lease = self._look_up()
        if lease is None and not self._may_list():
            raise self._down("log in with token", StoreFault.LOGIN_REFUSED, refused)
        return Login(token, lease or Lease(seconds=0, renewable=False))

    def _enter(self) -> object:
        settings = self._settings
        if settings.auth == "approle":
            return self._client.auth.approle.login(
                role_id=settings.role_id or "", secret_id=_value(settings.secret_id), use_token=False
            )
        # Read each time: Kubernetes replaces the file long before the token in it ends.
        jwt = self._kubernetes_jwt.read_text().strip()
        return self._client.auth.kubernetes.login(role=settings.role or "", jwt=jwt, use_token=False)

    def _look_up(self) -> Lease | None:
        """What is left of our token; None if it may not even look at itself."""
        try:
            data = self._ask("look up our token", lambda: _part(self._client.auth.token.lookup_self(), "data"))
        except Refused:
            return None
        # Whole seconds, rounded down: 0 with a time of expiry is nearly over, and without one it is for ever.
        seconds = data.get("ttl") or (0.5 if data.get("expire_time") else 0)
        return _lease(seconds, data)

    def _may_list(self) -> bool:
        """The second opinion, for tokens without the default policy, which forbids them to look themselves up."""
        try:
            self.names("")
        except Denied:
            return False
        except Absent:
            return True
        return True

    # -- one request --

    def _full(self, path: str) -> str:
        return f"{self._prefix}/{path}".strip("/")

    def _read(self, path: str) -> Stored:
        # False: else a deleted version would raise an error that carries the whole answer in its text.
        answer = self._kv.read_secret_version(
            path=self._full(path), mount_point=self._mount, raise_on_deleted_version=False
        )
        data = _part(answer, "data")
        fields = data.get("data")
        if fields is None:
            raise Absent(f"{path} is deleted in the secret store")
        metadata = _part(data, "metadata")
        return Stored(_part(fields), _marker(metadata.get("version"), metadata))

    def _read_metadata(self, path: str) -> object:
        return self._kv.read_secret_metadata(path=self._full(path), mount_point=self._mount)

    def _ask(self, what: str, ask: Callable[[], T], *, gone: str = "", patiently: bool = True) -> T:
        """`patiently` tries again, at once and only when the connection broke; `gone` is the path of a 404."""
        try:
            return self._patiently(ask) if patiently else ask()
        except (answers.VaultError, HTTPError, OSError, UnicodeError, _StrangeError) as failure:
            meaning = self._meaning(what, failure, gone)
        raise meaning

    def _meaning(self, what: str, failure: Exception, gone: str) -> AlertdError:
        refusal = self._refusal(what, failure, gone)
        return refusal if refusal is not None else self._down(what, *self._why_down(failure))

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
            status = self._client.adapter.get("/v1/sys/seal-status")
        if not isinstance(status, dict):
            return StoreFault.UNREACHABLE, "it is unavailable (503)"
        if status.get("initialized") is False:
            return StoreFault.SEALED, "it is not initialised; run `operator init` and unseal it"
        if status.get("sealed"):
            return StoreFault.SEALED, "it is sealed; unseal it"
        return StoreFault.UNREACHABLE, "it is unavailable (503) although unsealed"

    def _lost(self) -> str:
        space = f", or its namespace {self._settings.namespace!r}" if self._settings.namespace else ""
        return f"there is no mount {self._mount!r}{space}; see secrets.vault.mount and secrets.vault.namespace"

    def _down(self, what: str, fault: StoreFault, why: str) -> StoreDown:
        return StoreDown(fault, f"cannot {what} in the secret store at {self.address}: {why}")


def _part(answer: object, *names: str) -> dict[str, Any]:
    for name in names:
        answer = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(answer, dict):
        raise _StrangeError
    return answer


def _marker(number: object, version: Mapping[str, object]) -> str:
    # The time as well: a key that was erased and written anew starts again at version 1.
    return f"{number}@{version.get('created_time')}"


def _lease(seconds: object, about: Mapping[str, object]) -> Lease:
    known = float(seconds) if isinstance(seconds, int | float) else 0.0
    return Lease(seconds=known, renewable=about.get("renewable") is True)


def _value(secret: Any) -> str:
    return str(secret.get_secret_value()).strip() if secret else ""


def _login_advice(auth: str) -> str:
    if auth == "approle":
        return "role id or secret id are not accepted; see secrets.vault.role_id, secret_id and namespace"
    return "the service account is not accepted; see secrets.vault.role and namespace, and the role in Vault"
