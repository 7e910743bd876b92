"""Each decision is a sentence, with what became of its message."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from alertd.alerts.explanation import Attempt, Decision, Entry, Sending

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
ENDPOINT = UUID(int=3)
QUEUED = f"credential.failed was queued for endpoint {ENDPOINT}"


def sending(state: str | None, attempt: Attempt | None = None) -> Sending:
    return Sending(UUID(int=2), ENDPOINT, state=state, attempts=2, last_attempt=attempt)


def attempt(outcome: str | None, *, status: int | None = None, error: str | None = None) -> Attempt:
    return Attempt(NOW, outcome, status, error, None if outcome is None else 41)


@pytest.mark.parametrize(
    ("delivery", "text"),
    [
        (sending(None), f"{QUEUED}; what became of it is no longer on file."),
        (sending("pending"), f"{QUEUED}; it waits to be sent."),
        (sending("pending", attempt(None)), f"{QUEUED}; it waits to be sent, attempt 2 is under way."),
        (
            sending("delivered", attempt("success", status=200)),
            f"{QUEUED}; it was accepted, attempt 2: status 200 in 41 ms.",
        ),
        (
            sending("failed", attempt("failure", error="connect")),
            f"{QUEUED}; it was given up, attempt 2: connect in 41 ms.",
        ),
        (sending("failed", attempt("unknown")), f"{QUEUED}; it was given up, attempt 2: unknown in 41 ms."),
        (sending("superseded"), f"{QUEUED}; a newer message took its place."),
    ],
)
def test_message_is_followed_to_its_end(delivery: Sending, text: str) -> None:
    assert Entry(NOW, NOW, 1, Decision.SENT, event="credential.failed", delivery=delivery).text == text


def test_silence_is_named_with_author_comment_and_end() -> None:
    entry = Entry(
        NOW,
        NOW + timedelta(hours=6),
        3,
        Decision.SILENCED,
        actor="ops",
        comment="exchange {maintenance}",
        silence_id=UUID(int=9),
        silenced_until=NOW + timedelta(hours=8),
    )

    assert entry.text == (
        f"Nobody was told, because of silence {UUID(int=9)} by ops until 2026-01-05T20:00:00Z: "
        "exchange {maintenance} (3 times until 2026-01-05T18:00:00Z)."
    )


@pytest.mark.parametrize(
    ("comment", "text"),
    [("on it", "Acknowledged by ops: on it."), ("", "Acknowledged by ops."), (None, "Acknowledged by ops.")],
)
def test_acknowledgement_says_who(comment: str | None, text: str) -> None:
    assert Entry(NOW, NOW, 1, Decision.ACKED, actor="ops", comment=comment).text == text


@pytest.mark.parametrize("decision", Decision)
def test_every_decision_has_a_sentence(decision: Decision) -> None:
    assert Entry(NOW, NOW, 1, decision).text.endswith(".")
