"""Sealed files: private, bound to their place, replaced in one step, and one broken file harms no other."""

import asyncio
import json
import stat
from pathlib import Path
from shutil import copy

import pytest

from alertd.cipher import Cipher, is_sealed
from alertd.errors import Absent, Refused, StoreDown, StoreFault
from alertd.model import CredentialType
from alertd.secretstore import Listing, ciphertext_exists
from alertd.secretstore.file import FileStore
from tests.secretstore.corner import ALICE, BOB, ref

FIELDS = {"api_key": "the-key", "api_secret": "the-secret", "testnet": True, "metadata": {"by": "ops"}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


@pytest.fixture
def files(root: Path, cipher: Cipher) -> FileStore:
    return FileStore(root, cipher)


def modes(folder: Path) -> set[str]:
    return {stat.filemode(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}


async def test_what_was_written_is_read(files: FileStore) -> None:
    version = await files.write(ref(), FIELDS)

    secret = await files.read(ref())

    assert (secret.api_key, secret.api_secret, secret.testnet) == ("the-key", "the-secret", True)
    assert secret.metadata == {"by": "ops"}
    assert secret.version == version == await files.version(ref())


async def test_every_write_has_another_version(files: FileStore) -> None:
    assert await files.write(ref(), FIELDS) != await files.write(ref(), FIELDS)


async def test_a_written_key_is_there_for_the_next_process(files: FileStore, root: Path, cipher: Cipher) -> None:
    await files.write(ref(), FIELDS)

    assert (await FileStore(root, cipher).read(ref())).api_key == "the-key"


async def test_files_are_sealed_and_private(files: FileStore, root: Path) -> None:
    await files.write(ref(label="main"), FIELDS)

    text = (root / ref(label="main").path).read_text()
    assert is_sealed(text.strip())
    assert "the-secret" not in text
    assert modes(root) == {"drwx------", "-rw-------"}


async def test_a_write_leaves_no_draft_behind(files: FileStore, root: Path) -> None:
    await files.write(ref(), FIELDS)
    await files.write(ref(), FIELDS)

    assert [path.name for path in root.rglob("*") if path.is_file()] == ["trading"]


async def test_a_store_in_which_nothing_was_ever_written_is_empty(files: FileStore) -> None:
    assert await files.list_refs() == Listing((), ())
    await files.health()


async def test_every_credential_is_found_in_the_order_of_paths(files: FileStore) -> None:
    await files.write(ref(BOB, "okx", CredentialType.READONLY, "fund-2"), FIELDS)
    await files.write(ref(), FIELDS)

    listing = await files.list_refs()

    assert (listing.refs, listing.skipped) == ((ref(), ref(BOB, "okx", CredentialType.READONLY, "fund-2")), ())


@pytest.mark.parametrize(
    ("path", "skipped", "why"),
    [
        ("notes", "notes", "not a UUID"),
        ("acme/exchanges/binance/trading", "acme/", "not a UUID"),
        (f"{ALICE}/exchanges/Binance/trading", f"{ALICE}/exchanges/Binance/", "exchange id"),
        (f"{ALICE}/exchanges/binance/Trading", f"{ALICE}/exchanges/binance/Trading", "neither trading"),
        (f"{ALICE}/exchanges/binance/trading/x", f"{ALICE}/exchanges/binance/trading/", "neither trading"),
        (f"{ALICE}/exchanges", f"{ALICE}/exchanges", "cannot be read"),
    ],
)
async def test_what_is_no_credential_is_skipped_and_stops_nothing(
    files: FileStore, root: Path, path: str, skipped: str, why: str
) -> None:
    await files.write(ref(BOB), FIELDS)
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("x")

    listing = await files.list_refs()

    assert listing.refs == (ref(BOB),)
    assert [found.path for found in listing.skipped] == [skipped]
    assert why in listing.skipped[0].why


async def test_a_tenant_without_exchanges_has_no_keys(files: FileStore, root: Path) -> None:
    (root / str(ALICE)).mkdir(parents=True)

    assert await files.list_refs() == Listing((), ())


async def test_a_draft_of_a_killed_process_is_not_listed(files: FileStore, root: Path) -> None:
    await files.write(ref(), FIELDS)
    (root / ref().path).with_name(".trading.0123456789abcdef").write_text("half")

    assert await files.list_refs() == Listing((ref().path,), ())


@pytest.mark.parametrize("method", ["read", "version"])
async def test_a_key_that_is_not_there_is_absent(files: FileStore, method: str) -> None:
    with pytest.raises(Absent, match=ref().path):
        await getattr(files, method)(ref())


async def test_a_removed_key_is_absent(files: FileStore) -> None:
    await files.write(ref(), FIELDS)

    await files.remove(ref())

    with pytest.raises(Absent):
        await files.read(ref())
    assert (await files.list_refs()).refs == ()


async def test_removing_what_is_not_there_is_nothing(files: FileStore) -> None:
    await files.remove(ref())


async def test_a_copy_in_another_tenants_folder_does_not_open(files: FileStore, root: Path) -> None:
    await files.write(ref(), FIELDS)
    await files.write(ref(BOB), FIELDS)
    (root / ref(BOB).path).write_bytes((root / ref().path).read_bytes())

    with pytest.raises(Refused, match=f"cannot open the stored key {ref(BOB).path}"):
        await files.read(ref(BOB))
    assert (await files.read(ref())).api_key == "the-key"


@pytest.mark.parametrize("content", [b"", b"not sealed", b"\xff\x00\xfe", json.dumps(FIELDS).encode()])
async def test_a_file_that_is_not_sealed_is_refused_alone(files: FileStore, root: Path, content: bytes) -> None:
    await files.write(ref(), FIELDS)
    await files.write(ref(BOB), FIELDS)
    (root / ref().path).write_bytes(content)

    with pytest.raises(Refused, match=f"cannot open the stored key {ref().path}"):
        await files.read(ref())
    assert (await files.list_refs()).refs == (ref(), ref(BOB))


async def test_a_changed_file_is_refused_and_has_another_version(files: FileStore, root: Path) -> None:
    version = await files.write(ref(), FIELDS)
    text = (root / ref().path).read_text()
    (root / ref().path).write_text(text[:40] + ("A" if text[40] != "A" else "B") + text[41:])

    with pytest.raises(Refused, match="cannot open"):
        await files.read(ref())
    assert await files.version(ref()) != version


async def test_a_symbolic_link_is_no_key(files: FileStore, root: Path) -> None:
    await files.write(ref(), FIELDS)
    (root / ref(label="linked").path).symlink_to(root / ref().path)

    with pytest.raises(Refused, match="cannot read the stored key"):
        await files.read(ref(label="linked"))


async def test_a_folder_in_a_keys_place_is_refused(files: FileStore, root: Path) -> None:
    (root / ref().path).mkdir(parents=True)

    with pytest.raises(Refused, match="cannot read the stored key"):
        await files.read(ref())


async def test_one_file_sealed_with_a_lost_key_is_refused_alone(files: FileStore, root: Path) -> None:
    await files.write(ref(), FIELDS)
    await FileStore(root, Cipher([b"x" * 32])).write(ref(BOB), FIELDS)

    assert (await files.list_refs()).refs == (ref(), ref(BOB))
    with pytest.raises(Refused, match="was sealed with key"):
        await files.read(ref(BOB))


async def test_many_files_sealed_with_a_lost_key_do_not_lose_the_others(files: FileStore, root: Path) -> None:
    await FileStore(root, Cipher([b"x" * 32])).write(ref(), FIELDS)
    foreign = root / ref().path
    await asyncio.gather(*(asyncio.to_thread(copy, foreign, f"{foreign}.n{number}") for number in range(400)))
    await files.write(ref(label="ours"), FIELDS)

    await files.health()


@pytest.mark.parametrize("method", ["list_refs", "health"])
async def test_a_lost_encryption_key_is_a_store_that_is_down(files: FileStore, root: Path, method: str) -> None:
    await FileStore(root, Cipher([b"x" * 32])).write(ref(), FIELDS)

    with pytest.raises(StoreDown, match="bring the old one back") as down:
        await getattr(files, method)()

    assert down.value.fault is StoreFault.LOGIN_REFUSED


async def test_a_rotated_key_opens_what_the_old_one_sealed(files: FileStore, root: Path) -> None:
    await files.write(ref(), FIELDS)
    rotated = FileStore(root, Cipher([b"n" * 32, b"k" * 32]))

    assert (await rotated.list_refs()).refs == (ref(),)
    assert (await rotated.read(ref())).api_key == "the-key"


async def test_a_root_that_is_no_folder_is_a_store_that_is_down(files: FileStore, root: Path) -> None:
    root.write_text("x")

    with pytest.raises(StoreDown, match="not a directory") as down:
        await files.list_refs()
    with pytest.raises(StoreDown, match="cannot write"):
        await files.write(ref(), FIELDS)

    assert down.value.fault is StoreFault.UNREACHABLE


async def test_a_key_that_cannot_be_removed_is_a_store_that_is_down(files: FileStore, root: Path) -> None:
    (root / ref().path).mkdir(parents=True)

    with pytest.raises(StoreDown, match="cannot delete"):
        await files.remove(ref())


@pytest.mark.parametrize("label", ["../../../../escaped", "/tmp/escaped", "..", "a\x00b"])
@pytest.mark.parametrize("method", ["read", "version", "remove"])
async def test_a_label_cannot_lead_out_of_the_folder(files: FileStore, label: str, method: str) -> None:
    with pytest.raises(Refused, match="cannot name a credential"):
        await getattr(files, method)(ref(label=label))


@pytest.mark.parametrize("label", ["../../../../escaped", "a/b"])
async def test_nothing_is_written_outside_the_folder(files: FileStore, tmp_path: Path, label: str) -> None:
    with pytest.raises(Refused, match="cannot name a credential"):
        await files.write(ref(label=label), FIELDS)

    assert list(tmp_path.rglob("*")) == []


async def test_readers_see_a_whole_key_while_it_is_replaced(files: FileStore) -> None:
    await files.write(ref(), {"api_key": "0"})

    async def replace() -> None:
        for number in range(30):
            await files.write(ref(), {"api_key": str(number)})

    writers = asyncio.gather(replace(), replace())
    seen = [(await files.read(ref())).api_key for _ in range(60)]
    await writers

    assert all(key.isdigit() for key in seen)


async def test_forgetting_changes_nothing(files: FileStore) -> None:
    await files.write(ref(), FIELDS)

    files.forget(ref())

    assert (await files.read(ref())).api_key == "the-key"


async def test_ciphertext_exists_once_a_key_was_written(files: FileStore, tmp_path: Path) -> None:
    before = ciphertext_exists(tmp_path)
    await files.write(ref(), FIELDS)

    assert (before, ciphertext_exists(tmp_path)) == (False, True)


async def test_empty_folders_are_no_ciphertext(files: FileStore, tmp_path: Path) -> None:
    await files.write(ref(), FIELDS)
    await files.remove(ref())

    assert not ciphertext_exists(tmp_path)
