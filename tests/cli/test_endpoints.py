"""Endpoints and deliveries at the command line, with a daemon that sends and receivers that verify."""

import json

import pytest

from alertd.db import new_id
from tests.cli.office import Office

PUBLIC = "https://93.184.216.34/hook"


@pytest.fixture
def tenant(office: Office) -> str:
    return office.tenant()


@pytest.fixture
def endpoint(office: Office, tenant: str) -> str:
    return office.endpoint(tenant)


@pytest.fixture
def broken(office: Office, tenant: str) -> str:
    """One whose receiver has another secret, and refuses all."""
    path = f"/{new_id()}"
    office.secrets[path] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    return str(office.json("webhooks", "add", tenant, f"{office.receiver}{path}")["id"])


def of(office: Office, webhook: str) -> dict[str, object]:
    shown: dict[str, object] = office.json("webhooks", "show", webhook)
    return shown


def test_a_secret_is_alone_on_standard_output_and_signs_what_is_sent(office: Office, tenant: str) -> None:
    path = f"/{new_id()}"
    ended = office.alertd("webhooks", "add", tenant, f"{office.receiver}{path}", "--description", "ops")
    [webhook] = office.json("webhooks", "list", "--tenant", tenant)["items"]
    office.secrets[path] = ended.out.removesuffix("\n")

    tested = office.alertd("webhooks", "test", webhook["id"])

    assert ended.out.startswith("whsec_")
    assert f"Added endpoint {webhook['id']}; its secret, shown this once:" in ended.err
    assert webhook["description"] == "ops"
    assert (tested.code, tested.out) == (0, "")
    assert "The endpoint took it: status 204 after" in tested.err
    assert [one.body["event"] for one in office.heard if one.path == path] == ["webhook.test"]


def test_headers_come_from_a_file_and_are_shown_by_name(office: Office, tenant: str) -> None:
    words = ("webhooks", "add", tenant, PUBLIC, "--headers", "-", "--event", "credential.failed")

    added = office.json(*words, stdin='{"X-Token": "geheim"}')

    assert (added["headers"], added["event_types"]) == (["X-Token"], ["credential.failed"])


@pytest.mark.parametrize("text", ["geheim", '["geheim"]', '{"X-Token": 1}'])
def test_headers_that_are_none_are_bad_usage(office: Office, tenant: str, text: str) -> None:
    ended = office.alertd("webhooks", "add", tenant, PUBLIC, "--headers", "-", stdin=text)

    assert (ended.code, ended.out) == (2, "")
    assert "geheim" not in ended.err


def test_a_url_that_must_not_be_is_explained(office: Office, tenant: str) -> None:
    ended = office.alertd("webhooks", "add", tenant, "https://10.0.0.1/hook")

    assert ended.code == 1
    assert "\n  - url: " in ended.err


def test_a_test_that_is_not_taken_fails(office: Office, broken: str) -> None:
    ended = office.alertd("webhooks", "test", broken, "--wait", "0.5")

    assert ended.code == 1
    assert "status 401" in ended.err


def test_a_test_that_is_not_taken_answers_a_script_all_the_same(office: Office, broken: str) -> None:
    ended = office.alertd("webhooks", "test", broken, "--wait", "0.3", "--json")

    assert ended.code == 1
    assert json.loads(ended.out)["webhook_id"] == broken


def test_off_and_on_again(office: Office, endpoint: str) -> None:
    office.alertd("webhooks", "disable", endpoint)
    off = office.alertd("webhooks", "list").out
    office.alertd("webhooks", "enable", endpoint)
    on = of(office, endpoint)

    assert [line for line in off.splitlines() if endpoint in line and " off" in line]
    assert on["is_active"] is True


def test_a_new_secret_signs_alone_once_it_is_committed(office: Office, endpoint: str) -> None:
    rotated = office.alertd("webhooks", "rotate-secret", endpoint, "--overlap-hours", "1")
    path = "/" + str(of(office, endpoint)["url"]).rpartition("/")[2]
    office.secrets[path] = rotated.out.strip()
    office.alertd("webhooks", "commit-secret", endpoint)

    assert rotated.out.startswith("whsec_")
    assert office.alertd("webhooks", "test", endpoint).code == 0


def test_what_is_not_rotated_cannot_be_committed(office: Office, endpoint: str) -> None:
    ended = office.alertd("webhooks", "commit-secret", endpoint)

    assert (ended.code, ended.out) == (1, "")


def test_removed_for_good(office: Office, endpoint: str) -> None:
    removed = office.alertd("webhooks", "remove", endpoint, "--yes")
    again = office.alertd("webhooks", "remove", endpoint, "--yes")

    assert (removed.code, again.code) == (0, 1)
    assert "There is no webhook with this id." in again.err


# --- Deliveries ------------------------------------------------------------------------------


def test_a_delivery_is_shown_with_its_attempts_and_its_body(office: Office, endpoint: str) -> None:
    ended = office.alertd("deliveries", "show", office.delivery(endpoint))

    assert [line.split() for line in ended.out.splitlines() if line.startswith("state ")] == [["state", "delivered"]]
    assert '"event":"webhook.test"' in ended.out
    head, attempt = ended.out.splitlines()[-2:]
    assert head.split() == ["at", "status", "ms"]
    assert " 204 " in attempt


def test_deliveries_of_one_endpoint(office: Office, endpoint: str) -> None:
    delivery = office.delivery(endpoint)

    ended = office.alertd("deliveries", "list", "--webhook", endpoint, "--since", "1h")

    assert delivery in ended.out
    assert "1 shown." in ended.err


def test_a_replay_of_one_arrives_again_under_its_id(office: Office, endpoint: str) -> None:
    delivery = office.delivery(endpoint)

    ended = office.alertd("deliveries", "replay", delivery)

    assert (ended.code, ended.err) == (0, "Sent again: 1.\n")
    assert office.json("deliveries", "show", delivery)["id"] == delivery


def test_a_replay_of_many_says_how_many(office: Office, endpoint: str) -> None:
    office.delivery(endpoint)
    office.delivery(endpoint)

    words = ("--since", "1h", "--state", "delivered", "--webhook", endpoint)
    ended = office.alertd("deliveries", "replay", *words)

    assert ended.err == "Sent again: 2.\n"


@pytest.mark.parametrize("words", [(), ("0199c0de-0000-7000-8000-000000000002", "--since", "1h")])
def test_a_replay_of_nothing_or_of_both_is_bad_usage(office: Office, words: tuple[str, ...]) -> None:
    assert office.alertd("deliveries", "replay", *words).code == 2
