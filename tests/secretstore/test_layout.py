"""Names are read strictly, values kindly."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.errors import Refused
from alertd.model import CredentialRef, CredentialType
from alertd.secretstore.layout import Skipped, checked_path, parse, secret_of, shown
from tests.secretstore.corner import ALICE

REFS = st.builds(
    CredentialRef,
    st.uuids(),
    st.from_regex(r"[a-z0-9_-]{1,64}", fullmatch=True),
    st.sampled_from(CredentialType),
    st.just("") | st.from_regex(r"[A-Za-z0-9_-]([A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?", fullmatch=True),
)
FIELD_NAMES = ["api_key", "api_secret", "secret", "passphrase", "password", "testnet", "metadata"]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON_VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=5), SCALARS, max_size=3)
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\nab+/=\n-----END EC PRIVATE KEY-----"


@given(REFS)
def test_a_path_leads_back_to_its_ref(ref: CredentialRef) -> None:
    assert parse(ref.path) == ref
    assert checked_path(ref) == ref.path


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "not {tenant_id}"),
        (f"{ALICE}/binance/trading", "not {tenant_id}"),
        (f"{ALICE}/exchange/binance/trading", "not {tenant_id}"),
        (f"{ALICE}/exchanges/binance/trading/x", "not {tenant_id}"),
        ("acme/exchanges/binance/trading", "not a UUID"),
        (f"{str(ALICE).upper()}/exchanges/binance/trading", "lower case"),
        (f"{ALICE.hex}/exchanges/binance/trading", "with hyphens"),
        (f"{{{ALICE}}}/exchanges/binance/trading", "lower case"),
        (f"{ALICE}/exchanges/Binance/trading", "exchange id"),
        (f"{ALICE}/exchanges//trading", "exchange id"),
        (f"{ALICE}/exchanges/../trading", "exchange id"),
        (f"{ALICE}/exchanges/binance.us/trading", "exchange id"),
        (f"{ALICE}/exchanges/{'x' * 65}/trading", "exchange id"),
        (f"{ALICE}/exchanges/binance\n/trading", "exchange id"),
        (f"{ALICE}/exchanges/bïnance/trading", "exchange id"),
        (f"{ALICE}/exchanges/binance/Trading", "neither trading nor readonly"),
        (f"{ALICE}/exchanges/binance/read-only", "neither trading nor readonly"),
        (f"{ALICE}/exchanges/binance/tradingmain", "neither trading nor readonly"),
        (f"{ALICE}/exchanges/binance/trading.", "a label has"),
        (f"{ALICE}/exchanges/binance/trading..", "a label has"),
        (f"{ALICE}/exchanges/binance/trading.a.", "a label has"),
        (f"{ALICE}/exchanges/binance/trading.two words", "a label has"),
        (f"{ALICE}/exchanges/binance/trading.{'x' * 65}", "a label has"),
        (f"{ALICE}/exchanges/binance/trading.main\n", "a label has"),
    ],
)
def test_a_path_that_is_no_credential_is_skipped_with_the_reason(path: str, why: str) -> None:
    skipped = parse(path)

    assert isinstance(skipped, Skipped)
    assert why in skipped.why


@pytest.mark.parametrize("label", ["../../x", "a/b", "..", ".", "a\x00b", "a/../../b", "/etc/passwd"])
def test_a_label_cannot_lead_out_of_its_folder(label: str) -> None:
    with pytest.raises(Refused, match="a label has"):
        checked_path(CredentialRef(ALICE, "binance", CredentialType.TRADING, label))


@pytest.mark.parametrize("exchange", ["..", "a/b", "", "binance/../../x"])
def test_an_exchange_cannot_lead_out_of_its_folder(exchange: str) -> None:
    with pytest.raises(Refused, match="exchange id"):
        checked_path(CredentialRef(ALICE, exchange, CredentialType.TRADING))


def test_a_label_may_have_dots_inside() -> None:
    assert parse(f"{ALICE}/exchanges/okx/readonly.fund-2.eu") == CredentialRef(
        UUID(str(ALICE)), "okx", CredentialType.READONLY, "fund-2.eu"
    )


def test_a_foreign_name_is_shown_short_and_on_one_line() -> None:
    assert shown("a\nb\x1b[31m") == "a?b?[31m"
    assert len(shown("x" * 5000)) == 200


@pytest.mark.parametrize(
    ("fields", "api_key", "api_secret", "passphrase"),
    [
        ({"api_key": "k", "api_secret": "s", "passphrase": "p"}, "k", "s", "p"),
        ({"api_key": "k", "secret": "s", "password": "p"}, "k", "s", "p"),
        ({"api_secret": "s", "secret": "old", "passphrase": "p", "password": "old"}, "", "s", "p"),
        ({"api_secret": " ", "secret": "s", "passphrase": None, "password": "p"}, "", "s", "p"),
        ({}, "", "", ""),
        ({"api_key": " k\n", "api_secret": "\ts\r\n", "passphrase": " p w "}, "k", "s", "p w"),
        ({"api_key": "\ufeffk", "api_secret": "\u200b s \u200b"}, "k", "s", ""),
        ({"api_key": 12345678901234567890, "api_secret": 0}, "12345678901234567890", "0", ""),
        ({"api_key": True, "api_secret": None, "passphrase": 1.5}, "", "", ""),
        ({"api_key": ["k"], "api_secret": {"s": 1}}, "", "", ""),
    ],
)
def test_fields_are_read_kindly(fields: dict[str, object], api_key: str, api_secret: str, passphrase: str) -> None:
    secret = secret_of(fields, version="1")

    assert (secret.api_key, secret.api_secret, secret.passphrase) == (api_key, api_secret, passphrase)


@pytest.mark.parametrize(
    "pasted",
    [
        PEM,
        f"\n  {PEM}\n\n",
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", "\\n") + "\\n",
        PEM.replace("\n", "\r\n"),
        PEM.replace("\n", "\\r\\n"),
        PEM.replace("\n", "\n    "),
        PEM.replace("\n", " \n"),
    ],
)
def test_a_pem_keeps_its_lines_however_it_was_pasted(pasted: str) -> None:
    assert secret_of({"api_secret": pasted}, version="1").api_secret == PEM


def test_a_backslash_outside_a_pem_stays() -> None:
    assert secret_of({"api_secret": "a\\nb"}, version="1").api_secret == "a\\nb"


@pytest.mark.parametrize(
    ("stored", "testnet"),
    [
        (True, True),
        (False, False),
        (None, False),
        (1, True),
        (0, False),
        ("true", True),
        (" True ", True),
        ("1", True),
        ("false", False),
        ("0", False),
        ("", False),
        ("testnet", False),
        ([], False),
    ],
)
def test_testnet_is_a_truth_value_in_any_spelling(stored: object, testnet: bool) -> None:
    assert secret_of({"testnet": stored}, version="1").testnet is testnet


@pytest.mark.parametrize(
    ("stored", "metadata"),
    [
        ({"created_by": "ops"}, {"created_by": "ops"}),
        ('{"created_by": "ops"}', {"created_by": "ops"}),
        ("a note", {}),
        ("[1]", {}),
        (None, {}),
        (["x"], {}),
    ],
)
def test_metadata_is_a_mapping_or_nothing(stored: object, metadata: dict[str, object]) -> None:
    assert secret_of({"metadata": stored}, version="1").metadata == metadata


@given(st.dictionaries(st.sampled_from(FIELD_NAMES), JSON_VALUES))
def test_no_stored_value_is_too_strange_to_read(fields: dict[str, object]) -> None:
    assert secret_of(fields, version="7").version == "7"
