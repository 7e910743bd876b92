"""The demo: it plays to its end, and notices whatever goes otherwise than its cast says."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from alertd.config import Settings
from alertd.demo import story
from alertd.demo.cast import CAST, OUTAGE, Player
from alertd.demo.exchanges.server import Simulator
from alertd.demo.receiver import Received
from alertd.demo.story import Stage
from alertd.demo.strategies import STRATEGIES, Strategy
from tests.e2e.daemon import Home, alertd

SILENT = [player for player in CAST if not player.hears]
HEARING = [player for player in CAST if player.hears]
DOWN = [player for player in CAST if player.exchange == OUTAGE[0]]


def named(player: Player) -> str:
    return player.name


def message(player: Player, event: str, reason: str, *, event_id: str = "") -> Received:
    body = {"event": event, "reason": reason}
    return Received(player.path, event_id or f"evt_{player.name}_{event}", body, verified=True)


def judgement(strategy: Strategy, event: str, rule: str) -> Received:
    owner = next(player for player in CAST if player.name == strategy.owner)
    return Received(owner.path, f"evt_{strategy.name}_{rule}", {"event": event, "rule": rule}, verified=True)


def as_it_must_be() -> list[Received]:
    keys = [message(player, event, reason) for player in CAST for event, reason in player.hears]
    return keys + [judgement(strategy, event, rule) for strategy in STRATEGIES for event, rule in strategy.hears]


def row(player: Player, **changes: Any) -> dict[str, Any]:
    down = player.exchange == OUTAGE[0]
    verdict = "inconclusive" if down else "valid"
    return {"name": player.name, "exchange": player.exchange, "verdict": verdict, "consecutive_failures": 0} | changes


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Everything has gone well."""
    made = Stage(Settings(state_dir=tmp_path), Simulator(lambda: datetime.now(UTC)), 0, {})
    made.heard += as_it_must_be()
    made.outlooks = {strategy.name: strategy.outlook for strategy in STRATEGIES}
    return made


def judged(stage: Stage, **changes: Any) -> list[str]:
    """The verdict when all keys stand as they must; `changes` are those of the keys at the exchange that is down."""
    rows: list[Any] = [row(player, **(changes if player in DOWN else {})) for player in CAST]
    return story.verdict_of(stage, rows)


async def test_it_plays_to_its_end_and_leaves_nothing_behind(home: Home) -> None:
    done = await alertd(home, {"TMPDIR": home.folder}, "demo", "--once")

    assert done.code == 0, done.out + done.err
    assert f"All {story.expected().total()} expected messages arrived" in done.out
    assert re.search(r"^Dashboard: http://127\.0\.0\.1:\d+/\n +key: alertd_\w+$", done.out, re.MULTILINE)
    assert list(home.folder.glob("alertd-demo-*")) == []


def test_all_went_well(stage: Stage) -> None:
    assert judged(stage) == []


@pytest.mark.parametrize("player", HEARING, ids=named)
def test_a_message_that_is_missing(stage: Stage, player: Player) -> None:
    stage.heard = [received for received in stage.heard if received.path != player.path]

    assert len(judged(stage)) == len(player.hears)
    assert f"did not arrive: {player.name}, {', '.join(player.hears[0])}" in judged(stage)


@pytest.mark.parametrize(("owner", "name", "rule"), [("Aurora Capital", "carry", "drift")])
def test_a_judgement_that_is_missing(stage: Stage, owner: str, name: str, rule: str) -> None:
    stage.heard = [received for received in stage.heard if received.event_id != f"evt_{name}_{rule}"]

    assert judged(stage) == [f"did not arrive: {owner}, performance.alert, {rule}"]


def test_a_judgement_of_a_healthy_strategy(stage: Stage) -> None:
    stage.heard.append(judgement(STRATEGIES[0], "performance.alert", "volatility"))

    assert judged(stage) == [f"arrived and should not have: {STRATEGIES[0].owner}, performance.alert, volatility"]


def test_an_outlook_that_is_wrong(stage: Stage) -> None:
    stage.outlooks = {**stage.outlooks, "grid": "plausible"}

    assert judged(stage) == ["called plausible, and is likely_overfit: grid"]


@pytest.mark.parametrize("player", SILENT, ids=named)
def test_a_message_too_many(stage: Stage, player: Player) -> None:
    stage.heard.append(message(player, "credential.failed", "invalid_key"))

    assert judged(stage) == [f"arrived and should not have: {player.name}, credential.failed, invalid_key"]


def test_the_same_said_twice_under_another_id(stage: Stage) -> None:
    player = HEARING[0]
    stage.heard.append(message(player, *player.hears[0], event_id="evt_another"))

    assert judged(stage) == [f"arrived and should not have: {player.name}, {', '.join(player.hears[0])}"]


def test_a_repeat_under_the_same_id_is_no_second_message(stage: Stage) -> None:
    stage.heard.append(stage.heard[0])

    assert judged(stage) == []


def test_a_wrong_reason(stage: Stage) -> None:
    player = HEARING[0]
    stage.heard[0] = message(player, player.hears[0][0], "expired_perhaps")

    assert len(judged(stage)) == 2


def test_a_message_that_is_not_authentic(stage: Stage) -> None:
    stage.heard.append(Received(CAST[0].path, "evt_x", {}, verified=False, problem="webhook-signature: no match"))

    assert judged(stage) == ["not authentic: webhook-signature: no match"]


@pytest.mark.parametrize("changes", [{"verdict": "invalid"}, {"verdict": None}, {"consecutive_failures": 1}], ids=str)
def test_an_accusation_for_the_outage(stage: Stage, changes: dict[str, Any]) -> None:
    assert judged(stage, **changes) == [f"accused of an outage: {player.name}" for player in DOWN]


def test_keys_that_were_not_checked(stage: Stage) -> None:
    assert story.verdict_of(stage, []) == [f"0 keys were checked, and there are {len(CAST)}"]


@pytest.mark.parametrize("number", range(len(CAST)))
def test_changing_any_line_of_the_cast_fails(stage: Stage, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    changed = replace(CAST[number], hears=(*CAST[number].hears, ("credential.failed", "frozen")))
    monkeypatch.setattr(story, "CAST", (*CAST[:number], changed, *CAST[number + 1 :]))

    assert judged(stage) == [f"did not arrive: {changed.name}, credential.failed, frozen"]


@pytest.mark.parametrize("player", HEARING, ids=named)
def test_a_cast_that_expects_less_fails(stage: Stage, monkeypatch: pytest.MonkeyPatch, player: Player) -> None:
    quieter = tuple(replace(each, hears=each.hears[1:]) if each is player else each for each in CAST)
    monkeypatch.setattr(story, "CAST", quieter)

    assert judged(stage) == [f"arrived and should not have: {player.name}, {', '.join(player.hears[0])}"]
