"""Asks heavy libraries for what ours must agree with, and writes it down beside this file.

    pip install arch==8.0.0 empyrical-reloaded==0.7.1 quantstats==0.0.86 ffn==1.4.1
    python tests/performance/record_oracles.py

They take 500 MB and seconds to import, so the tests read what they once said.
"""

import json
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")

import arch.bootstrap  # noqa: E402
import empyrical  # noqa: E402
import ffn  # noqa: E402
import quantstats  # noqa: E402

SAMPLE_DAYS = 400
REPLICATIONS = 20_000
BLOCK = 12.0
TRIAL_SHARPES = np.linspace(-0.1, 0.1, 50)
LIBRARIES = ("arch", "empyrical-reloaded", "quantstats", "ffn", "numpy")


def samples() -> dict[str, list[float]]:
    chance = np.random.default_rng(7)
    fat = chance.standard_t(4, SAMPLE_DAYS) * 0.01 + 0.001
    dependent = np.zeros(SAMPLE_DAYS)
    for day in range(1, SAMPLE_DAYS):
        dependent[day] = 0.5 * dependent[day - 1] + chance.normal(0, 0.01)
    return {"fat": np.round(fat, 6).tolist(), "dependent": np.round(dependent, 6).tolist()}


def asked(values: list[float]) -> dict[str, float]:
    returns = pd.Series(values, index=pd.date_range("2024-01-01", periods=len(values)))
    bootstrap = arch.bootstrap.StationaryBootstrap(BLOCK, returns.to_numpy(), seed=1)
    means = bootstrap.apply(lambda sample: np.array([sample.mean()]), REPLICATIONS)
    return {
        "arch.optimal_block_length": float(arch.bootstrap.optimal_block_length(returns)["stationary"].iloc[0]),
        "arch.bootstrap_sd_of_mean": float(means.std()),
        "empyrical.sharpe_ratio": float(empyrical.sharpe_ratio(returns, annualization=365)),
        "empyrical.max_drawdown": float(empyrical.max_drawdown(returns)),
        "empyrical.annual_volatility": float(empyrical.annual_volatility(returns, annualization=365)),
        "quantstats.probabilistic_ratio": float(
            quantstats.stats.probabilistic_ratio(returns, rf=0.0, base="sharpe", periods=365, smart=False)
        ),
        "quantstats.max_drawdown": float(quantstats.stats.max_drawdown(returns)),
        "ffn.deflated_sharpe_ratio": float(
            ffn.calc_deflated_sharpe_ratio(returns, TRIAL_SHARPES, annualized_trials=False)
        ),
    }


def luck() -> dict[str, float]:
    return {str(count): float(ffn.calc_expected_max_sharpe(count, 1.0)) for count in (2, 10, 45, 100, 1000)}


def main() -> None:
    recorded = {
        "libraries": {name: version(name) for name in LIBRARIES},
        "block": BLOCK,
        "trials": {"count": len(TRIAL_SHARPES), "sharpe_variance": float(TRIAL_SHARPES.var(ddof=1))},
        "samples": {name: {"returns": values, **asked(values)} for name, values in samples().items()},
        "ffn.expected_max_sharpe": luck(),
    }
    path = Path(__file__).with_name("oracles.json")
    path.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
