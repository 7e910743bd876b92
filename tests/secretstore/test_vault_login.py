"""Getting in, staying in, and telling a dead token from a policy that says no."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from alertd.cipher import Cipher
from alertd.errors import Refused, StoreDown, StoreFault
from alertd.secretstore import open_store, session
from alertd.secretstore.vault_server import RESET_TRIES
from alertd.secretstore.vault_store import open_vault
from tests.secretstore.corner import BOB, Corner, ref, vault_settings
from tests.secretstore.stubs import answer, answering, certificate_of_no_use, until, wire_to

LOGGED_IN = "Logged in to the secret store"
NOT_RENEWED = "The login to the secret store could not be renewed"
RENEWED_AGAIN = "The login to the secret store is renewed again"


def events(logs: list[MutableMapping[str, Any]]) -> list[str]:
    return [line["event"] for line in logs]


@pytest.fixture
def role(corner: Corner) -> Callable[..., dict[str, str]]:
    """Makes an AppRole with the given TTLs and gives the settings that log in with it."""

    def make(**options: object) -> dict[str, str]:
        client = corner.client
        if "approle/" not in client.sys.list_auth_methods()["data"]:
            client.sys.enable_auth_method("approle")
        name = f"role-{uuid4().hex[:8]}"
        client.auth.approle.create_or_update_approle(name, token_policies=[corner.policy()], **options)
        return {
            "auth": "approle",
            "role_id": client.auth.approle.read_role_id(name)["data"]["role_id"],
            "secret_id": client.auth.approle.generate_secret_id(name)["data"]["secret_id"],
        }

    return make


def revoke_all(corner: Corner, auth: str) -> None:
    corner.client.sys.revoke_prefix(f"auth/{auth}")


async def test_an_approle_logs_in(corner: Corner, cipher: Cipher, role: Callable[..., dict[str, str]]) -> None:
    corner.put(ref().path, api_key="k")

    async with open_store(corner.settings(**role()), cipher) as store:
        assert (await store.read(ref())).api_key == "k"


async def test_a_revoked_approle_token_is_replaced_in_passing(
    corner: Corner, cipher: Cipher, role: Callable[..., dict[str, str]]
) -> None:
    corner.put(ref().path, api_key="k")
    async with open_store(corner.settings(**role()), cipher) as store:
        await store.health()
        revoke_all(corner, "approle/login")

        found = await asyncio.gather(*(store.list_refs() for _ in range(5)))

    assert [listing.refs for listing in found] == [(ref(),)] * 5


async def test_an_approle_near_its_longest_life_logs_in_again_by_itself(
    corner: Corner, cipher: Cipher, role: Callable[..., dict[str, str]]
) -> None:
    settings = corner.settings(**role(token_ttl="2s", token_max_ttl="3s"))
    with capture_logs() as logs:
        async with open_store(settings, cipher) as store:
            await store.health()
            await until(lambda: events(logs).count(LOGGED_IN) >= 2)
            await store.health()


async def test_a_batch_token_is_replaced_at_half_of_its_life(
    corner: Corner, cipher: Cipher, role: Callable[..., dict[str, str]]
) -> None:
    settings = corner.settings(**role(token_ttl="1s", token_type="batch"))
    with capture_logs() as logs:
        async with open_store(settings, cipher) as store:
            await store.health()
            await until(lambda: events(logs).count(LOGGED_IN) >= 3)
            await store.health()


@pytest.mark.parametrize("wrong", [{"secret_id": "11111111-2222-3333-4444-555555555555"}, {"role_id": "nobody"}])
async def test_a_wrong_approle_is_a_refused_login(
    corner: Corner, cipher: Cipher, role: Callable[..., dict[str, str]], wrong: dict[str, str]
) -> None:
    async with open_store(corner.settings(**(role() | wrong)), cipher) as store:
        with pytest.raises(StoreDown, match="role id or secret id are not accepted") as down:
            await store.list_refs()

    assert down.value.fault is StoreFault.LOGIN_REFUSED


async def test_a_secret_id_that_was_taken_back_is_a_refused_login(
    corner: Corner, cipher: Cipher, role: Callable[..., dict[str, str]]
) -> None:
    async with open_store(corner.settings(**role(secret_id_num_uses=1)), cipher) as store:
        await store.health()
        revoke_all(corner, "approle/login")

        with pytest.raises(StoreDown) as down:
            await store.health()

    assert down.value.fault is StoreFault.LOGIN_REFUSED


async def test_a_login_that_cannot_be_renewed_is_reported_once(
    tmp_path: Path, cipher: Cipher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "RETRY_SECONDS", (0.05, 0.05))
    attempts = 0

    async def let_in_once(request: web.Request) -> web.Response:
        nonlocal attempts
        if not request.path.endswith("/login"):
            return answer({"data": {"keys": []}}) if "/metadata/" in request.path else answer({"errors": []}, 403)
        attempts += 1
        if attempts > 1:
            return answer({"errors": ["invalid secret id"]}, 400)
        return answer({"auth": {"client_token": "t", "lease_duration": 0.2, "renewable": True}})

    login = {"auth": "approle", "role_id": "alertd", "secret_id": "once"}
    with capture_logs() as logs:
        async with (
            answering(let_in_once) as address,
            open_store(vault_settings(tmp_path, address=address, **login), cipher) as store,
        ):
            await store.health()
            await until(lambda: attempts >= 4)

    assert events(logs) == [LOGGED_IN, NOT_RENEWED]
    assert logs[1]["fault"] is StoreFault.LOGIN_REFUSED


async def test_an_outage_at_renewal_time_is_reported_once_and_so_is_its_end(
    corner: Corner, cipher: Cipher, role: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "RENEWED_AFTER", 0.01)
    monkeypatch.setattr(session, "RETRY_SECONDS", (0.05, 0.05))
    login = role(token_ttl="30s")
    with capture_logs() as logs:
        async with (
            wire_to(corner.bao.address) as wire,
            open_store(corner.settings(address=wire.address, **login), cipher) as store,
        ):
            await store.health()
            wire.cut()
            await until(lambda: wire.broken >= 2 * RESET_TRIES)
            wire.breaks = 0
            await until(lambda: RENEWED_AGAIN in events(logs))

    assert [(line["log_level"], line["event"]) for line in logs] == [
        ("info", LOGGED_IN),
        ("warning", NOT_RENEWED),
        ("info", RENEWED_AGAIN),
    ]


async def test_a_renewable_token_is_renewed(corner: Corner, cipher: Cipher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "RENEWED_AFTER", 0.01)
    token = corner.token(corner.policy(), ttl="30s")

    def ends_at() -> str:
        return str(corner.client.auth.token.lookup(token)["data"]["expire_time"])

    first = ends_at()
    async with open_store(corner.settings(token=token), cipher) as store:
        await store.health()
        await until(lambda: ends_at() > first)


async def test_a_token_at_its_longest_life_is_warned_about_and_then_refused(corner: Corner, cipher: Cipher) -> None:
    token = corner.token(corner.policy(), ttl="3s", explicit_max_ttl="3s")
    with capture_logs() as logs:
        async with open_store(corner.settings(token=token), cipher) as store:
            await store.health()
            await until(lambda: len(logs) == 2)
            corner.client.auth.token.revoke(token)
            with pytest.raises(StoreDown, match="into secrets") as down:
                await store.health()

    assert down.value.fault is StoreFault.LOGIN_REFUSED
    assert events(logs) == [LOGGED_IN, "The token of the secret store cannot be renewed further; replace it soon"]


async def test_a_token_that_cannot_be_renewed_is_warned_about_at_once(corner: Corner, cipher: Cipher) -> None:
    token = corner.token(corner.policy(), ttl="1h", renewable=False)
    with capture_logs() as logs:
        async with open_store(corner.settings(token=token), cipher) as store:
            await store.health()

    assert events(logs) == [LOGGED_IN, "The token of the secret store ends and cannot be renewed"]


async def test_a_token_that_dies_is_a_refused_login(corner: Corner, cipher: Cipher) -> None:
    corner.put(ref().path, api_key="k")
    token = corner.token(corner.policy(), ttl="1h", renewable=False)
    async with open_store(corner.settings(token=token), cipher) as store:
        await store.health()
        corner.client.auth.token.revoke(token)
        with pytest.raises(StoreDown) as down:
            await store.read(ref())

    assert down.value.fault is StoreFault.LOGIN_REFUSED


@pytest.mark.parametrize("token", ["mistyped", "s.nonsense", "two\nlines", "smörgås", "€"])
async def test_a_token_that_is_none_is_a_refused_login(corner: Corner, cipher: Cipher, token: str) -> None:
    async with open_store(corner.settings(token=token), cipher) as store:
        with pytest.raises(StoreDown) as down:
            await store.list_refs()

    assert down.value.fault is StoreFault.LOGIN_REFUSED


async def test_a_token_that_may_not_look_at_itself_is_told_from_a_dead_one(corner: Corner, cipher: Cipher) -> None:
    corner.put(ref(BOB).path, api_key="k")
    policy = corner.policy(
        'path "$mount/metadata/$prefix" { capabilities = ["list"] }\n'
        'path "$mount/data/$prefix/$bob/*" { capabilities = ["read"] }'
    )
    token = corner.token(policy, no_default_policy=True)
    async with open_store(corner.settings(token=token), cipher) as store:
        assert (await store.read(ref(BOB))).api_key == "k"
        with pytest.raises(Refused, match="forbids us to read"):
            await store.read(ref())
        corner.client.auth.token.revoke(token)
        with pytest.raises(StoreDown) as down:
            await store.version(ref(BOB))

    assert down.value.fault is StoreFault.LOGIN_REFUSED


async def test_a_token_that_may_not_look_at_itself_gets_into_an_empty_store(corner: Corner, cipher: Cipher) -> None:
    policy = corner.policy('path "$mount/metadata/$prefix" { capabilities = ["list"] }')
    token = corner.token(policy, no_default_policy=True)

    async with open_store(corner.settings(token=token), cipher) as store:
        assert (await store.list_refs()).refs == ()


async def test_callers_behind_a_failing_login_share_its_failure(tmp_path: Path, cipher: Cipher) -> None:
    asked = 0

    async def refuse(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.1)
        return answer({"errors": ["permission denied"]}, 403)

    async with answering(refuse) as address, open_store(vault_settings(tmp_path, address=address), cipher) as store:
        failures = await asyncio.gather(*(store.read(ref()) for _ in range(20)), return_exceptions=True)

    assert {type(failure) for failure in failures} == {StoreDown}
    assert asked == 2  # to look itself up, and to list


async def test_a_namespace_is_entered(corner: Corner, cipher: Cipher) -> None:
    space = f"team-{uuid4().hex[:8]}"
    corner.client.sys.create_namespace(space)
    inside = Corner(corner.bao, corner.state_dir, namespace=space, mount="kv")
    inside.client.sys.enable_secrets_engine("kv", path="kv", options={"version": "2"})
    inside.put(ref().path, api_key="team")

    async with open_store(inside.settings(), cipher) as store:
        assert (await store.list_refs()).refs == (ref(),)
        assert (await store.read(ref())).api_key == "team"


async def test_a_wrong_namespace_is_named(corner: Corner, cipher: Cipher) -> None:
    async with open_store(corner.settings(namespace="nowhere"), cipher) as store:
        with pytest.raises(StoreDown, match="its namespace 'nowhere'"):
            await store.list_refs()


def service_account_token(namespace: str, name: str) -> str:
    """The shape of a pod's token; the fake API server vouches for it, so the signature is any."""
    claims = {
        "iss": "kubernetes/serviceaccount",
        "aud": ["https://kubernetes.default.svc"],
        "iat": 1_700_000_000,
        "nbf": 1_700_000_000,
        "exp": 4_000_000_000,
        "sub": f"system:serviceaccount:{namespace}:{name}",
        "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": "u-1"}},
    }
    parts = [json.dumps({"alg": "RS256", "typ": "JWT"}).encode(), json.dumps(claims).encode(), os.urandom(64)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def vouching(name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def review(request: web.Request) -> web.Response:
        user = {"username": f"system:serviceaccount:alertd:{name}", "uid": "u-1", "groups": ["system:serviceaccounts"]}
        body = await request.json()
        status = {"authenticated": True, "user": user, "audiences": body["spec"]["audiences"]}
        return answer(body | {"status": status}, 201)

    return review


@pytest.fixture
async def pods(corner: Corner) -> AsyncIterator[Callable[[str], Awaitable[dict[str, str]]]]:
    """Binds the account `alertd` to a role, behind an API server that vouches for every token as `account`'s."""
    async with AsyncExitStack() as stack:

        async def bind(account: str) -> dict[str, str]:
            cluster = await stack.enter_async_context(answering(vouching(account)))
            await asyncio.to_thread(configure_kubernetes, corner, cluster)
            return {"auth": "kubernetes", "role": "alertd"}

        yield bind


def configure_kubernetes(corner: Corner, cluster: str) -> None:
    client = corner.client
    if "kubernetes/" not in client.sys.list_auth_methods()["data"]:
        client.sys.enable_auth_method("kubernetes")
    client.auth.kubernetes.configure(
        kubernetes_host=cluster, kubernetes_ca_cert=certificate_of_no_use(), disable_local_ca_jwt=True
    )
    client.auth.kubernetes.create_role(
        "alertd",
        bound_service_account_names="alertd",
        bound_service_account_namespaces="alertd",
        policies=[corner.policy()],
    )


async def test_a_pod_logs_in_with_its_service_account(
    corner: Corner, cipher: Cipher, pods: Callable[[str], Awaitable[dict[str, str]]]
) -> None:
    corner.put(ref().path, api_key="k")
    jwt = corner.state_dir / "jwt"
    jwt.write_text(service_account_token("alertd", "alertd"))

    async with open_vault(corner.settings(**await pods("alertd")), cipher, kubernetes_jwt=jwt) as store:
        assert (await store.read(ref())).api_key == "k"


async def test_a_pod_with_another_account_is_a_refused_login(
    corner: Corner, cipher: Cipher, pods: Callable[[str], Awaitable[dict[str, str]]]
) -> None:
    jwt = corner.state_dir / "jwt"
    jwt.write_text(service_account_token("alertd", "other"))

    async with open_vault(corner.settings(**await pods("other")), cipher, kubernetes_jwt=jwt) as store:
        with pytest.raises(StoreDown, match="service account is not accepted") as down:
            await store.list_refs()

    assert down.value.fault is StoreFault.LOGIN_REFUSED


async def test_outside_a_pod_the_missing_file_is_named(corner: Corner, cipher: Cipher) -> None:
    settings = corner.settings(auth="kubernetes", role="alertd")

    async with open_vault(settings, cipher, kubernetes_jwt=corner.state_dir / "none") as store:
        with pytest.raises(StoreDown, match="service account token"):
            await store.list_refs()
