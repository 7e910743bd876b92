"""A store that is sealed, gone, hung or not itself: one fault for all of it, and back when it is back."""

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from alertd.cipher import Cipher
from alertd.errors import StoreDown, StoreFault
from alertd.secretstore import open_store
from alertd.secretstore.vault_store import THREADS
from tests.bao import Bao, dev_server, free_port_pair, raft_server
from tests.secretstore.corner import Corner, ref, vault_settings
from tests.secretstore.stubs import always, answer, answering, hung_server, wire_to


@pytest.fixture(scope="module")
def raft() -> Iterator[Bao]:
    with raft_server() as server:
        yield server


async def test_a_sealed_store_says_so_and_is_back_when_unsealed(raft: Bao, tmp_path: Path, cipher: Cipher) -> None:
    corner = Corner(raft, tmp_path)
    corner.put(ref().path, api_key="k")
    async with open_store(corner.settings(), cipher) as store:
        assert (await store.list_refs()).refs == (ref(),)
        raft.seal()
        with pytest.raises(StoreDown, match="it is sealed; unseal it") as down:
            await store.list_refs()
        with pytest.raises(StoreDown, match="it is sealed; unseal it"):
            await store.version(ref())
        raft.unseal()
        assert (await store.read(ref())).api_key == "k"

    assert down.value.fault is StoreFault.SEALED


async def test_a_killed_store_is_unreachable_then_sealed_then_back(raft: Bao, tmp_path: Path, cipher: Cipher) -> None:
    corner = Corner(raft, tmp_path)
    corner.put(ref().path, api_key="k")
    async with open_store(corner.settings(), cipher) as store:
        await store.health()
        raft.kill()
        with pytest.raises(StoreDown, match="nothing listens there") as gone:
            await store.health()
        raft.restart()
        with pytest.raises(StoreDown) as sealed:
            await store.health()
        raft.unseal()
        assert (await store.list_refs()).refs == (ref(),)

    assert (gone.value.fault, sealed.value.fault) == (StoreFault.UNREACHABLE, StoreFault.SEALED)


async def test_a_daemon_that_starts_while_the_store_is_sealed_logs_in_later(
    raft: Bao, tmp_path: Path, cipher: Cipher
) -> None:
    corner = Corner(raft, tmp_path)
    corner.put(ref().path, api_key="k")
    raft.seal()
    async with open_store(corner.settings(), cipher) as store:
        with pytest.raises(StoreDown) as down:
            await store.health()
        raft.unseal()
        assert (await store.read(ref())).api_key == "k"

    assert down.value.fault is StoreFault.SEALED


async def test_a_store_that_was_never_initialised_says_so(tmp_path: Path, cipher: Cipher) -> None:
    with raft_server(initialised=False) as server:
        async with open_store(Corner(server, tmp_path).settings(token="t"), cipher) as store:
            with pytest.raises(StoreDown, match="not initialised") as down:
                await store.health()

    assert down.value.fault is StoreFault.SEALED


async def test_a_hung_store_is_given_up_after_the_timeout(tmp_path: Path, cipher: Cipher) -> None:
    with hung_server() as address:
        async with open_store(vault_settings(tmp_path, address=address, timeout_seconds=0.2), cipher) as store:
            with pytest.raises(StoreDown, match="does not answer in time") as down:
                await store.read(ref())

    assert down.value.fault is StoreFault.UNREACHABLE


async def test_a_hung_store_holds_up_nobody_for_long(tmp_path: Path, cipher: Cipher) -> None:
    with hung_server() as address:
        async with open_store(vault_settings(tmp_path, address=address, timeout_seconds=0.2), cipher) as store:
            async with asyncio.timeout(5):
                failures = await asyncio.gather(*(store.read(ref()) for _ in range(200)), return_exceptions=True)

    assert {type(failure) for failure in failures} == {StoreDown}


async def test_whoever_waited_behind_a_hung_request_waits_no_longer(tmp_path: Path, cipher: Cipher) -> None:
    asked = 0
    released = asyncio.Event()

    async def hang_later(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        if "/data/" not in request.path:
            return await always(200, {"data": {"keys": []}})(request)
        asked += 1
        await released.wait()
        return answer({})

    async with (
        answering(hang_later) as address,
        open_store(vault_settings(tmp_path, address=address, timeout_seconds=0.5), cipher) as store,
    ):
        await store.health()
        failures = await asyncio.gather(*(store.read(ref(label=f"n{i}")) for i in range(40)), return_exceptions=True)
        released.set()

    assert {type(failure) for failure in failures} == {StoreDown}
    assert asked <= 2 * THREADS


async def test_an_answer_that_trickles_in_is_given_up_too(tmp_path: Path, cipher: Cipher) -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000000"})
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.05)

    async with answering(trickle) as address:
        settings = vault_settings(tmp_path, address=address, timeout_seconds=0.3)
        async with open_store(settings, cipher) as store:
            with pytest.raises(StoreDown, match="does not answer in time"):
                await store.health()


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("127.0.0.1:1", "nothing listens there"),
        ("nowhere.invalid:8200", "its name does not resolve"),
    ],
)
async def test_an_address_without_a_store_is_unreachable(tmp_path: Path, cipher: Cipher, host: str, why: str) -> None:
    async with open_store(vault_settings(tmp_path, address=f"http://{host}"), cipher) as store:
        with pytest.raises(StoreDown, match=why) as down:
            await store.list_refs()

    assert down.value.fault is StoreFault.UNREACHABLE


ERRORS = {"errors": ["something"]}


@pytest.mark.parametrize(
    ("status", "body", "fault", "why"),
    [
        (412, ERRORS, StoreFault.UNREACHABLE, "a standby or a replica"),
        (429, ERRORS, StoreFault.UNREACHABLE, "rate quota"),
        (472, ERRORS, StoreFault.UNREACHABLE, "a standby or a replica"),
        (473, ERRORS, StoreFault.UNREACHABLE, "a standby or a replica"),
        (405, ERRORS, StoreFault.UNREACHABLE, "a standby or a replica"),
        (500, ERRORS, StoreFault.UNREACHABLE, "its own log says why"),
        (500, "<h1>oops</h1>", StoreFault.UNREACHABLE, "its own log says why"),
        (501, ERRORS, StoreFault.SEALED, "not initialised"),
        (502, "<h1>Bad gateway</h1>", StoreFault.UNREACHABLE, "the proxy before it"),
        (503, "<h1>No backend</h1>", StoreFault.UNREACHABLE, "it is unavailable"),
        (504, "<h1>Late</h1>", StoreFault.UNREACHABLE, "a standby or a replica"),
        (400, ERRORS, StoreFault.UNREACHABLE, "refuses to list"),
        (404, "<h1>Not found</h1>", StoreFault.UNREACHABLE, "there is no mount"),
        (200, "<h1>Welcome</h1>", StoreFault.UNREACHABLE, "is no Vault"),
        (200, {"data": []}, StoreFault.UNREACHABLE, "is no Vault"),
        (204, "", StoreFault.UNREACHABLE, "is no Vault"),
    ],
)
async def test_what_an_ill_store_answers_is_a_fault_of_the_store(
    tmp_path: Path, cipher: Cipher, status: int, body: object, fault: StoreFault, why: str
) -> None:
    async with (
        answering(always(status, body)) as address,
        open_store(vault_settings(tmp_path, address=address), cipher) as store,
    ):
        with pytest.raises(StoreDown, match=why) as down:
            await store.list_refs()

    assert down.value.fault is fault


async def test_an_unsealed_store_that_is_unavailable_is_not_called_sealed(tmp_path: Path, cipher: Cipher) -> None:
    async def handle(request: web.Request) -> web.Response:
        if request.path.endswith("/seal-status"):
            return answer({"initialized": True, "sealed": False})
        return answer(ERRORS, 503)

    async with answering(handle) as address, open_store(vault_settings(tmp_path, address=address), cipher) as store:
        with pytest.raises(StoreDown, match="although unsealed") as down:
            await store.list_refs()

    assert down.value.fault is StoreFault.UNREACHABLE


async def test_a_standby_that_points_to_the_active_server_is_followed(corner: Corner, cipher: Cipher) -> None:
    corner.put(ref().path, api_key="k")

    async def point(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(f"{corner.bao.address}{request.path_qs}")

    async with answering(point) as address, open_store(corner.settings(address=address), cipher) as store:
        assert (await store.read(ref())).api_key == "k"


async def test_redirects_without_end_are_not_followed_without_end(tmp_path: Path, cipher: Cipher) -> None:
    async def point(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(request.path)

    async with answering(point) as address, open_store(vault_settings(tmp_path, address=address), cipher) as store:
        with pytest.raises(StoreDown, match="redirects without end"):
            await store.list_refs()


async def test_a_connection_that_breaks_is_tried_again_at_once(corner: Corner, cipher: Cipher) -> None:
    corner.put(ref().path, api_key="k")
    async with (
        wire_to(corner.bao.address, breaks=2) as wire,
        open_store(corner.settings(address=wire.address), cipher) as store,
    ):
        assert (await store.read(ref())).api_key == "k"


async def test_a_connection_that_keeps_breaking_is_given_up(corner: Corner, cipher: Cipher) -> None:
    async with (
        wire_to(corner.bao.address, breaks=1000) as wire,
        open_store(corner.settings(address=wire.address), cipher) as store,
    ):
        with pytest.raises(StoreDown, match="the connection fails"):
            await store.health()


async def test_a_write_is_not_tried_twice(corner: Corner, cipher: Cipher) -> None:
    asked = 0

    async def cut(request: web.Request) -> web.Response:
        nonlocal asked
        if request.method == "GET":
            return answer({"data": {"ttl": 0}})
        asked += 1
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with answering(cut) as address, open_store(corner.settings(address=address), cipher) as through:
        with pytest.raises(StoreDown):
            await through.write(ref(), {"api_key": "k"})

    assert asked == 1


async def test_a_trusted_certificate_is_accepted_and_an_unknown_one_named(tmp_path: Path, cipher: Cipher) -> None:
    with dev_server(tls=True) as server:
        corner = Corner(server, tmp_path)
        corner.put(ref().path, api_key="k")
        async with open_store(corner.settings(ca_cert=server.ca_cert), cipher) as store:
            assert (await store.read(ref())).api_key == "k"
        async with open_store(corner.settings(), cipher) as store:
            with pytest.raises(StoreDown, match="certificate is not trusted") as down:
                await store.health()

    assert down.value.fault is StoreFault.UNREACHABLE


async def test_a_redirect_from_tls_to_plain_http_is_not_followed(
    corner: Corner, cipher: Cipher, tmp_path: Path
) -> None:
    async def point(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(f"{corner.bao.address}{request.path_qs}")

    with dev_server(tls=True) as server:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(server.home / "vault-cert.pem", server.home / "vault-key.pem")
        async with (
            answering(point, tls=tls) as address,
            open_store(corner.settings(address=address, ca_cert=server.ca_cert), cipher) as store,
        ):
            with pytest.raises(StoreDown, match="is no Vault"):
                await store.health()


async def test_a_certificate_file_that_vanished_is_named(corner: Corner, cipher: Cipher, tmp_path: Path) -> None:
    certificate = tmp_path / "ca.pem"
    certificate.touch()
    settings = corner.settings(address="https://127.0.0.1:1", ca_cert=certificate)
    certificate.unlink()

    async with open_store(settings, cipher) as store:
        with pytest.raises(StoreDown, match="ca_cert"):
            await store.health()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_proxies_of_the_environment_are_not_asked(
    corner: Corner, cipher: Cipher, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, f"http://127.0.0.1:{free_port_pair()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    async with open_store(corner.settings(), cipher) as store:
        await store.health()


async def test_a_token_of_the_environment_is_not_used(
    corner: Corner, cipher: Cipher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", corner.bao.root_token)

    async with open_store(corner.settings(token="mistyped"), cipher) as store:
        with pytest.raises(StoreDown) as down:
            await store.health()

    assert down.value.fault is StoreFault.LOGIN_REFUSED
