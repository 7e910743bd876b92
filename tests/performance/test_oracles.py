"""Ours against scipy, live, and against heavier libraries as they once answered (see record_oracles)."""

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from alertd.performance.stats import bootstrap, overfitting, sharpe
from alertd.performance.stats.moments import autocorrelation, moments
from alertd.performance.stats.numbers import NORMAL, annual_sharpe
from tests.performance import making

RECORDED = json.loads(Path(__file__).with_name("oracles.json").read_text(encoding="utf-8"))
SAMPLES = pytest.mark.parametrize("name", list(RECORDED["samples"]))


def returns_of(name: str) -> np.ndarray:
    return np.array(RECORDED["samples"][name]["returns"])


def said(name: str, what: str) -> float:
    return RECORDED["samples"][name][what]


@SAMPLES
def test_moments_are_scipy_s(name):
    returns = returns_of(name)
    shape = moments(returns)

    assert shape.sd == pytest.approx(np.std(returns, ddof=1))
    assert shape.skew == pytest.approx(scipy.stats.skew(returns))
    assert shape.kurtosis == pytest.approx(scipy.stats.kurtosis(returns, fisher=False))


@pytest.mark.parametrize("x", [-8.0, -2.33, -0.5, 0.0, 1.96, 5.0])
def test_the_normal_distribution_is_scipy_s(x):
    assert NORMAL.cdf(x) == pytest.approx(scipy.stats.norm.cdf(x), abs=1e-15)


@SAMPLES
def test_the_sharpe_ratio_is_empyrical_s(name):
    assert annual_sharpe(moments(returns_of(name)).sharpe) == pytest.approx(said(name, "empyrical.sharpe_ratio"))


@SAMPLES
def test_volatility_is_empyrical_s(name):
    assert moments(returns_of(name)).sd * 365**0.5 == pytest.approx(said(name, "empyrical.annual_volatility"))


@SAMPLES
@pytest.mark.parametrize("library", ["empyrical", "quantstats"])
def test_the_drawdown_is_everybody_s(name, library):
    assert making.deepest_fall(returns_of(name)) == pytest.approx(-said(name, f"{library}.max_drawdown"))


@SAMPLES
def test_the_probabilistic_sharpe_ratio_is_quantstats_s(name):
    """Which corrects skew and kurtosis for the size of the sample; ours are the paper's."""
    ours = sharpe.psr_2012(moments(returns_of(name)), 0.0)

    assert ours == pytest.approx(said(name, "quantstats.probabilistic_ratio"), abs=1e-5)


@SAMPLES
def test_the_deflated_sharpe_ratio_is_ffn_s(name):
    trials = RECORDED["trials"]
    ours = overfitting.deflated(moments(returns_of(name)), trials["count"], trials["sharpe_variance"])

    assert ours == pytest.approx(said(name, "ffn.deflated_sharpe_ratio"), abs=1e-5)


@pytest.mark.parametrize(("count", "said"), list(RECORDED["ffn.expected_max_sharpe"].items()))
def test_the_best_by_luck_is_ffn_s(count, said):
    assert overfitting.best_by_luck(int(count), 1.0) == pytest.approx(said)


@SAMPLES
def test_the_block_length_is_near_arch_s(name):
    """Which scales each autocorrelation a little differently, and may go under one day."""
    ours = bootstrap.block_length(returns_of(name))

    assert ours == pytest.approx(max(1.0, said(name, "arch.optimal_block_length")), rel=0.1)


@SAMPLES
def test_the_bootstrap_spreads_means_as_arch_s_does(name):
    returns = returns_of(name)
    chance = np.random.Generator(np.random.PCG64(3))
    chosen = bootstrap.resampled(len(returns), paths=8000, days=len(returns), block=RECORDED["block"], chance=chance)

    assert returns[chosen].mean(axis=1).std() == pytest.approx(said(name, "arch.bootstrap_sd_of_mean"), rel=0.04)


def test_autocorrelation_is_what_numpy_makes_of_it():
    values = returns_of("dependent")
    centred = values - values.mean()

    assert autocorrelation(values, 2) == pytest.approx(
        np.correlate(centred, centred, "full")[401] / (centred @ centred)
    )
