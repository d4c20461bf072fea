"""Forecasts beyond reason to the bit, by plain loops; and what the rule takes and what it leaves."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core.kernel import hindcasts as kernel
from pulse_core.kernel.hindcasts import withhold

Array = np.ndarray
LARGEST = sys.float_info.max


def reach(history: Sequence[float], ahead: int) -> float:
    """How far a forecast may be from the newest value: range (1 + ahead/(n - 1)) + 5 steps sqrt(ahead)."""
    count = max(len(history) - 1.0, 1.0)
    spread = max(history) - min(history)
    steps = 0.0
    for before, value in itertools.pairwise(history):
        steps = steps + abs(value - before)
    far = (spread + ahead * (spread / count)) + 5.0 * (steps / count) * math.sqrt(ahead)
    return far if spread > 0 and far < LARGEST else LARGEST


def withheld(path: Array, lengths: Array, cells: Array, rows: Sequence[int], horizons: int, first: int) -> Array:
    """Put NaN into the cells; return the counts (row, horizon)."""
    counts = np.zeros((len(rows), horizons), dtype=np.int64)
    for origin, length in enumerate(lengths.tolist()):
        history = path[:length].tolist()
        for index, row in enumerate(rows):
            for h in range(horizons):
                cell = row * horizons + h
                if abs(cells[origin, cell] - history[-1]) > reach(history, h + 1):
                    cells[origin, cell] = math.nan
                    counts[index, h] += origin >= first
    return counts


def judged(path: Array, forecasts: Array, first: int = 0) -> tuple[Array, Array]:
    """What stays of the forecasts (origin, horizon) of one forecaster at the newest lengths, and what was counted."""
    cells = np.array(forecasts, dtype=np.float64, order="C")
    count, horizons = cells.shape
    lengths = np.arange(len(path) - count + 1, len(path) + 1)
    counts = np.zeros((1, horizons), dtype=np.int64)
    withhold(np.asarray(path, dtype=np.float64), lengths, cells, np.zeros(1, dtype=np.int64), counts, first)
    return cells, counts[0]


NUMBERS = st.integers(-3, 3).map(float) | st.floats(-50, 50) | st.sampled_from([1e300, -1e308, 5e-324, 1.7e308])
FORECASTS = NUMBERS | st.sampled_from([math.nan, math.inf, -math.inf])


@settings(max_examples=150)
@given(data=st.data())
def test_what_is_withheld_is_what_plain_loops_withhold(data, set_stretch):
    path = np.array(data.draw(st.lists(NUMBERS, min_size=1, max_size=12)))
    lengths = np.array(sorted(data.draw(st.lists(st.integers(1, len(path)), min_size=1, max_size=12))))
    horizons, forecasters = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 3))
    rows = data.draw(st.lists(st.integers(0, forecasters - 1), max_size=forecasters, unique=True))
    cells = np.array(
        data.draw(
            st.lists(
                st.lists(FORECASTS, min_size=forecasters * horizons + 1, max_size=forecasters * horizons + 1),
                min_size=len(lengths),
                max_size=len(lengths),
            )
        )
    )
    first = data.draw(st.integers(0, len(lengths)))
    expected = cells.copy()
    with np.errstate(all="ignore"):
        expected_counts = withheld(path, lengths, expected, rows, horizons, first)
    counts = np.zeros((len(rows), horizons), dtype=np.int64)
    set_stretch(data.draw(st.integers(1, 12)))
    withhold(path, lengths, cells, np.array(rows, dtype=np.int64), counts, first)
    np.testing.assert_array_equal(cells, expected)
    np.testing.assert_array_equal(counts, expected_counts)


@pytest.fixture(scope="module")
def set_stretch():
    """Set how many values the kernel takes in one call."""
    with pytest.MonkeyPatch.context() as patch:
        yield lambda size: patch.setattr(kernel, "LONGEST_STRETCH", size)


def test_the_reach_by_hand():
    # range 1, three steps of 1: 1 (1 + 1/3) + 5 one step ahead, 1 (1 + 4/3) + 10 four steps ahead
    near, far = 1 + (1 + 1 / 3) + 5, 1 + (1 + 4 / 3) + 10
    cells, _ = judged(np.array([0.0, 1.0, 0.0, 1.0]), np.array([[near - 0.01, 0.0, 0.0, far - 0.01]]))
    assert np.isfinite(cells).all()
    cells, counts = judged(np.array([0.0, 1.0, 0.0, 1.0]), np.array([[near + 0.01, 0.0, 0.0, far + 0.01]]))
    assert counts.tolist() == [1, 0, 0, 1]


def test_a_hindcast_that_explodes_is_withheld_and_a_sober_one_stays():
    demand = 14000 + 3000 * np.sin(np.arange(200) * 2 * np.pi / 24)
    forecasts = np.array([[demand[-1] * (1 + 0.1 * h) for h in range(3)] + [-6.5e9]])
    cells, counts = judged(demand, forecasts)
    assert cells[0, :3].tolist() == forecasts[0, :3].tolist()
    assert np.isnan(cells[0, 3])
    assert counts.tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("history", [3, 8, 30])
def test_a_trend_may_go_on_as_far_ahead_as_one_likes(history):
    ahead = np.arange(1.0, 1001.0)
    cells, _ = judged(np.arange(float(history)), (history - 1 + ahead)[None])
    assert np.isfinite(cells).all()


@pytest.mark.parametrize("growth", [1.02, 1.05, 1.1])
def test_growth_in_proportion_may_go_on_for_half_as_long_as_it_is_known(growth):
    values = growth ** np.arange(30.0)
    cells, _ = judged(values[:20], values[None, 20:30])
    assert np.isfinite(cells).all()


def test_stairs_may_rise_by_one_more():
    stairs = np.repeat([0.0, 1.0], 100)
    cells, _ = judged(stairs, np.full((1, 3), 2.0))
    assert np.isfinite(cells).all()


def test_a_history_that_never_moved_judges_nothing_but_the_infinite():
    cells, counts = judged(np.full(10, 5.0), np.array([[5.0, 1e300, np.inf, np.nan]]))
    assert np.isfinite(cells[0]).tolist() == [True, True, False, False]
    assert counts.tolist() == [0, 0, 1, 0]


def test_forecasters_outside_the_rows_are_refused():
    cells, counts = np.zeros((1, 4)), np.zeros((1, 2), dtype=np.int64)
    with pytest.raises(ValueError, match="expected forecasters 0 to 1"):
        withhold(np.ones(3), np.array([3]), cells, np.array([2]), counts, 0)


@pytest.mark.parametrize("power", [-60, 60])
def test_the_unit_of_the_values_does_not_matter(power):
    generator = np.random.default_rng(7)
    path, forecasts = np.cumsum(generator.normal(size=30)), 20 * generator.normal(size=(20, 4))
    plain, counts = judged(path, forecasts)
    scaled, scaled_counts = judged(np.ldexp(path, power), np.ldexp(forecasts, power))
    np.testing.assert_array_equal(scaled, np.ldexp(plain, power))
    assert counts.tolist() == scaled_counts.tolist()
    assert 0 < counts.sum() < forecasts.size
