"""The sums of batches to the bit: common origins, batches without origins, scales that are missing."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core.backtest.custom_quantiles import CustomQuantiles
from pulse_core.kernel import bindings
from pulse_core.kernel.bindings import doubles, positions
from pulse_core.scores.sums import SUMS
from tests.unit.kernel.pass_inputs import KINDS, pass_inputs
from tests.unit.kernel.passes import PassInput, assert_same_bits, bits, origins_of, run
from tests.unit.kernel.plain_pass import plain
from tests.unit.kernel.plain_sums import CRPS_WEIGHTS


@settings(max_examples=60)
@given(pass_inputs())
def test_sums_are_those_of_plain_loops(case):
    # nothing of the quantiles' learning or of the order of feedback: all scales and sleepers, all batches
    assert bits(run(case).sums) == bits(plain(case).sums)


def sums_of(forecasts: np.ndarray, actuals: np.ndarray, **fields: Any) -> dict[str, np.ndarray]:
    """Sums by name, (batch, forecaster), of forecasts (origin, forecaster) one step ahead."""
    case = PassInput(forecasts=forecasts[:, :, None].astype(float), origins=origins_of(actuals[:, None], **fields))
    return dict(zip(SUMS, np.moveaxis(run(case).sums[:, :, 0], -1, 0), strict=True))


FORECASTS = np.array([[1.0, 3.0], [1.0, np.nan], [2.0, 5.0]])
ACTUALS = np.array([2.0, 4.0, 2.0])


def test_common_origins_are_those_that_are_scored_for_both():
    sums = sums_of(FORECASTS, ACTUALS)
    assert sums["count"].tolist() == [[3, 2]]
    assert sums["absolute"].tolist() == [[1 + 3 + 0, 1 + 3]]
    assert sums["common_absolute"].tolist() == [[4, 1 + 3]]
    assert sums["benchmark_absolute"].tolist() == [[4, 1 + 0]]
    assert sums["common_square"].tolist() == [[10, 10]]
    assert sums["benchmark_square"].tolist() == [[10, 1]]


def test_common_origins_are_apart_in_their_batch_alone():
    sums = sums_of(np.tile(FORECASTS, (2, 1)), np.tile(ACTUALS, 2), batch=[0, 0, 0, 1, 1, 1])
    for name in ("common_absolute", "benchmark_absolute"):
        assert sums[name][0].tolist() == sums[name][1].tolist()
    later = sums_of(np.vstack([FORECASTS, [[1.0, 3.0]]]), np.append(ACTUALS, 2.0), batch=[0, 0, 0, 1])
    assert later["common_absolute"][1].tolist() == [1, 1]
    assert later["benchmark_absolute"][1].tolist() == [1, 1]


@pytest.mark.parametrize("first_apart", range(6))
def test_common_losses_are_the_same_whenever_a_third_forecaster_parts_them(first_apart):
    generator = np.random.default_rng(first_apart)
    forecasts, actuals = generator.normal(size=(6, 3)), generator.normal(size=6)
    together = sums_of(forecasts, actuals)
    forecasts[first_apart, 2] = np.nan
    apart = sums_of(forecasts, actuals)
    for name in SUMS:
        assert bits(apart[name][:, :2]) == bits(together[name][:, :2]), name


def test_a_batch_without_origins_has_no_row():
    sums, side_by_side = (sums_of(FORECASTS, ACTUALS, batch=batch) for batch in ([0, 3, 3], [0, 1, 1]))
    assert sums["count"][:, 0].tolist() == [1, 2]
    for name in SUMS:
        assert bits(sums[name]) == bits(side_by_side[name]), name


def test_origins_before_the_period_add_nothing():
    sums = sums_of(FORECASTS, ACTUALS, batch=[-1, -1, 0])
    assert sums["count"].tolist() == [[1, 1]]
    assert sums["absolute"].tolist() == [[0, 3]]


def test_a_scale_that_is_missing_makes_the_scaled_sums_none_and_no_other():
    sums = sums_of(FORECASTS, ACTUALS, scale=np.array([1.0, np.nan, 1.0]))
    missing = {name for name in SUMS if np.isnan(sums[name][0, 0])}
    assert missing == {"scaled_absolute", "scaled_square", "scaled_interval"}
    # the second forecaster was not there then
    assert not any(np.isnan(sums[name][0, 1]) for name in SUMS)


def test_calls_leave_out_forecasts_and_actuals_that_stay():
    forecasts = np.array([[5.0, 6.0], [5.0, 4.0], [5.0, 6.0], [5.0, 5.0]])
    sums = sums_of(forecasts, np.array([7.0, 7.0, 5.0, 8.0]), newest=5.0)
    assert sums["calls"].tolist() == [[0, 2]]
    assert sums["hits"].tolist() == [[0, 1]]


def test_an_error_beyond_a_float64_is_not_scored():
    sums = sums_of(np.array([[1.7e308, 1.0]]), np.array([-1.7e308]))
    for name in ("count", "calls", "hits", "quantile_count", "error", "percentage", "common_absolute"):
        assert sums[name][0, 0] == 0, name


def test_an_actual_on_the_end_of_an_interval_is_inside():
    quantiles = {}
    for name, actual in (("below", -1.0), ("on", 0.0), ("above", 1.0)):
        # nothing has moved: every quantile is the point
        quantiles[name] = sums_of(np.zeros((1, 1)), np.array([actual]), scale=np.nan)["covered_95"][0, 0]
    assert quantiles == {"below": 0.0, "on": 1.0, "above": 0.0}


@pytest.mark.parametrize("forecasters", range(2, 10))
def test_a_forecaster_without_quantiles_is_not_counted_among_those_that_have_them(forecasters):
    offsets = np.tile(np.arange(-4.0, 5.0)[None, :, None, None], (2, 1, 1, 1))
    offsets[0] = np.nan
    last = forecasters - 1
    custom = CustomQuantiles((last,), (last - 1,), offsets, np.ones((2, 1, 1)))
    case = PassInput(forecasts=np.zeros((2, forecasters, 1)), origins=origins_of(np.ones((2, 1))), custom=custom)
    counts = run(case).sums[0, :, 0, SUMS.index("quantile_count")]
    assert counts.tolist() == [2.0] * last + [1.0]


def test_percentages_of_nothing_are_zero():
    assert sums_of(np.zeros((1, 1)), np.zeros(1))["percentage"].tolist() == [[0.0]]
    assert sums_of(np.ones((1, 1)), np.array([-1.0]))["percentage"].tolist() == [[200.0]]


def test_crps_weighs_each_level_from_the_level_before_to_the_level_after():
    assert sum(CRPS_WEIGHTS) == pytest.approx(2 - 0.025 * 2 + 0.0, abs=0.11)
    sums = sums_of(np.zeros((1, 1)), np.array([3.0]), scale=np.nan)
    expected = 0.0
    for weight, tau in zip(CRPS_WEIGHTS, (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975), strict=True):
        expected = expected + weight * (tau * 3.0)
    assert sums["common_crps"].tolist() == sums["benchmark_crps"].tolist() == [[expected]]


def test_what_is_reported_is_scored_not_what_was_released():
    sums = sums_of(np.zeros((2, 1)), np.array([1.0, 1.0]), reported=np.array([[5.0], [np.nan]]))
    assert sums["count"].tolist() == [[1]]
    assert sums["error"].tolist() == [[5]]


def test_every_batch_starts_from_nothing():
    generator = np.random.default_rng(7)
    forecasts, actuals = generator.normal(size=(9, 4)), generator.normal(size=9)
    case = PassInput(forecasts=forecasts[:, :, None], origins=origins_of(actuals[:, None], batch=[0] * 4 + [1] * 5))
    output = run(case)
    alone = attrs.evolve(case, origins=attrs.evolve(case.origins, batch=np.array([-1] * 4 + [0] * 5)))
    assert bits(run(alone).sums[0]) == bits(output.sums[1])
    assert_same_bits(output, plain(case))


def scales_of(values: np.ndarray, lengths: np.ndarray, season: int, cut: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean absolute and squared seasonal steps at each length, in two calls that meet at an origin."""
    scale, square_scale = np.empty((2, len(lengths)))
    state = np.zeros(3)
    for part in (slice(0, cut), slice(cut, None)):
        count = len(lengths[part])
        absolute, square = scale[part], square_scale[part]
        bindings.library().pulse_scales(
            doubles(values, len(values)),
            positions(lengths[part].copy(), count),
            count,
            season,
            doubles(state, 3),
            doubles(absolute, count),
            doubles(square, count),
        )
    return scale, square_scale


@settings(max_examples=100)
@given(st.data(), st.integers(1, 40), st.integers(1, 9), st.sampled_from([*KINDS]), st.integers(0, 1 << 32))
def test_scales_are_the_mean_steps_so_far(data, count, season, kind, seed):
    with np.errstate(all="ignore"):
        values = KINDS[kind](np.random.default_rng(seed), (count,))
    lengths = np.array(sorted(data.draw(st.lists(st.integers(1, count), min_size=1, max_size=20))))
    scale, square_scale = scales_of(values, lengths, season, data.draw(st.integers(0, len(lengths))))
    for i, length in enumerate(lengths.tolist()):
        absolute = square = 0.0
        history = values[:length].tolist()
        for before, now in zip(history, history[season:], strict=False):
            absolute = absolute + abs(now - before)
            square = square + abs(now - before) * abs(now - before)
        steps = max(length - season, 0)
        expected = [total / steps if total > 0 else np.nan for total in (absolute, square)]
        assert bits([scale[i], square_scale[i]]) == bits(expected)


def test_a_series_that_has_not_moved_has_no_scale():
    scale, _ = scales_of(np.array([2.0, 2.0, 3.0]), np.array([1, 2, 3]), 1, 0)
    assert bits(scale) == bits([np.nan, np.nan, 0.5])
