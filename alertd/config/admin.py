"""Who may steer the daemon, and which weak secrets are refused where other machines can reach it."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, SecretStr, model_validator

from alertd.config.kinds import Conflicts, HeaderName, Listed, ListenPort, Networks, Period, Secret, is_loopback
from alertd.config.section import Section

MIN_KEY_CHARACTERS: Final = 16
MIN_JWT_SECRET_BYTES: Final = 32

# Printed in the published documents that this daemon follows, so everybody knows them. The two
# commands are here because an environment file, unlike a shell, would take them literally.
PUBLIC_KEYS: Final = frozenset(
    {
        "admin-key-12345",
        "operator-key-67890",
        "viewer-key-abcdef",
        "master-key-xyz789",
        "secure-admin-key",
        "secure-operator-key",
        "secure-viewer-key",
        "secure-master-key",
        "your-secret-key",
        "your-admin-key",
        "your-api-key",
        "$(openssl rand -hex 32)",
        "$(openssl rand -base64 32)",
    }
)


def _host(value: str) -> str:
    text = value.strip().strip("[]")
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", text):
        raise ValueError("must be an address or a host name, such as 127.0.0.1 or 0.0.0.0")
    return text


def _lowered(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.lower() for name in value)


class AdminKeys(Section):
    """API keys that exist by configuration, one for each role."""

    admin: Secret | None = None
    operator: Secret | None = None
    viewer: Secret | None = None
    master: Secret | None = None


class AdminSettings(Section):
    """The admin port, and a UNIX socket beside it. `allowed_hosts` empty: its own host and the loopback names."""

    host: Annotated[str, AfterValidator(_host)] = "127.0.0.1"
    port: ListenPort = 8089
    socket: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    allowed_hosts: Annotated[tuple[str, ...], AfterValidator(_lowered), Listed] = ()
    behind_proxy: bool = False
    trusted_proxies: Networks = ()
    auth_enabled: bool = True
    jwt_secret: Secret | None = None
    jwt_algorithm: Literal["HS256", "HS384", "HS512"] = "HS256"
    jwt_expire_hours: Period = 24.0
    api_key_header: HeaderName = "X-Alert-API-Key"
    keys: AdminKeys = AdminKeys()

    @property
    def on_loopback(self) -> bool:
        return is_loopback(self.host)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        found = list(_mistakes(self))
        if not self.on_loopback:
            found += [
                (path, f"{text} where other machines can connect ({self.host})") for path, text in weaknesses(self)
            ]
        if found:
            raise Conflicts(found)
        return self


def weaknesses(admin: AdminSettings) -> Iterator[tuple[str, str]]:
    """What a stranger could guess or read off the wire: setting and requirement. Never a secret."""
    secrets = _secrets(admin)
    shared = Counter(value for value in secrets.values())
    for path, value in secrets.items():
        if value in PUBLIC_KEYS:
            yield path, "is printed in a public example; it must be replaced"
        elif path == "jwt_secret" and len(value.encode()) < MIN_JWT_SECRET_BYTES:
            yield path, f"must have at least {MIN_JWT_SECRET_BYTES} bytes (openssl rand -base64 32)"
        elif path != "jwt_secret" and len(value) < MIN_KEY_CHARACTERS:
            yield path, f"must have at least {MIN_KEY_CHARACTERS} characters (openssl rand -hex 32)"
        elif shared[value] > 1:
            yield path, "must differ from the other keys and from the JWT secret"
    if not admin.auth_enabled:
        yield "auth_enabled", "must be true"
    if not admin.on_loopback and admin.tls_cert is None and not admin.behind_proxy:
        yield "tls_cert", "must be set, or admin.behind_proxy with admin.trusted_proxies,"


def _secrets(admin: AdminSettings) -> dict[str, str]:
    given: dict[str, SecretStr | None] = {"jwt_secret": admin.jwt_secret}
    given |= {f"keys.{role}": getattr(admin.keys, role) for role in AdminKeys.model_fields}
    return {path: value.get_secret_value() for path, value in given.items() if value is not None}


def _mistakes(admin: AdminSettings) -> Iterator[tuple[str, str]]:
    if admin.tls_key is not None and admin.tls_cert is None:
        yield "tls_cert", "must be set together with admin.tls_key"
    if admin.tls_cert is not None and admin.tls_key is None:
        yield "tls_key", "must be set together with admin.tls_cert"
    for name, path in (("tls_cert", admin.tls_cert), ("tls_key", admin.tls_key)):
        if path is not None and not os.access(path, os.R_OK):
            yield name, f"must be a file that alertd can read, got {path}"
    if admin.behind_proxy and not admin.trusted_proxies:
        yield "trusted_proxies", 'must list the addresses of the proxy, such as ["127.0.0.1"], with admin.behind_proxy'
