"""Both header families: the published vectors, and the libraries that tenants really use."""

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
import svix
from hypothesis import given, settings
from hypothesis import strategies as st

from alertd.webhooks.signing import (
    headers,
    new_secret,
    published_signature,
    standard_signature,
    verify,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
BODY = '{"event":"credential.failed","label":"Zürich"}'.encode()
LIBRARIES = [standardwebhooks.Webhook, svix.Webhook]


def signed(secret: str = SECRET, next_secret: str | None = None, at: datetime | None = None):
    return headers(
        secret=secret,
        next_secret=next_secret,
        event_id="evt_01",
        event_type="credential.failed",
        body=BODY,
        at=at or datetime.now(UTC),
        prefix="X-AlphaPulse",
    )


@pytest.mark.parametrize(
    ("secret", "event_id", "timestamp", "body", "signature"),
    [
        (
            SECRET,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            b'{"test": 2432232314}',
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (
            OTHER,
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            "1649367553",
            b'{"email":"test@example.com","username":"test_user"}',
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
    ],
)
def test_the_published_vectors_of_standard_webhooks(secret, event_id, timestamp, body, signature):
    assert standard_signature(secret, event_id, timestamp, body) == signature


def test_a_published_vector_of_the_plain_construction():
    body = b'{"event":"charge.success","amount":1000,"currency":"NGN"}'

    assert published_signature("convoy-webhook-secret", body) == (
        "sha256=244449b7f48cbc2709060c9dcdc2b3aa47a78f540430579015c579fb12defbb4"
    )


def test_a_signature_that_is_off_by_one_character_is_rejected():
    received = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=",
    }

    found = verify(received, b'{"test": 2432232314}', SECRET, now=datetime.fromtimestamp(1614265330, UTC))

    assert (found.accepted, found.verified) == (False, ())


def test_foreign_signatures_in_the_list_are_skipped():
    received = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": (
            "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,g0hM9SsE "
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        ),
    }

    found = verify(received, b'{"test": 2432232314}', SECRET, now=datetime.fromtimestamp(1614265330, UTC))

    assert (found.verified, found.absent) == (("webhook-signature",), ("X-AlphaPulse-Signature",))


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_libraries_accept_our_requests(library):
    library(SECRET).verify(BODY, signed())


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_libraries_refuse_another_body(library):
    with pytest.raises(Exception, match="No matching signature"):
        library(SECRET).verify(BODY + b" ", signed())


@pytest.mark.parametrize("secret", [SECRET, OTHER])
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_libraries_accept_both_secrets_during_a_rotation(library, secret):
    library(secret).verify(BODY, signed(next_secret=OTHER))


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_old_free_form_secret_is_its_own_key(library):
    library(b"correct horse").verify(BODY, signed("correct horse"))


@pytest.mark.parametrize("library", LIBRARIES)
def test_new_secrets_suit_the_libraries(library):
    secret = new_secret()

    library(secret).verify(BODY, signed(secret))


def test_a_new_secret_is_32_random_bytes():
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", new_secret())


def test_the_published_header_is_keyed_by_the_whole_secret_string():
    expected = "sha256=" + hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()

    assert signed()["X-AlphaPulse-Signature"] == expected


def test_in_a_rotation_the_published_header_keeps_the_old_secret_and_a_second_one_has_the_new():
    sent = signed(next_secret=OTHER)

    assert (sent["X-AlphaPulse-Signature"], sent["X-AlphaPulse-Signature-Next"]) == (
        published_signature(SECRET, BODY),
        published_signature(OTHER, BODY),
    )


def test_without_a_rotation_there_is_no_second_header():
    assert set(signed()) == {
        "X-AlphaPulse-Signature",
        "X-AlphaPulse-Timestamp",
        "X-AlphaPulse-Event",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }


def test_both_timestamps_are_the_whole_seconds_of_the_attempt():
    sent = signed(at=datetime(2026, 1, 5, 12, 0, 0, 999_999, tzinfo=UTC))

    assert (sent["webhook-timestamp"], sent["X-AlphaPulse-Timestamp"]) == ("1767614400", "1767614400")


def test_the_prefix_names_the_published_headers():
    sent = headers(
        secret=SECRET,
        next_secret=OTHER,
        event_id="e",
        event_type="t",
        body=b"",
        at=datetime.now(UTC),
        prefix="X-Acme",
    )

    assert [name for name in sent if name.startswith("X-")] == [
        "X-Acme-Signature",
        "X-Acme-Timestamp",
        "X-Acme-Event",
        "X-Acme-Signature-Next",
    ]


@pytest.mark.parametrize("event_id", ["evt.1", "evt 1", "evt\n1", "evté"])
def test_an_id_that_could_blur_the_signed_text_is_refused(event_id):
    with pytest.raises(ValueError, match="event id"):
        headers(secret=SECRET, event_id=event_id, event_type="t", body=b"", at=datetime.now(UTC))


@pytest.mark.parametrize("secret", ["", "whsec_"])
def test_nothing_is_signed_with_an_empty_key(secret):
    with pytest.raises(ValueError, match="without a secret"):
        signed(secret)


def test_a_secret_that_only_looks_like_base64_is_taken_as_it_is():
    expected = "v1," + base64.b64encode(hmac.digest(b"whsec_no base64!", b"i.1.b", "sha256")).decode()

    assert standard_signature("whsec_no base64!", "i", "1", b"b") == expected


def test_an_unpadded_secret_is_the_same_key():
    padded, bare = "whsec_c2VjcmV0IQ==", "whsec_c2VjcmV0IQ"

    assert standard_signature(padded, "i", "1", b"b") == standard_signature(bare, "i", "1", b"b")


@settings(deadline=None)
@given(body=st.binary(), next_secret=st.none() | st.just(OTHER))
def test_what_we_sign_we_accept(body, next_secret):
    at = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
    sent = headers(secret=SECRET, next_secret=next_secret, event_id="e", event_type="t", body=body, at=at)

    found = verify(sent, body, SECRET, now=at)

    assert found.verified == ("webhook-signature", "X-AlphaPulse-Signature")


def test_a_receiver_with_the_new_secret_accepts_both_families_during_a_rotation():
    now = datetime.now(UTC)

    assert verify(signed(next_secret=OTHER), BODY, OTHER, now=now).accepted


def test_header_names_are_read_in_any_case():
    shouted = {name.upper(): value for name, value in signed().items()}

    assert verify(shouted, BODY, SECRET, now=datetime.now(UTC)).accepted


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"webhook-signature": "v1,AAAA"}, "webhook-signature: no signature matches"),
        ({"webhook-signature": "\udcff"}, "webhook-signature: no signature matches"),
        ({"webhook-id": "evt_02"}, "webhook-signature: no signature matches"),
        ({"webhook-id": ""}, "webhook-signature: webhook-id missing"),
        ({"webhook-timestamp": "1767614400.5"}, "webhook-signature: webhook-timestamp is not a whole number"),
        ({"X-AlphaPulse-Signature": "sha256=00"}, "X-AlphaPulse-Signature: does not match"),
        ({"X-AlphaPulse-Signature": "00"}, "X-AlphaPulse-Signature: does not start with sha256="),
    ],
)
def test_a_changed_request_is_not_accepted_and_the_reason_is_named(change, why):
    now = datetime.now(UTC)

    found = verify(signed(at=now) | change, BODY, SECRET, now=now)

    assert not found.accepted
    assert found.problems[0].startswith(why)


@pytest.mark.parametrize(("seconds", "spoken"), [(301, "301 s old"), (-301, "301 s in the future")])
def test_a_replayed_request_is_told_apart_from_a_forged_one(seconds, spoken):
    at = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)

    found = verify(signed(at=at), BODY, SECRET, now=at + timedelta(seconds=seconds))

    assert spoken in found.problems[0]


def test_the_wrong_body_fails_both_families():
    found = verify(signed(), BODY + b" ", SECRET, now=datetime.now(UTC))

    assert len(found.problems) == 2


def test_a_request_without_any_signature_is_not_accepted():
    found = verify({}, BODY, SECRET, now=datetime.now(UTC))

    assert found.problems == ("neither webhook-signature nor X-AlphaPulse-Signature is there",)
