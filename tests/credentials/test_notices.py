"""What people read about a check: one sentence of ours for every reason, and no word of an exchange's."""

from uuid import UUID

import pytest

from alertd.credentials.notices import error, what_to_do
from alertd.model import ACCUSING, CheckResult, CredentialRef, CredentialType, Reason

REF = CredentialRef(UUID(int=1), "okx", CredentialType.TRADING)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence(reason: Reason) -> None:
    sentence = error(REF, CheckResult(reason))

    assert sentence.endswith(".")
    assert "{" not in sentence


@pytest.mark.parametrize("reason", Reason)
def test_there_is_something_to_do_exactly_where_the_tenant_can_mend_it(reason: Reason) -> None:
    assert bool(what_to_do(REF, reason)) is (reason in ACCUSING)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("http 401 50102 clock+300s", "because our clock is 300 s ahead of its own"),
        ("http 401 50102 clock-9s", "because our clock is 9 s behind its own"),
        ("http 200 EAPI:Invalid_nonce clock-1s", "our clock is right: another program may be using this key"),
        ("http 401 50102", "refused the time or nonce of the request; this says nothing about the key"),
    ],
)
def test_a_refused_time_is_explained_by_what_was_measured(code: str, sentence: str) -> None:
    assert sentence in error(REF, CheckResult(Reason.CLOCK_SKEW, code=code))


def test_a_code_with_several_causes_names_them_all() -> None:
    ref = CredentialRef(UUID(int=1), "binance", CredentialType.TRADING)

    sentence = error(ref, CheckResult(Reason.INVALID_KEY, code="http 401 -2015"))

    assert all(cause in sentence for cause in ("invalid or deleted", "IP list", "lacks a permission"))
