"""No key, secret or word of an exchange in any result or log, at any level."""

import logging
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from alertd.config import Settings
from alertd.credentials.connect import open_session, trust
from alertd.credentials.exchange import Exchanges, place
from alertd.credentials.quirks.binance import restrictions
from alertd.credentials.quirks.shape import Call, Site
from alertd.demo.exchanges.registry import SIMULATED
from alertd.demo.exchanges.server import Simulator
from alertd.demo.exchanges.shape import Outage, State
from alertd.model import Reason, Secret
from tests.credentials.exchanges.conftest import ref, secret, wall_clock

NOTABLE = [
    (name, state)
    for name, each in SIMULATED.items()
    for state in (State.GOOD, State.BAD_SIGNATURE, State.UNHEARD_OF, State.IP_BLOCKED)
    if state is State.GOOD or state in each.refusals
]


@pytest.mark.parametrize(("exchange", "state"), NOTABLE)
async def test_neither_result_nor_log_holds_a_secret(
    exchange: str, state: State, sim: Simulator, exchanges: Exchanges, caplog: pytest.LogCaptureFixture
) -> None:
    account = sim.add(exchange, state=state)
    held = secret(account)

    with caplog.at_level(logging.DEBUG), capture_logs() as logs:
        result = await exchanges.ask(ref(exchange), held)

    told = f"{result!r} {logs!r} {caplog.text}"
    assert [text for text in (held.api_key, held.api_secret, held.passphrase) if text and text in told] == []
    assert "nobody has documented" not in told


@pytest.mark.parametrize("outage", [Outage.RESET, Outage.TRUNCATED, Outage.HTML_503])
async def test_a_signed_url_never_reaches_a_log(
    outage: Outage, sim: Simulator, exchanges: Exchanges, caplog: pytest.LogCaptureFixture
) -> None:
    account = sim.add("binance")
    sim.exchange("binance").outage = outage

    with caplog.at_level(logging.DEBUG), capture_logs() as logs:
        result = await exchanges.ask(ref("binance"), secret(account))

    assert "signature=" not in f"{result!r} {logs!r} {caplog.text}"


async def test_a_bug_of_ours_is_logged_with_its_place_and_without_its_text(tmp_path: Path) -> None:
    call = Call(method="noSuchMethod", good=restrictions)
    context = trust()

    async with open_session(context=context, timeout_seconds=1) as session:
        settings = Settings(state_dir=tmp_path)
        binance = place("binance", settings, session=session, context=context, site=Site.LIVE, now=wall_clock)
        assert binance is not None
        with capture_logs() as logs:
            heard = await binance.check(Secret("key", "secret")).hear(call, ())

    assert heard.ruling is not None
    assert heard.ruling.reason is Reason.INTERNAL_ERROR
    assert [entry["fault"] for entry in logs] == ["AttributeError"]
    assert "noSuchMethod" not in str(logs)
