"""A place of its own on the shared OpenBao for each test, and the settings that lead there."""

from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from uuid import UUID, uuid4

import hvac
from pydantic import SecretStr

from alertd.config import SecretsSettings, Settings, VaultSettings
from alertd.model import CredentialRef, CredentialType
from tests.bao import Bao

ALICE = UUID("0190a000-0000-7000-8000-00000000000a")
BOB = UUID("0190a000-0000-7000-8000-00000000000b")

READ_EVERYTHING = """
path "$mount/metadata/$prefix" { capabilities = ["list"] }
path "$mount/metadata/$prefix/*" { capabilities = ["list", "read"] }
path "$mount/data/$prefix/*" { capabilities = ["read"] }
"""


def ref(
    tenant: UUID = ALICE,
    exchange: str = "binance",
    credential_type: CredentialType = CredentialType.TRADING,
    label: str = "",
) -> CredentialRef:
    return CredentialRef(tenant, exchange, credential_type, label)


@dataclass
class Corner:
    """`state_dir` is the test's own; paths are below the corner's prefix."""

    bao: Bao
    state_dir: Path
    namespace: str | None = None
    mount: str = "secret"
    prefix: str = field(default_factory=lambda: f"corner-{uuid4().hex[:12]}")

    @property
    def client(self) -> hvac.Client:
        return self.bao.client(namespace=self.namespace)

    def put(self, path: str, **fields: object) -> None:
        self.client.secrets.kv.v2.create_or_update_secret(f"{self.prefix}/{path}", fields, mount_point=self.mount)

    def where(self, path: str) -> dict[str, str]:
        """The arguments that name `path` to hvac's own functions."""
        return {"path": f"{self.prefix}/{path}", "mount_point": self.mount}

    def policy(self, text: str = READ_EVERYTHING) -> str:
        """Stores the policy and gives its name; `$mount`, `$prefix` and `$bob` are filled in."""
        name = f"policy-{uuid4().hex[:12]}"
        rules = Template(text).substitute(mount=self.mount, prefix=self.prefix, bob=BOB)
        self.client.sys.create_or_update_policy(name, rules)
        return name

    def token(self, policy: str, **options: object) -> str:
        return self.client.auth.token.create(policies=[policy], no_parent=True, **options)["auth"]["client_token"]

    def settings(self, **vault: object) -> Settings:
        where = {
            "address": self.bao.address,
            "namespace": self.namespace,
            "mount": self.mount,
            "prefix": self.prefix,
            "token": self.bao.root_token,
        }
        return vault_settings(self.state_dir, **(where | vault))


def vault_settings(state_dir: Path, **vault: object) -> Settings:
    given = {"token": "t", "timeout_seconds": 5.0} | vault
    hidden = {name: SecretStr(str(given[name])) for name in ("token", "secret_id") if name in given}
    return Settings(
        state_dir=state_dir, secrets=SecretsSettings(backend="vault", vault=VaultSettings(**(given | hidden)))
    )
