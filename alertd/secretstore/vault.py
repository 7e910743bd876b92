"""Speaks with Vault or OpenBao: logs in, reads and writes KV v2 below the prefix. All of it blocks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from alertd.config import VaultSettings
from alertd.errors import Absent, Refused, StoreDown, StoreFault
from alertd.secretstore.vault_server import Denied, Server, part

KUBERNETES_JWT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
SENDABLE: Final = re.compile(r"[!-~]+")


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
        self.can_log_in_again = settings.auth != "token"
        self._settings = settings
        self._kubernetes_jwt = kubernetes_jwt
        self._prefix = settings.prefix.strip("/")
        self._server = Server(settings, threads=threads)
        self._mount = self._server.mount
        self._client = self._server.client
        self._kv = self._client.secrets.kv.v2

    @property
    def address(self) -> str:
        return self._server.address

    def close(self) -> None:
        self._server.close()

    def log_in(self) -> Login:
        """Raises StoreDown: LOGIN_REFUSED, or whatever keeps the server from answering."""
        if self._settings.auth == "token":
            return self._take_token(_value(self._settings.token))
        what = f"log in with {self._settings.auth}"
        try:
            auth = self._server.ask(what, lambda: part(self._enter(), "auth"))
        except Refused as refusal:
            raise self._server.down(what, StoreFault.LOGIN_REFUSED, _login_advice(self._settings.auth)) from refusal
        return Login(str(auth.get("client_token", "")), _lease(auth.get("lease_duration"), auth))

    def use(self, login: Login) -> None:
        """Makes it the token of all later requests; asks nothing."""
        self._client.token = login.token

    def renew(self) -> Lease:
        """Raises Refused (Denied or not) where the token cannot be renewed any more."""
        auth = self._server.ask("renew our token", lambda: part(self._client.auth.token.renew_self(), "auth"))
        return _lease(auth.get("lease_duration"), auth)

    def token_lives(self) -> bool:
        """Tells a policy's 403 from a dead token's: a living token may nearly always look at itself."""
        return self._look_up() is not None or self._may_list()

    def names(self, path: str) -> tuple[str, ...]:
        """What lies in the folder, subfolders with a slash at their end; Absent if there is no such folder."""
        answer = self._server.ask(
            f"list {path or 'the tenants'}",
            lambda: part(self._kv.list_secrets(path=self._full(path), mount_point=self._mount), "data"),
            gone=path,
        )
        keys = answer.get("keys")
        return tuple(str(key) for key in keys) if isinstance(keys, list) else ()

    def read(self, path: str) -> Stored:
        return self._server.ask(f"read {path}", lambda: self._read(path), gone=path)

    def version(self, path: str) -> str:
        """From the metadata alone, as long as nobody has put an end to the version."""
        what = f"read the version of {path}"
        data = self._server.ask(what, lambda: part(self._read_metadata(path), "data"), gone=path)
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
        data = self._server.ask(
            f"write {path}",
            lambda: part(
                self._kv.create_or_update_secret(path=self._full(path), secret=dict(fields), mount_point=self._mount),
                "data",
            ),
            patiently=False,
        )
        return _marker(data.get("version"), data)

    def delete(self, path: str) -> None:
        """Deletes the latest version; it can be undeleted in Vault. Nothing there: nothing happens."""
        self._server.ask(
            f"delete {path}",
            lambda: self._kv.delete_latest_version_of_secret(path=self._full(path), mount_point=self._mount),
            patiently=False,
        )

    def check_mount(self) -> None:
        """StoreDown if the mount is something else than KV v2: a KV v1 looks like an empty folder."""
        try:
            about = self._server.ask(
                f"look at the mount {self._mount!r}",
                lambda: part(self._client.adapter.get(f"/v1/sys/internal/ui/mounts/{self._mount}"), "data"),
            )
        except Refused:
            return  # not allowed to look: then the empty folder has to be believed
        options = about.get("options")
        if not isinstance(options, dict) or options.get("version") != "2":
            why = f"the mount {self._mount!r} is no KV version 2 engine; see secrets.vault.mount"
            raise self._server.down("list the tenants", StoreFault.UNREACHABLE, why)

    def no_answer(self) -> StoreDown:
        """For a caller who stopped waiting."""
        return self._server.down("get an answer", StoreFault.UNREACHABLE, "it does not answer in time")

    # -- logging in --

    def _take_token(self, token: str) -> Login:
        refused = (
            "the token is expired, revoked or mistyped; put a living one into secrets.vault.token, "
            "or use approle, which can log in again"
        )
        if not SENDABLE.fullmatch(token):
            raise self._server.down("log in with token", StoreFault.LOGIN_REFUSED, refused)
        self._client.token = token
        lease = self._look_up()
        if lease is None and not self._may_list():
            raise self._server.down("log in with token", StoreFault.LOGIN_REFUSED, refused)
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
            data = self._server.ask("look up our token", lambda: part(self._client.auth.token.lookup_self(), "data"))
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
        except Refused:
            pass  # no such folder, or a strange one: whatever it is, the token was good enough to hear of it
        return True

    # -- one request --

    def _full(self, path: str) -> str:
        return f"{self._prefix}/{path}".strip("/")

    def _read(self, path: str) -> Stored:
        # False: else a deleted version would raise an error that carries the whole answer in its text.
        answer = self._kv.read_secret_version(
            path=self._full(path), mount_point=self._mount, raise_on_deleted_version=False
        )
        data = part(answer, "data")
        fields = data.get("data")
        if fields is None:
            raise Absent(f"{path} is deleted in the secret store")
        metadata = part(data, "metadata")
        return Stored(part(fields), _marker(metadata.get("version"), metadata))

    def _read_metadata(self, path: str) -> object:
        return self._kv.read_secret_metadata(path=self._full(path), mount_point=self._mount)


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
