"""Keys that are stored through a daemon whose token may do what the README says, and nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bao import Bao, dev_server
from tests.cli.office import Office, lines, open_office, place

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.fixture(scope="module")
def bao() -> Iterator[Bao]:
    with dev_server() as server:
        yield server


@pytest.fixture(scope="module")
def office(silence: None, office_dsn: str, bao: Bao, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    [rules] = re.findall(r"```hcl\n(.+?)```", README, re.DOTALL)
    writing = rules.replace('["read"]', '["read", "create", "update", "delete"]')
    client = bao.client()
    client.sys.create_or_update_policy("alertd", writing)
    token = client.auth.token.create(policies=["alertd"])["auth"]["client_token"]
    given = {"VAULT_ADDR": bao.address, "VAULT_TOKEN": token}
    with open_office(office_dsn, tmp_path_factory.mktemp("office"), given) as opened:
        yield opened


def test_vault_takes_a_key_and_gives_it_up(office: Office, bao: Bao) -> None:
    tenant, account = office.tenant(), office.account()
    words = (tenant, "binance", "trading")

    put = office.alertd("credentials", "put", *words, stdin=lines(account))
    vault = bao.client().secrets.kv.v2
    kept = vault.read_secret_version(f"tenants/{place(tenant).path}", raise_on_deleted_version=False)
    removed = office.alertd("credentials", "remove", *words, "--yes")

    assert (put.code, removed.code) == (0, 0), put.err + removed.err
    assert kept["data"]["data"] == {"api_key": account.key, "api_secret": account.secret}
    assert not (office.state_dir / "secrets").exists()
