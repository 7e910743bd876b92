"""The tenants' platform: it sends what their strategies earned over HTTP, and has the checks run at once.

A platform in real life sends a day's returns each day, and lets the schedule run the checks.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from alertd.demo.cast import CAST
from alertd.demo.strategies import STRATEGIES, Strategy, live_since
from alertd.errors import Transient

CHECKS: Final = ("daily_pnl_check", "performance_threshold_check")
PATIENCE: Final = ClientTimeout(total=30)

Outlooks = Mapping[str, tuple[str, str]]


async def go_live(url: str, key: str) -> Outlooks:
    """Send backtests and live returns; answers each strategy's outlook with its advice. Raises Transient."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    references = [
        {
            **_named(strategy),
            "returns": strategy.backtest(),
            "trials": strategy.trials,
            "active_from": live_since(yesterday).isoformat(),
        }
        for strategy in STRATEGIES
    ]
    returns = [
        {**_named(strategy), "date": day.isoformat(), "return": value}
        for strategy in STRATEGIES
        for day, value in strategy.live(yesterday).items()
    ]
    async with _client(url, key) as client:
        reported = await _send(client, "/api/v1/performance/references", references)
        await _send(client, "/api/v1/performance/returns", returns)
    found = {report["subject"]: report["reference"]["registration"] for report in reported["reports"]}
    return {name: (registration["outlook"], registration["advice"]) for name, registration in found.items()}


async def check(url: str, key: str) -> None:
    """Run the checks as a person would who does not want to wait. Raises Transient."""
    async with _client(url, key) as client:
        for name in CHECKS:
            await _send(client, f"/api/performance-alerts/schedule/trigger/{name}", None)


def _named(strategy: Strategy) -> Mapping[str, str]:
    tenants = {player.name: str(player.tenant_id) for player in CAST}
    return {"tenant_id": tenants[strategy.owner], "subject": strategy.name}


def _client(url: str, key: str) -> ClientSession:
    return ClientSession(url, headers={"X-Alert-API-Key": key}, timeout=PATIENCE, raise_for_status=True)


async def _send(client: ClientSession, path: str, rows: object) -> Any:
    try:
        async with client.post(path, json=rows) as answer:
            return await answer.json()
    except (ClientError, TimeoutError) as exc:
        raise Transient(f"the daemon did not do what the demo asked for at {path} ({type(exc).__name__})") from exc
