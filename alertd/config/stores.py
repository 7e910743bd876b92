"""Where the daemon keeps its state and finds the exchange keys: PostgreSQL and Vault."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, SecretStr, field_validator, model_validator

from alertd.config.keys import checked_keys
from alertd.config.kinds import Conflicts, Counting, Dsn, Secret, Timeout, parsed_origin
from alertd.config.section import Section


class DatabaseSettings(Section):
    """PostgreSQL; without a DSN the daemon runs its own in the state directory."""

    dsn: Dsn | None = None
    pool_size: Annotated[Counting, "connections"] = 10


class VaultSettings(Section):
    """How to reach and enter Vault or OpenBao, and where in it the tenants' folders are."""

    address: str | None = None
    namespace: str | None = None
    mount: str = "secret"
    prefix: str = "tenants"
    auth: Literal["token", "approle", "kubernetes"] = "token"
    token: Secret | None = None
    role_id: str | None = None
    secret_id: Secret | None = None
    role: str | None = None
    ca_cert: Path | None = None
    timeout_seconds: Timeout = 10.0

    @field_validator("address")
    @classmethod
    def _origin(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                parsed_origin(value)
            except ValueError:
                raise ValueError("must be http(s)://host:port and nothing more") from None
        return value.rstrip("/") if value is not None else None

    @field_validator("mount", "prefix")
    @classmethod
    def _inner_path(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*", value.strip("/")):
            raise ValueError("must be a path of letters, digits, . _ - and /")
        return value.strip("/")


# What each way to log in needs; one list so that the message and the check cannot differ.
_LOGIN_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "token": ("token",),
    "approle": ("role_id", "secret_id"),
    "kubernetes": ("role",),
}


class SecretsSettings(Section):
    """Where the exchange keys are kept; `backend` is vault exactly when an address is given, unless set."""

    backend: Literal["vault", "file"]
    encryption_key: Annotated[SecretStr, AfterValidator(checked_keys)] | None = None
    vault: VaultSettings = VaultSettings()

    @model_validator(mode="before")
    @classmethod
    def _guess_backend(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "backend" in values:
            return values
        vault = values.get("vault")
        address = vault.address if isinstance(vault, VaultSettings) else (vault or {}).get("address")
        return {**values, "backend": "vault" if address else "file"}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.backend != "vault":
            return self
        needed = ("address", *_LOGIN_NEEDS[self.vault.auth])
        why = f'must be set: secrets.backend is "vault" (an address implies it) and its auth "{self.vault.auth}"'
        found = [(f"vault.{name}", why) for name in needed if getattr(self.vault, name) is None]
        certificate = self.vault.ca_cert
        if certificate is not None and not os.access(certificate, os.R_OK):
            found.append(("vault.ca_cert", f"must be a file that alertd can read, got {certificate}"))
        if found:
            raise Conflicts(found)
        return self
