"""What was sealed comes back in its own place with its own key, and in no other way."""

import base64
import re
import resource
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from alertd.cipher import KEY_FILE, Cipher, add_key, drop_old_keys, is_sealed, key_id, load_or_create_key
from alertd.errors import ConfigError, Refused

OLD = bytes(range(32))
NEW = bytes(range(32, 64))

KEYS = st.binary(min_size=32, max_size=32)
CHARACTERS = st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=v \n+/")


def written(*keys: bytes) -> SecretStr:
    return SecretStr(",".join(base64.b64encode(key).decode() for key in keys))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@given(key=KEYS, plaintext=st.binary(max_size=300), context=st.text(max_size=40))
def test_what_was_sealed_comes_back(key, plaintext, context):
    cipher = Cipher([key])

    assert cipher.unseal(cipher.seal(plaintext, context), context) == plaintext


@given(plaintext=st.binary(max_size=50), context=st.text(max_size=20), other=st.text(max_size=20))
def test_it_opens_in_no_other_place(plaintext, context, other):
    cipher = Cipher([NEW])
    elsewhere = other if other != context else other + "x"

    with pytest.raises(Refused, match="was changed, or belongs to another place"):
        cipher.unseal(cipher.seal(plaintext, context), elsewhere)


@given(data=st.data(), plaintext=st.binary(max_size=50))
def test_any_other_character_is_refused(data, plaintext):
    cipher = Cipher([NEW])
    text = cipher.seal(plaintext, "row 1")
    at = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(CHARACTERS.filter(lambda drawn: drawn != text[at]))

    with pytest.raises(Refused):
        cipher.unseal(text[:at] + character + text[at + 1 :], "row 1")


@given(text=st.text(max_size=80))
def test_a_text_that_was_never_sealed_is_refused(text):
    with pytest.raises(Refused):
        Cipher([NEW]).unseal(text, "row 1")


@given(body=st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True))
def test_a_forged_body_is_refused(body):
    with pytest.raises(Refused):
        Cipher([NEW]).unseal(f"v1.{key_id(NEW)}.{body}", "row 1")


def test_a_cut_text_is_refused():
    cipher = Cipher([NEW])

    with pytest.raises(Refused):
        cipher.unseal(cipher.seal(b"secret", "row 1")[:-4], "row 1")


@given(key=KEYS, plaintext=st.binary(max_size=50))
def test_the_form_of_a_sealed_text(key, plaintext):
    text = Cipher([key]).seal(plaintext, "row 1")

    assert re.fullmatch(rf"v1\.{key_id(key)}\.[A-Za-z0-9_-]+", text)
    assert is_sealed(text)


@pytest.mark.parametrize("text", ["", "whsec_abc", "v1.abc.def", "v2.00000000.abc", "v1.00000000.", "v1.00000000.a\n"])
def test_other_texts_are_not_sealed(text):
    assert not is_sealed(text)


def test_the_same_text_is_sealed_differently_each_time():
    cipher = Cipher([NEW])

    assert cipher.seal(b"secret", "row 1") != cipher.seal(b"secret", "row 1")


def test_a_key_that_is_not_there_is_named():
    text = Cipher([OLD]).seal(b"secret", "row 1")

    with pytest.raises(Refused, match=f"sealed with key {key_id(OLD)}, and .* has only {key_id(NEW)}"):
        Cipher([NEW]).unseal(text, "row 1")


def test_a_rotated_key_still_opens_and_the_new_one_seals():
    before = Cipher([OLD]).seal(b"secret", "row 1")
    rotated = Cipher([NEW, OLD])

    after = rotated.seal(rotated.unseal(before, "row 1"), "row 1")

    assert Cipher([NEW]).unseal(after, "row 1") == b"secret"
    assert (rotated.is_current(before), rotated.is_current(after)) == (False, True)


def test_a_cipher_prints_no_key():
    assert OLD.hex() not in repr(vars(Cipher([OLD])))
    assert key_id(OLD) != OLD.hex()[:8]


@pytest.mark.parametrize("keys", [[], [b"short"], [NEW, b""]])
def test_a_cipher_needs_keys_of_the_right_length(keys):
    with pytest.raises(ValueError, match="32 bytes"):
        Cipher(keys)


def test_a_key_is_made_once_and_kept(tmp_path):
    text = load_or_create_key(None, tmp_path, ciphertext_exists=False).seal(b"secret", "row 1")

    again = load_or_create_key(None, tmp_path, ciphertext_exists=True)

    assert again.unseal(text, "row 1") == b"secret"


def test_the_key_file_is_private_and_alone(tmp_path):
    state = tmp_path / "new" / "state"

    load_or_create_key(None, state, ciphertext_exists=False)

    assert stat.S_IMODE((state / KEY_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert names(state) == [KEY_FILE]


def test_the_key_file_can_be_given_as_the_setting(tmp_path):
    text = load_or_create_key(None, tmp_path, ciphertext_exists=False).seal(b"secret", "row 1")
    kept = SecretStr((tmp_path / KEY_FILE).read_text().strip())

    assert load_or_create_key(kept, tmp_path / "other", ciphertext_exists=True).unseal(text, "row 1") == b"secret"


def test_all_that_start_at_the_same_time_get_the_same_key(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        ciphers = list(threads.map(lambda _: load_or_create_key(None, tmp_path, ciphertext_exists=False), range(16)))

    assert len({cipher.key_ids for cipher in ciphers}) == 1
    assert names(tmp_path) == [KEY_FILE]


def test_no_key_is_made_while_something_sealed_exists(tmp_path):
    with pytest.raises(ConfigError, match=r"restore that file, or set the key that it held") as caught:
        load_or_create_key(None, tmp_path, ciphertext_exists=True)

    assert str(caught.value).startswith("secrets.encryption_key: is not set")
    assert names(tmp_path) == []


def test_a_configured_key_needs_no_file(tmp_path):
    cipher = load_or_create_key(written(NEW, OLD), tmp_path, ciphertext_exists=True)

    assert cipher.key_ids == (key_id(NEW), key_id(OLD))
    assert names(tmp_path) == []


def test_a_key_file_beside_a_configured_key_still_opens(tmp_path):
    text = load_or_create_key(None, tmp_path, ciphertext_exists=False).seal(b"secret", "row 1")

    cipher = load_or_create_key(written(NEW), tmp_path, ciphertext_exists=True)

    assert cipher.unseal(text, "row 1") == b"secret"
    assert cipher.key_ids[0] == key_id(NEW)


@pytest.mark.parametrize("text", [b"\xff" * 32, b"-" * 31 + b">"])
def test_both_alphabets_of_base64_are_read(tmp_path, text):
    standard = SecretStr(base64.b64encode(text).decode())
    url_safe = SecretStr(base64.urlsafe_b64encode(text).decode().rstrip("="))

    one = load_or_create_key(standard, tmp_path, ciphertext_exists=False)
    other = load_or_create_key(url_safe, tmp_path, ciphertext_exists=False)

    assert one.key_ids == other.key_ids == (key_id(text),)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("&&&&", "must be base64"), ("c2hvcnQ=", "must be 32 bytes in base64, got 5 bytes"), ("", "got 0 bytes")],
)
def test_a_bad_key_is_refused_with_the_way_to_a_good_one(tmp_path, text, complaint):
    with pytest.raises(ConfigError) as caught:
        load_or_create_key(SecretStr(text), tmp_path, ciphertext_exists=False)

    (problem,) = caught.value.problems
    assert problem.startswith("secrets.encryption_key: must be")
    assert complaint in problem
    assert problem.endswith("make one with: openssl rand -base64 32")


def test_a_damaged_key_file_is_never_replaced(tmp_path):
    (tmp_path / KEY_FILE).write_text("")

    with pytest.raises(ConfigError, match=re.escape(str(tmp_path / KEY_FILE))):
        load_or_create_key(None, tmp_path, ciphertext_exists=False)

    assert (tmp_path / KEY_FILE).read_text() == ""


def test_a_key_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / KEY_FILE).mkdir()

    with pytest.raises(ConfigError, match=r"cannot be read: is a directory"):
        load_or_create_key(None, tmp_path, ciphertext_exists=False)


def test_a_state_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match=r"make state_dir writable, or set secrets\.encryption_key"):
        load_or_create_key(None, tmp_path / "file", ciphertext_exists=False)


@contextmanager
def no_room() -> Iterator[None]:
    """No file of this process may grow meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_without_room_for_another_key_the_old_one_stays_alone(tmp_path: Path):
    made = load_or_create_key(None, tmp_path, ciphertext_exists=False)

    with no_room(), pytest.raises(ConfigError, match="cannot be replaced: file too large"):
        add_key(tmp_path)

    assert names(tmp_path) == [KEY_FILE]
    assert load_or_create_key(None, tmp_path, ciphertext_exists=True).key_ids == made.key_ids


@pytest.mark.parametrize("change", [add_key, drop_old_keys])
def test_a_key_file_that_is_not_there_is_not_changed(tmp_path: Path, change: Callable[[Path], Cipher]):
    with pytest.raises(ConfigError, match="does not exist"):
        change(tmp_path)

    assert names(tmp_path) == []
