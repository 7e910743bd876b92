"""Tenants, keys, alerts, silences, schedules, sweeps, the audit log and the stream, at the command line."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from alertd.alerts import log_store
from alertd.alerts.explanation import Decision
from alertd.cli.events import News, read
from tests.admin.port import VIEWER
from tests.cli.office import Office


@pytest.fixture
def tenant(office: Office) -> str:
    return office.tenant()


def fired(office: Office, alert: str) -> None:
    """Written down, as the daemon does when an alert fires."""
    office.do(log_store.note(office.core.db, UUID(alert), Decision.FIRED, now=datetime.now(UTC)))


# --- Tenants ---------------------------------------------------------------------------------


def test_a_new_tenants_id_is_alone_on_standard_output(office: Office) -> None:
    ended = office.alertd("tenants", "add", "--name", "Aurora Capital")

    assert str(UUID(ended.out.strip())) == ended.out.strip()
    assert ended.out.strip() in office.alertd("tenants", "list", "--all").out


def test_a_tenant_is_paused_and_resumed(office: Office, tenant: str) -> None:
    paused = office.json("tenants", "pause", tenant)["paused"]
    resumed = office.json("tenants", "resume", tenant)["paused"]

    assert (paused, resumed) == (True, False)


def test_a_name_is_taken_away(office: Office, tenant: str) -> None:
    ended = office.alertd("tenants", "name", tenant, "")

    assert ended.err == f"Tenant {tenant} is called nothing.\n"


def test_a_purge_says_what_it_erased(office: Office, tenant: str) -> None:
    office.endpoint(tenant)

    ended = office.alertd("tenants", "purge", tenant, "--yes")

    assert ended.code == 0
    assert "Erased 1 webhooks." in ended.err
    assert "secret store" in ended.err


def test_a_purge_without_a_terminal_needs_a_yes(office: Office, tenant: str) -> None:
    ended = office.alertd("tenants", "purge", tenant)

    assert (ended.code, ended.out) == (2, "")
    assert office.alertd("tenants", "pause", tenant).code == 0


# --- Keys ------------------------------------------------------------------------------------


def test_a_new_key_is_alone_on_standard_output_works_and_is_revoked(office: Office) -> None:
    made = office.alertd("keys", "create", "operator", "--name", "night shift", "--expires", "90d")
    key = made.out.removesuffix("\n")
    [listed] = [item for item in office.json("keys", "list")["items"] if item["name"] == "night shift"]
    before = office.alertd("tenants", "list", key=key)
    office.alertd("keys", "revoke", listed["id"], "--yes")
    after = office.alertd("tenants", "list", key=key)

    assert key not in made.err
    assert (listed["role"], before.code, after.code) == ("operator", 0, 1)


def test_a_tenants_key_sees_its_own(office: Office, tenant: str) -> None:
    other = office.tenant()
    key = office.json("keys", "create", "tenant", "--tenant", tenant, "--name", "his")["key"]

    shown = office.alertd("tenants", "list", key=key).out
    refused = office.alertd("alerts", "list", key=key)

    assert tenant in shown
    assert other not in shown
    assert "needs alert:view_status" in refused.err


# --- Alerts and silences ---------------------------------------------------------------------


def test_an_alert_is_explained_decision_by_decision(office: Office, tenant: str) -> None:
    alert = office.alert(tenant, subject="binance/trading")
    fired(office, alert)
    office.alertd("alerts", "ack", alert, "--comment", "on it")

    ended = office.alertd("alerts", "explain", alert)

    first, second = ended.out.splitlines()[1:]
    assert "credential_health_check binance/trading rule: firing" in ended.err
    assert first.startswith("1 ")
    assert first.endswith("The alert fired.")
    assert second.endswith("Acknowledged by admin: on it.")


def test_an_alert_is_acknowledged_once(office: Office, tenant: str) -> None:
    alert = office.alert(tenant)

    first = office.alertd("alerts", "ack", alert)
    again = office.alertd("alerts", "ack", alert)

    assert (first.code, again.code) == (0, 1)
    assert again.err == "This alert is acknowledged already."


def test_a_silence_is_tried_out_made_and_ended(office: Office, tenant: str) -> None:
    alert = office.alert(tenant)
    words = ("--tenant", tenant, "--exchange", "okx*", "--exchange", "kraken")

    tried = office.alertd("silences", "preview", *words)
    made = office.json("silences", "add", *words, "--until", "2h", "--comment", "maintenance")
    listed = office.alertd("silences", "list", "--state", "active").out
    ended = office.json("silences", "expire", made["id"])

    assert alert in tried.out
    assert "1 alerts that fire now would be covered." in tried.err
    assert made["matchers"] == {"tenant": [tenant], "exchange": ["okx*", "kraken"]}
    assert f"tenant {tenant}; exchange okx*, kraken" in listed
    assert ended["state"] == "expired"


def test_a_silence_of_everything_is_bad_usage(office: Office) -> None:
    assert office.alertd("silences", "add", "--comment", "quiet").code == 2


def test_a_silence_without_a_comment_is_bad_usage(office: Office) -> None:
    assert office.alertd("silences", "add", "--exchange", "okx").code == 2


# --- Schedules and sweeps --------------------------------------------------------------------


def test_all_checks_are_listed_with_their_times(office: Office) -> None:
    ended = office.alertd("schedule", "list")

    head, *rows = ended.out.splitlines()
    assert head.split()[:3] == ["name", "runs", "at"]
    assert len(rows) == 6
    assert [row for row in rows if row.startswith("daily_pnl_check ") and "17:00 UTC" in row]


def test_a_rehearsal_is_no_run(office: Office) -> None:
    before = office.json("schedule", "history", "credential_health_check")["items"]

    ended = office.alertd("schedule", "run", "credential_health_check", "--dry")

    assert ended.code == 0
    assert "would check" in ended.out
    assert "nothing was stored or sent" in ended.err
    assert office.json("schedule", "history", "credential_health_check")["items"] == before


def test_a_run_is_in_the_history(office: Office) -> None:
    ended = office.alertd("schedule", "run", "credential_health_check")

    [newest, *_] = office.json("schedule", "history", "credential_health_check")["items"]
    assert ended.code == 0
    assert newest["execution_id"] in ended.err
    assert newest["requested_by"] == "admin"


def test_how_a_run_went_is_in_both_tables(office: Office) -> None:
    office.alertd("schedule", "run", "credential_health_check")
    office.alertd("schedule", "run", "daily_pnl_check")

    runs = office.alertd("schedule", "history").out.splitlines()
    checks = office.alertd("schedule", "list").out.splitlines()

    assert [line for line in runs if "credential_health_check" in line and line.endswith(" well")]
    assert [line for line in checks if line.startswith("daily_pnl_check ") and "too little to judge by yet" in line]


def test_a_check_is_switched_off_and_on(office: Office) -> None:
    off = office.alertd("schedule", "disable", "weekly_stability_check")
    on = office.alertd("schedule", "enable", "weekly_stability_check")

    assert off.err == "weekly_stability_check is switched off.\n"
    assert on.err == "weekly_stability_check is switched on.\n"


def test_a_check_that_nobody_knows(office: Office) -> None:
    ended = office.alertd("schedule", "run", "../no/such?")

    assert (ended.code, ended.err) == (1, "There is no scheduled check of this name.")


def test_two_sweeps_do_not_overlap(office: Office) -> None:
    office.sweep()

    ended = office.alertd("sweeps", "start")
    office.end_sweeps()

    assert ended.code == 1
    assert ended.err == "a sweep is in progress; wait for it to end, or cancel it"


# --- Looking on ------------------------------------------------------------------------------


def test_the_audit_log_says_who_did_what(office: Office) -> None:
    tenant = office.alertd("tenants", "add").out.strip()

    ended = office.alertd("audit", "--object", f"tenant:{tenant}", "--since", "1h")

    [row] = ended.out.splitlines()[1:]
    assert f"tenant.create  tenant:{tenant}" in row
    assert "admin" in row


def test_the_audit_log_is_for_admins(office: Office) -> None:
    assert "needs alert:admin" in office.alertd("audit", key=VIEWER).err


def test_events_are_told_as_they_happen(office: Office, tenant: str) -> None:
    endpoint = office.endpoint(tenant)
    office.meanwhile(office.event, endpoint)

    ended = office.alertd("events", "--tenant", tenant, "--count", "1")

    [line] = ended.out.splitlines()
    assert f"webhook.test {tenant}" in line


def test_alerts_are_told_as_they_change(office: Office, tenant: str) -> None:
    office.meanwhile(lambda: fired(office, office.alert(tenant)))

    ended = office.alertd("events", "--tenant", tenant, "--count", "1")

    assert "  alert firing critical credential_health_check " in ended.out


def test_sweeps_are_told_as_they_get_on(office: Office) -> None:
    office.meanwhile(lambda: office.end_sweeps() or office.sweep())

    ended = office.alertd("events", "--count", "1")
    office.end_sweeps()

    assert "  sweep running 0 of 0 " in ended.out


def test_a_stream_is_read_item_by_item() -> None:
    lines = ["retry: 3000", "", ": still here", "", "id: evt_1", "event: event", 'data: {"a": 1}', "", "event: sweep"]

    assert list(read(lines)) == [News("event", {"a": 1}, "evt_1")]
