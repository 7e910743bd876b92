"""Reading, versions and the cache in front; writing and removing."""

import pytest

from alertd.cipher import Cipher
from alertd.errors import Absent, Refused
from alertd.model import CredentialType
from alertd.secretstore import SecretStore, open_store
from tests.secretstore.corner import BOB, Corner, ref


async def test_a_stored_key_is_read_with_its_version(corner: Corner, store: SecretStore) -> None:
    corner.put(ref().path, api_key="k", api_secret="s", passphrase="p", testnet=True, metadata={"by": "ops"})

    secret = await store.read(ref())

    assert (secret.api_key, secret.api_secret, secret.passphrase, secret.testnet) == ("k", "s", "p", True)
    assert secret.metadata == {"by": "ops"}
    assert secret.version == await store.version(ref())


async def test_a_key_with_a_label_has_a_leaf_of_its_own(corner: Corner, store: SecretStore) -> None:
    labelled = ref(credential_type=CredentialType.READONLY, label="fund-2")
    corner.put(labelled.path, api_key="fund")

    assert (await store.read(labelled)).api_key == "fund"


async def test_a_second_read_within_the_interval_is_remembered(corner: Corner, store: SecretStore) -> None:
    corner.put(ref().path, api_key="old")
    await store.read(ref())
    corner.put(ref().path, api_key="new")

    assert (await store.read(ref())).api_key == "old"


async def test_seeing_a_new_version_makes_the_next_read_a_fresh_one(corner: Corner, store: SecretStore) -> None:
    corner.put(ref().path, api_key="old")
    before = await store.read(ref())
    corner.put(ref().path, api_key="new")

    version = await store.version(ref())

    assert version != before.version
    assert await store.read(ref()) != before
    assert (await store.read(ref())).version == version


async def test_what_was_forgotten_is_read_again(corner: Corner, store: SecretStore) -> None:
    corner.put(ref().path, api_key="old")
    await store.read(ref())
    corner.put(ref().path, api_key="new")

    store.forget(ref())

    assert (await store.read(ref())).api_key == "new"


async def test_a_key_erased_and_written_anew_has_another_version(corner: Corner, store: SecretStore) -> None:
    corner.put(ref().path, api_key="old")
    before = await store.version(ref())
    corner.client.secrets.kv.v2.delete_metadata_and_all_versions(**corner.where(ref().path))
    corner.put(ref().path, api_key="new")

    assert await store.version(ref()) != before


async def test_a_key_that_never_was_is_absent(store: SecretStore) -> None:
    with pytest.raises(Absent, match=ref().path):
        await store.read(ref())
    with pytest.raises(Absent, match=ref().path):
        await store.version(ref())


async def test_a_key_whose_latest_version_is_deleted_is_absent(corner: Corner, store: SecretStore) -> None:
    corner.put(ref().path, api_key="k")
    corner.client.secrets.kv.v2.delete_latest_version_of_secret(**corner.where(ref().path))

    with pytest.raises(Absent, match="is deleted"):
        await store.read(ref())
    with pytest.raises(Absent, match="is deleted"):
        await store.version(ref())


async def test_a_key_whose_latest_version_is_destroyed_is_absent(corner: Corner, store: SecretStore) -> None:
    corner.put(ref().path, api_key="k")
    corner.client.secrets.kv.v2.destroy_secret_versions(versions=[1], **corner.where(ref().path))

    with pytest.raises(Absent):
        await store.read(ref())
    with pytest.raises(Absent, match="has no version"):
        await store.version(ref())


async def test_a_key_with_metadata_and_no_version_is_absent(corner: Corner, store: SecretStore) -> None:
    corner.client.secrets.kv.v2.update_metadata(custom_metadata={"owner": "x"}, **corner.where(ref().path))

    with pytest.raises(Absent, match="has no version"):
        await store.version(ref())


async def test_a_deletion_is_noticed_through_the_cache(corner: Corner, store: SecretStore) -> None:
    corner.put(ref().path, api_key="k")
    await store.read(ref())
    corner.client.secrets.kv.v2.delete_latest_version_of_secret(**corner.where(ref().path))

    with pytest.raises(Absent):
        await store.version(ref())
    with pytest.raises(Absent):
        await store.read(ref())


async def test_a_version_that_will_be_deleted_later_is_still_there(corner: Corner, store: SecretStore) -> None:
    corner.client.secrets.kv.v2.update_metadata(delete_version_after="1h", **corner.where(ref().path))
    corner.put(ref().path, api_key="k")

    assert await store.version(ref()) == (await store.read(ref())).version


async def test_a_path_that_a_policy_withholds_is_refused_alone(corner: Corner, cipher: Cipher) -> None:
    corner.put(ref().path, api_key="k")
    corner.put(ref(BOB).path, api_key="k")
    policy = corner.policy('path "$mount/+/$prefix/$bob/*" { capabilities = ["read"] }')

    async with open_store(corner.settings(token=corner.token(policy)), cipher) as store:
        with pytest.raises(Refused, match=f"forbids us to read {ref().path}"):
            await store.read(ref())
        assert (await store.read(ref(BOB))).api_key == "k"


async def test_without_a_right_to_metadata_the_version_comes_from_the_data(corner: Corner, cipher: Cipher) -> None:
    corner.put(ref().path, api_key="k")
    policy = corner.policy('path "$mount/data/$prefix/*" { capabilities = ["read"] }')

    async with open_store(corner.settings(token=corner.token(policy)), cipher) as store:
        assert await store.version(ref()) == (await store.read(ref())).version


async def test_without_a_right_to_metadata_a_new_version_is_noticed(corner: Corner, cipher: Cipher) -> None:
    corner.put(ref().path, api_key="old")
    policy = corner.policy('path "$mount/data/$prefix/*" { capabilities = ["read"] }')

    async with open_store(corner.settings(token=corner.token(policy)), cipher) as store:
        await store.read(ref())
        corner.put(ref().path, api_key="new")
        await store.version(ref())
        assert (await store.read(ref())).api_key == "new"


async def test_writing_replaces_all_fields_and_tells_the_version(corner: Corner, store: SecretStore) -> None:
    corner.put(ref().path, api_key="old", passphrase="old")
    await store.read(ref())

    version = await store.write(ref(), {"api_key": "new", "api_secret": "s"})

    secret = await store.read(ref())
    assert (secret.api_key, secret.passphrase, secret.version) == ("new", "", version)


async def test_writing_without_the_right_is_refused(corner: Corner, cipher: Cipher) -> None:
    async with open_store(corner.settings(token=corner.token(corner.policy())), cipher) as store:
        with pytest.raises(Refused, match=f"forbids us to write {ref().path}"):
            await store.write(ref(), {"api_key": "k"})


async def test_a_write_that_the_engine_wants_checked_is_refused(corner: Corner, store: SecretStore) -> None:
    corner.client.secrets.kv.v2.update_metadata(cas_required=True, **corner.where(ref().path))

    with pytest.raises(Refused, match=f"refuses to write {ref().path}"):
        await store.write(ref(), {"api_key": "k"})


async def test_removing_can_be_undone_in_the_store(corner: Corner, store: SecretStore) -> None:
    await store.write(ref(), {"api_key": "k"})

    await store.remove(ref())

    with pytest.raises(Absent):
        await store.read(ref())
    corner.client.secrets.kv.v2.undelete_secret_versions(versions=[1], **corner.where(ref().path))
    assert (await store.read(ref())).api_key == "k"


async def test_removing_what_is_not_there_is_nothing(store: SecretStore) -> None:
    await store.remove(ref())


@pytest.mark.parametrize("label", ["../../x", "a/b"])
async def test_a_label_that_leads_elsewhere_is_refused_before_anything_is_sent(store: SecretStore, label: str) -> None:
    with pytest.raises(Refused, match="cannot name a credential"):
        await store.read(ref(label=label))
