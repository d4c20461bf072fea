"""The check of the benchmark by the simple forecasters: where it trends or has a season, the result says so."""

from __future__ import annotations

import math
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pulse_core import Observations, RunSpec, VariableSummary
from pulse_core.data.known_at import resolve_known_at
from pulse_core.results import STATISTICS
from pulse_core.scores.measures import MEASURES
from tests.plain_pairs import judged
from tests.plain_trust import Settings
from tests.processes_trust import walks
from tests.unit.core.real import real_series
from tests.unit.method.plain_learning import diebold_mariano
from tests.unit.method.running import backtest_of, replay, series, spec_of, train

MAE = MEASURES.index("mae")
SKILL = MEASURES.index("skill_mae")


def summary_of(observations: Observations, spec: RunSpec) -> VariableSummary:
    (summary,) = train([observations], spec).variables
    return summary


def of_one(values: np.ndarray, **fields: Any) -> VariableSummary:
    defaults: dict[str, Any] = {"days": len(values), "first": 60, "horizon": 1, "forecasters": ("naive", "ses", "ar")}
    return summary_of(series(values), spec_of(**defaults | fields))


def drifting(count: int = 400, seed: int = 1) -> np.ndarray:
    """A walk of logarithms that rises by a fifth of its step's deviation."""
    return np.asarray(100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0.002, 0.01, count))))


def test_a_benchmark_that_trends_is_told_and_the_skill_is_also_against_the_best_simple_forecaster():
    summary = of_one(drifting(800, seed=2), horizon=3, forecasters=("naive", "drift", "ses"))
    assert summary.trends.tolist() == [1, 1, 1]
    drift = summary.forecasters.index("drift")
    for ahead in (1, 2, 3):
        assert summary.best_simple(ahead) == "drift"
        against = summary.skill_over_simple(ahead)
        losses = summary.scores[:, ahead - 1, MAE]
        # all are scored at the same origins
        np.testing.assert_allclose(against, 1 - losses / losses[drift], rtol=1e-12, atol=1e-15)
        assert against[drift] == 0
        assert (against < summary.scores[:, ahead - 1, SKILL])[1:].all()


def test_the_example_that_trends_is_told():
    observations = resolve_known_at(real_series("core_cpi"), "auto", real_end()).known
    names = ("naive", "mean", "ses", "holt", "theta", "ari", "ensemble")
    spec = RunSpec(variables=("core_cpi",), start=real_end(-3000), end=real_end(), forecasters=names)
    summary = summary_of(observations, spec)
    assert summary.trends.all()
    for ahead in range(1, spec.horizon + 1):
        assert summary.best_simple(ahead) == "drift"
    skill = summary.scores[:, 0, SKILL]
    best = int(np.nanargmax(skill))
    assert skill[best] > 0.5
    assert summary.skill_over_simple(1)[best] < skill[best] - 0.1


def real_end(days: int = 0) -> date:
    """So many days after the last release of the example, or before it."""
    end: date = (real_series("core_cpi").timestamps[-1].astype("datetime64[D]") + 60 + days).item()
    return end


def test_a_season_is_told_where_there_is_one():
    generator = np.random.default_rng(3)
    pattern = np.tile(5 * np.sin(np.arange(12) / 12 * 2 * math.pi), 40)
    summary = of_one(pattern + generator.normal(size=480), season=12, forecasters=("naive", "ses"))
    assert summary.simple == ("naive", "drift", "seasonal-naive")
    assert summary.trends.tolist() == [1]
    assert summary.best_simple(1) == "seasonal-naive"
    # nobody is biased: it is the seasonal naive forecaster that beats the benchmark
    assert summary.skill_over_simple(1)[0] < -0.5
    alone = of_one(pattern + generator.normal(size=480), forecasters=("naive", "ses"))
    assert (alone.trends.tolist(), alone.best_simple(1)) == ([0], "naive")


def test_a_walk_is_seldom_said_to_trend():
    members = [series(100 + values, f"w{index:03}") for index, values in enumerate(rough_walks(200))]
    names = [member.variable for member in members]
    spec = spec_of(*names, days=330, first=30, horizon=2, forecasters=("naive",), min_history=10)
    trends = np.array([summary.trends for summary in train(members, spec, unit_size=200).variables])
    # one in a hundred is biased by chance, and drift may beat it on one in twenty at most
    assert trends.mean(axis=0).max() <= 0.04, trends.mean(axis=0)


def rough_walks(count: int) -> np.ndarray:
    return walks(count, 330, np.random.default_rng(4), "t3")


def test_another_benchmark_is_checked_as_well():
    summary = of_one(drifting(800, seed=2), benchmark="mean", forecasters=("ses",))
    assert summary.forecasters == ("mean", "ses")
    assert summary.trends.tolist() == [1]
    assert summary.best_simple(1) == "drift"
    assert summary.skill_over_simple(1)[0] < -1


def test_a_simple_forecaster_is_not_beaten_by_itself():
    summary = of_one(drifting(800, seed=2), benchmark="drift", forecasters=("naive", "ses"))
    assert summary.trends.tolist() == [0]
    assert summary.best_simple(1) == "drift"
    np.testing.assert_allclose(summary.skill_over_simple(1), summary.scores[:, 0, SKILL], rtol=1e-9)


def test_what_the_check_is_made_of_is_what_plain_code_makes_of_the_hindcasts():
    values = drifting(200, seed=5)
    spec = spec_of(days=200, first=60, horizon=3, forecasters=("naive", "drift", "seasonal-naive", "ar"), season=4)
    output, record = replay(series(values), spec), backtest_of(series(values), spec).record
    first = output.origins.first
    errors = output.origins.reported[first:, None] - output.hindcasts.forecasts[first:]
    for ahead in (1, 2, 3):
        scored = np.isfinite(errors[..., ahead - 1]).all(axis=1)
        losses = np.abs(errors[scored, :, ahead - 1])
        naive = errors[scored, 0, ahead - 1]
        statistic, count = record.bias[ahead - 1]
        assert count == scored.sum()
        p_value = diebold_mariano(naive, np.zeros(len(naive)), ahead)
        assert p_of(statistic, int(count)) == pytest.approx(p_value, rel=1e-9)
        for index, name in enumerate(record.simple):
            rival = spec.forecasters.index(name)
            for row in range(4):
                own, other = record.simple_losses[index, row, ahead - 1]
                assert own == pytest.approx(losses[:, row].sum(), rel=1e-12)
                assert other == pytest.approx(losses[:, rival].sum(), rel=1e-12)
            plain = judged(output.steps(rival, ahead), ahead, Settings(span=output.span)).pair
            expected = math.nan if name == "naive" else plain.evidence[0]
            assert record.simple_evidence[index, ahead - 1] == pytest.approx(expected, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("target", ["change", "log-change"])
def test_the_mean_is_a_simple_forecaster_of_changes(target):
    # what drift is to levels: a trend in levels is a mean of changes
    summary = of_one(drifting(800, seed=2), target=target, season=4, forecasters=("naive", "ses"))
    assert summary.simple == ("naive", "drift", "mean", "seasonal-naive")
    assert summary.best_simple(1) == "mean"
    assert summary.trends.tolist() == [1]


def test_the_bias_of_a_seasonal_benchmark_has_lags_over_its_season():
    # errors of a seasonal naive forecaster on a walk share all steps of a season but as many as lie between them
    values = np.cumsum(np.random.default_rng(6).normal(size=300))
    names = ("naive", "seasonal-naive", "drift")
    spec = spec_of(days=300, first=60, horizon=2, forecasters=names, benchmark=names[1], season=7)
    output, record = replay(series(values), spec), backtest_of(series(values), spec).record
    first = output.origins.first
    for ahead in (1, 2):
        errors = output.origins.reported[first:, ahead - 1] - output.hindcasts.forecasts[first:, 1, ahead - 1]
        scored = errors[np.isfinite(errors)]
        statistic, count = record.bias[ahead - 1]
        expected = diebold_mariano(scored, np.zeros(len(scored)), 7)
        assert p_of(statistic, int(count)) == pytest.approx(expected, rel=1e-9)


def p_of(statistic: float, count: int) -> float:
    from scipy.stats import t

    return float(2 * t.sf(abs(statistic), count - 1))


def test_simple_losses_are_those_of_common_origins():
    # drift forecasts nothing from one value, naive does
    values = [1.0, 5.0, 2.0, 8.0, 3.0, 9.0, 1.0]
    spec = spec_of(days=7, horizon=1, min_history=1, forecasters=("naive", "mean"))
    record = backtest_of(series(values), spec).record
    drift = record.simple.index("drift")
    naive_losses = [abs(after - before) for before, after in pairwise(values[1:])]
    assert record.simple_losses[drift, 0, 0, 0] == pytest.approx(sum(naive_losses))
    assert record.statistics[0, 0, STATISTICS.index("dm_count")] == len(values) - 1
