"""Forecasts beyond reason: none at their origin, counted and told; and what takes part in combinations."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest

from pulse_adapters.published.cautions import beyond_reason_text
from pulse_core import VariableSummary
from pulse_core.forecasters.registry import resolve
from pulse_core.scores.measures import MEASURES
from tests.unit.method.running import replay, series, spec_of, train, whole_roster
from tests.unit.method.test_no_look_ahead import assert_law

HORIZON = 48


def bursts(seed: int) -> np.ndarray:
    """Noise around 100, and a burst that grows by 45 % a step for ten steps: for a while `ar` takes it for the law."""
    values = 100 + np.random.default_rng(seed).normal(size=200)
    values[60:70] += 1.45 ** np.arange(10)
    return values


def errors_in_steps(seed: int, name: str) -> np.ndarray:
    """Absolute errors (origin, horizon) over the mean absolute step so far."""
    output = replay(series(bursts(seed)), spec_of(days=200, horizon=HORIZON, min_history=30))
    row = output.hindcasts.names.index(name)
    return np.asarray(
        np.abs(output.origins.released - output.hindcasts.forecasts[:, row]) / output.origins.scale[:, None]
    )


@pytest.mark.parametrize("seed", range(300, 325, 3))
def test_the_ensemble_never_errs_by_fifty_mean_steps_where_a_member_explodes(seed):
    errors = errors_in_steps(seed, "ensemble")
    assert np.isfinite(errors).any()
    assert np.nanmax(errors) < 50


def summary_of_burst() -> VariableSummary:
    return train([series(bursts(321))], spec_of(days=200, horizon=HORIZON, min_history=30)).variables[0]


def test_an_explosion_is_counted_and_not_scored():
    summary = summary_of_burst()
    row, n = summary.forecasters.index("ar"), MEASURES.index("n")
    naive = summary.forecasters.index("naive")
    counts = summary.beyond_reason
    assert counts[row].sum() > 0
    # what is withheld is missing among what is scored, but at origins whose actual never came
    missing = summary.scores[naive, :, n] - summary.scores[row, :, n]
    assert (missing <= counts[row]).all()
    assert (missing > 0).any()
    assert not counts[naive].any()
    assert not counts[[summary.forecasters.index(name) for name in ("mean-of-all", "ensemble")]].any()


def test_origins_before_the_period_are_not_counted():
    whole = spec_of(days=200, horizon=HORIZON, min_history=30)
    late = spec_of(days=200, first=150, horizon=HORIZON, min_history=30)
    counts = [train([series(bursts(321))], spec).variables[0].beyond_reason.sum() for spec in (whole, late)]
    assert counts[0] > counts[1] == 0


@pytest.mark.parametrize("growth", [0.0, 0.002, 0.05])
def test_what_walks_and_grows_is_not_cut(growth):
    steps = np.random.default_rng(5).normal(growth, 0.02, size=260)
    summary = train([series(np.exp(np.cumsum(steps)))], spec_of(days=260, first=30, horizon=8)).variables[0]
    assert summary.beyond_reason.sum() <= 3


def test_levels_are_combined_without_their_averages_and_changes_with_them():
    names = ("naive", "mean", "window-mean", "drift", "mean-of-all", "ensemble")
    values = np.exp(0.01 * np.cumsum(np.random.default_rng(6).normal(size=80)))
    weighed: dict[str, Any] = {}
    for target in ("level", "change"):
        summary = train([series(values)], spec_of(days=80, forecasters=names, target=target)).variables[0]
        weighed[target] = {
            name for name, weight in zip(summary.forecasters, summary.weights[:, 0], strict=True) if weight >= 0
        }
    assert weighed == {"level": {"naive", "drift"}, "change": {"naive", "drift", "mean", "window-mean"}}


def test_averages_alone_are_combined():
    summary = train([series(np.arange(20.0))], spec_of(days=20, forecasters=("mean", "ensemble", "naive"))).variables[0]
    assert np.isfinite(summary.weights[2, 0])
    alone = resolve(["mean", "window-mean", "ensemble"])
    assert alone.members("level") == alone.forecasters


def test_with_a_season_equal_weights_go_to_those_that_know_it():
    forecasters = resolve(whole_roster(4))
    combined = {forecaster.name for forecaster in forecasters.of_variable((12,)).combined("level")}
    assert {"seasonal-naive(4)", "holt-winters(4)"} <= combined
    assert combined.isdisjoint({"naive", "drift", "mean", "window-mean", "ses", "holt", "damped-holt", "theta", "ar"})
    # five lags reach over a season of four
    assert {one.name for one in forecasters.of_variable((4,)).combined("level")} == combined | {"ar", "ari"}
    assert len(forecasters.combined("level")) == len(forecasters.forecasters) - 2
    # one alone is no combination
    assert len(resolve(["naive", "drift", "seasonal-naive(4)"]).of_variable((4,)).combined("level")) == 3


def test_the_text_names_forecasters_most_withheld_first():
    assert beyond_reason_text([]) == ""
    counts = [("a", "holt", 2), ("a", "ar", 1000), ("b", "ar", 200)]
    assert beyond_reason_text(counts) == (
        "Forecasts beyond reason, judged by the history's range and steps, count as none: 1,200 of ar on 2 variables, "
        "2 of holt on a."
    )
    many = [("a", name, 1) for name in "abcdefg"]
    assert beyond_reason_text(many).endswith("1 of e on a, and some of 2 more forecasters.")


@pytest.mark.parametrize("cut", [62, 66, 70, 90])
def test_what_is_beyond_reason_does_not_depend_on_what_comes_later(cut):
    original = series(bursts(321))
    rewritten = attrs.evolve(original, values=np.append(original.values[:cut], original.values[cut:] * -3))
    spec = spec_of(days=200, first=40, horizon=12, forecasters=whole_roster())
    assert_law((original, rewritten, spec, original.timestamps[cut - 1]))
