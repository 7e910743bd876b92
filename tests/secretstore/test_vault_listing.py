"""What a walk through the folders finds, and what it leaves out with a reason."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from alertd.cipher import Cipher
from alertd.errors import StoreDown, StoreFault
from alertd.model import CredentialType
from alertd.secretstore import Listing, SecretStore, open_store
from alertd.secretstore.walk import walk
from tests.secretstore.corner import ALICE, BOB, Corner, ref, vault_settings
from tests.secretstore.stubs import answer, answering


async def test_every_credential_is_found_in_the_order_of_paths(corner: Corner, store: SecretStore) -> None:
    corner.put(f"{BOB}/exchanges/okx/readonly.fund-2", api_key="k")
    corner.put(f"{ALICE}/exchanges/kraken/trading", api_key="k")
    corner.put(f"{ALICE}/exchanges/binance/trading", api_key="k")

    listing = await store.list_refs()

    assert listing.refs == (
        ref(),
        ref(exchange="kraken"),
        ref(BOB, "okx", CredentialType.READONLY, "fund-2"),
    )
    assert listing.skipped == ()


async def test_a_store_in_which_nothing_was_ever_written_is_empty(store: SecretStore) -> None:
    assert await store.list_refs() == Listing((), ())


@pytest.mark.parametrize(
    ("path", "skipped", "why"),
    [
        ("acme/exchanges/binance/trading", "acme/", "not a UUID"),
        ("notes", "notes", "not a UUID"),
        (str(ALICE), str(ALICE), "where a folder should be"),
        (f"{ALICE}/exchanges/binance", f"{ALICE}/exchanges/binance", "where a folder should be"),
        (f"{ALICE}/exchanges/Binance/trading", f"{ALICE}/exchanges/Binance/", "exchange id"),
        (f"{ALICE}/exchanges/binance/Trading", f"{ALICE}/exchanges/binance/Trading", "neither trading"),
        (f"{ALICE}/exchanges/binance/trading/x", f"{ALICE}/exchanges/binance/trading/", "neither trading"),
        (f"{ALICE}/exchanges/binance/trading.a b", f"{ALICE}/exchanges/binance/trading.a b", "a label has"),
    ],
)
async def test_what_is_no_credential_is_skipped_and_stops_nothing(
    corner: Corner, store: SecretStore, path: str, skipped: str, why: str
) -> None:
    corner.put(path, api_key="k")
    corner.put(ref(BOB).path, api_key="k")

    listing = await store.list_refs()

    assert listing.refs == (ref(BOB),)
    assert [found.path for found in listing.skipped] == [skipped]
    assert why in listing.skipped[0].why


async def test_other_folders_of_a_tenant_are_not_our_business(corner: Corner, store: SecretStore) -> None:
    corner.put(f"{ALICE}/billing/card", number="1")

    assert await store.list_refs() == Listing((), ())


async def test_a_tenant_that_may_not_be_listed_is_skipped(corner: Corner, cipher: Cipher) -> None:
    corner.put(ref().path, api_key="k")
    corner.put(ref(BOB).path, api_key="k")
    policy = corner.policy(
        'path "$mount/metadata/$prefix" { capabilities = ["list"] }\n'
        'path "$mount/metadata/$prefix/$bob/*" { capabilities = ["list"] }'
    )

    async with open_store(corner.settings(token=corner.token(policy)), cipher) as store:
        listing = await store.list_refs()

    assert listing.refs == (ref(BOB),)
    assert [found.path for found in listing.skipped] == [f"{ALICE}/exchanges"]
    assert "forbids us to list" in listing.skipped[0].why


async def test_a_prefix_that_may_not_be_listed_is_a_store_that_is_down(corner: Corner, cipher: Cipher) -> None:
    policy = corner.policy('path "$mount/data/$prefix/*" { capabilities = ["read"] }')

    async with open_store(corner.settings(token=corner.token(policy)), cipher) as store:
        with pytest.raises(StoreDown, match="must grant `list`") as down:
            await store.list_refs()

    assert down.value.fault is StoreFault.FORBIDDEN


async def test_a_deleted_key_may_still_be_named(corner: Corner, store: SecretStore) -> None:
    corner.put(ref().path, api_key="k")
    corner.client.secrets.kv.v2.delete_latest_version_of_secret(**corner.where(ref().path))

    assert (await store.list_refs()).refs == (ref(),)


async def test_a_wrong_mount_is_named(corner: Corner, cipher: Cipher) -> None:
    async with open_store(corner.settings(mount="nowhere"), cipher) as store:
        with pytest.raises(StoreDown, match="there is no mount 'nowhere'") as down:
            await store.list_refs()

    assert down.value.fault is StoreFault.UNREACHABLE


async def test_a_mount_of_version_1_is_not_taken_for_an_empty_store(corner: Corner, cipher: Cipher) -> None:
    corner.client.sys.enable_secrets_engine("kv", path=f"{corner.prefix}-v1", options={"version": "1"})

    async with open_store(corner.settings(mount=f"{corner.prefix}-v1"), cipher) as store:
        with pytest.raises(StoreDown, match="no KV version 2 engine"):
            await store.list_refs()


async def test_a_mount_that_may_not_be_looked_at_is_believed_to_be_empty(tmp_path: Path, cipher: Cipher) -> None:
    async def handle(request: web.Request) -> web.Response:
        if request.path.endswith("/lookup-self"):
            return answer({"data": {"ttl": 0}})
        status = 403 if "/mounts/" in request.path else 404
        return answer({"errors": []}, status)

    async with (
        answering(handle) as address,
        open_store(vault_settings(tmp_path, address=address), cipher) as store,
    ):
        assert await store.list_refs() == Listing((), ())


async def test_health_says_nothing_while_a_listing_would_work(store: SecretStore) -> None:
    await store.health()


async def test_ten_thousand_folders_leave_the_loop_free_to_run() -> None:
    tenants = [f"0190a000-0000-7000-8000-{number:012x}/" for number in range(5000)]
    turns = 0

    async def names(path: str) -> tuple[str, ...]:
        await asyncio.sleep(0)
        return ("binance/",) if path.endswith("/exchanges") else ("readonly", "trading")

    async def neighbour() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beside = asyncio.create_task(neighbour())
    listing = await walk(names, tenants=tenants)
    beside.cancel()

    assert len(listing.refs) == 10_000
    assert turns > 1000


async def test_a_fault_in_the_middle_of_a_walk_ends_it() -> None:
    async def names(path: str) -> tuple[str, ...]:
        raise StoreDown(StoreFault.SEALED, "sealed in between")

    with pytest.raises(StoreDown, match="sealed in between"):
        await walk(names, tenants=[f"{ALICE}/", f"{BOB}/"])
