"""Arrays that do not fit are refused before the kernel sees them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pulse_core.arrays import frozen
from pulse_core.kernel import bindings
from pulse_core.kernel import hindcasts as kernel
from pulse_core.scores.sums import SUMS

PATH = np.arange(10.0)
LENGTHS = np.array([3, 5, 10])
GRID = kernel.padded(np.array([0.5, 0.6]))
WEIGHTS = np.array([0.0, 1.0])
GRIDS = np.full((4, bindings.LANES), 0.5)
LEVELS = np.zeros(3)
CHOICES = np.zeros(3, dtype=np.int64)
FORECASTS = np.zeros((3, 4, 2))
COUNTS = np.zeros((2, 3, 2))
CELLS, REPORTED = np.zeros((3, 4)), np.zeros((3, 2))
CELL_SUMS = np.zeros((2, len(SUMS)))
COLUMNS = np.empty((bindings.MEASURES, 2))


def out(origins=3, horizon=2):
    return np.empty((origins, horizon))


def as_given(array) -> Any:
    return array


def locked(array):
    return frozen(array.copy())


def penalties(first, last):
    return np.ones((last - first, kernel.ORDERS))


def of_any_length(first, last):
    return np.ones((1, 1))


def of_fewer_orders(first, last):
    return np.ones((last - first, kernel.ORDERS - 1))


REFUSED = {
    "path of float32": lambda: kernel.naive(PATH.astype(np.float32), LENGTHS, out()),
    "path with gaps": lambda: kernel.naive(np.arange(20.0)[::2], LENGTHS, out()),
    "lengths of int32": lambda: kernel.naive(PATH, LENGTHS.astype(np.int32), out()),
    "lengths that fall": lambda: kernel.naive(PATH, LENGTHS[::-1].copy(), out()),
    "two lengths that fall": lambda: kernel.naive(PATH, np.array([5, 3]), out(2)),
    "length beyond, between": lambda: kernel.naive(PATH, np.array([3, 100, 10]), out()),
    "length beyond, last": lambda: kernel.naive(PATH, np.array([3, 5, 11]), out()),
    "length of 0": lambda: kernel.naive(PATH, np.array([0, 5, 10]), out()),
    "lengths of 0 alone": lambda: kernel.naive(PATH, np.zeros(3, dtype=np.int64), out()),
    "length below 0, between": lambda: kernel.drift(PATH, np.array([3, -5_000_000_000, 10]), out()),
    "length below 0, last": lambda: kernel.drift(PATH, np.array([-5]), out(1)),
    "too few rows": lambda: kernel.mean(PATH, LENGTHS, out(2)),
    "too many rows": lambda: kernel.mean(PATH, LENGTHS, out(5)),
    "rows for no origin": lambda: kernel.mean(PATH, LENGTHS[:0], out(1)),
    "read-only forecasts": lambda: kernel.naive(PATH, LENGTHS, locked(out())),
    "window of 0": lambda: kernel.window_mean(PATH, LENGTHS, out(), 0),
    "window below 0": lambda: kernel.window_mean(PATH, LENGTHS, out(), -1),
    "too few levels": lambda: kernel.ses_levels(PATH, LENGTHS, GRID, LEVELS[:1], CHOICES),
    "too many choices": lambda: kernel.ses_levels(PATH, LENGTHS, GRID, LEVELS, np.zeros(4, dtype=np.int64)),
    "read-only levels": lambda: kernel.ses_levels(PATH, LENGTHS, GRID, locked(LEVELS), CHOICES),
    "read-only choices": lambda: kernel.ses_levels(PATH, LENGTHS, GRID, LEVELS, locked(CHOICES)),
    "empty grid": lambda: kernel.ses_levels(PATH, LENGTHS, np.empty((1, 0)), LEVELS, CHOICES),
    "grid of 3 points": lambda: kernel.ses_levels(PATH, LENGTHS, GRIDS[:1, :3].copy(), LEVELS, CHOICES),
    "grid of two parameters": lambda: kernel.ses_levels(PATH, LENGTHS, GRIDS[:2], LEVELS, CHOICES),
    "choice beyond the grid": lambda: kernel.theta(PATH, LENGTHS, GRID, (LEVELS, CHOICES + 10**9), out()),
    "choice one beyond": lambda: kernel.theta(PATH, LENGTHS, GRID, (LEVELS, CHOICES + GRID.shape[1]), out()),
    "choice below 0": lambda: kernel.theta(PATH, LENGTHS, GRID, (LEVELS, CHOICES - 1), out()),
    "theta, read-only": lambda: kernel.theta(PATH, LENGTHS, GRID, (LEVELS, CHOICES), locked(out())),
    "holt, one parameter": lambda: kernel.holt(PATH, LENGTHS, GRID, out()),
    "holt, two parameters": lambda: kernel.holt(PATH, LENGTHS, GRIDS[:2], out()),
    "dynamic theta, one parameter": lambda: kernel.dynamic_theta(PATH, LENGTHS, GRIDS[:1], WEIGHTS, out()),
    "dynamic theta, no weights": lambda: kernel.dynamic_theta(PATH, LENGTHS, GRIDS[:2], WEIGHTS[:0], out()),
    "dynamic theta, float32": lambda: kernel.dynamic_theta(
        PATH, LENGTHS, GRIDS[:2], as_given(WEIGHTS.astype(np.float32)), out()
    ),
    "adjusted, season of 0": lambda: kernel.adjusted(PATH, LENGTHS, 0, out(), ratios=True),
    "adjusted, too many rows": lambda: kernel.adjusted(PATH, LENGTHS, 2, out(4), ratios=True),
    "adjusted, read-only": lambda: kernel.adjusted(PATH, LENGTHS, 2, locked(out()), ratios=False),
    "double seasonal, season of 0": lambda: kernel.double_seasonal(PATH, LENGTHS, GRIDS, (0, 2), out()),
    "double seasonal, longer first": lambda: kernel.double_seasonal(PATH, LENGTHS, GRIDS, (3, 3), out()),
    "double seasonal, three parameters": lambda: kernel.double_seasonal(PATH, LENGTHS, GRIDS[:3], (1, 2), out()),
    "exponentials, read-only": lambda: kernel.exponentials(locked(out())),
    "exponentials, backwards": lambda: kernel.exponentials(out(3, 4)[:, ::-1]),
    "exponentials of float32": lambda: kernel.exponentials(as_given(np.zeros((2, 3), dtype=np.float32))),
    "season of 0": lambda: kernel.seasonal_naive(PATH, LENGTHS, 0, out()),
    "season below 0": lambda: kernel.seasonal_naive(PATH, LENGTHS, -1, out()),
    "holt-winters, season of 0": lambda: kernel.holt_winters(PATH, LENGTHS, GRIDS, 0, out()),
    "holt-winters, season below 0": lambda: kernel.holt_winters(PATH, LENGTHS, GRIDS, -1, out()),
    "holt-winters, three parameters": lambda: kernel.holt_winters(PATH, LENGTHS, GRIDS[:3], 2, out()),
    "penalties of any length": lambda: kernel.ar(PATH, LENGTHS, of_any_length, out(), differenced=False),
    "penalties of fewer orders": lambda: kernel.ar(PATH, LENGTHS, of_fewer_orders, out(), differenced=True),
    "ar, read-only": lambda: kernel.ar(PATH, LENGTHS, penalties, locked(out()), differenced=False),
    "ar, too many rows": lambda: kernel.ar(PATH, LENGTHS, penalties, out(4), differenced=False),
    "mean, too wide": lambda: kernel.mean_of_all(FORECASTS, out(3, 200)),
    "mean, too narrow": lambda: kernel.mean_of_all(FORECASTS, out(3, 1)),
    "mean, too few rows": lambda: kernel.mean_of_all(FORECASTS, out(1)),
    "mean, too many rows": lambda: kernel.mean_of_all(FORECASTS, out(4)),
    "mean, read-only": lambda: kernel.mean_of_all(FORECASTS, locked(out())),
    "median, too wide": lambda: kernel.median_of_all(FORECASTS, out(3, 200)),
    "median, backwards": lambda: kernel.median_of_all(FORECASTS[::-1], out()),
    "differences of float32": lambda: bindings.add_sequence_counts(
        as_given(np.zeros((3, 2, 2), dtype=np.float32)), 0, COUNTS
    ),
    "differences of two axes": lambda: bindings.add_sequence_counts(np.zeros((3, 2)), 0, COUNTS),
    "counts of other sequences": lambda: bindings.add_sequence_counts(np.zeros((3, 2, 2)), 0, np.zeros((2, 2, 2))),
    "differences that lie apart": lambda: bindings.add_sequence_counts(np.zeros((3, 2, 4))[..., ::2], 0, COUNTS),
    "rival beyond": lambda: bindings.common_losses(CELLS, REPORTED, 2, 2),
    "rival below 0": lambda: bindings.common_losses(CELLS, REPORTED, 2, -1),
    "losses of more forecasters than cells": lambda: bindings.common_losses(CELLS, REPORTED, 3, 0),
    "losses of fewer rows of actuals": lambda: bindings.common_losses(CELLS, REPORTED[:2], 2, 0),
    "benchmark beyond": lambda: bindings.comparisons(CELLS, REPORTED, 2, 2),
    "benchmark below 0": lambda: bindings.comparisons(CELLS, REPORTED, 2, -1),
    "more forecasters than cells": lambda: bindings.comparisons(CELLS, REPORTED, 3, 0),
    "fewer rows of actuals": lambda: bindings.comparisons(CELLS, REPORTED[:2], 2, 0),
    "too few sums": lambda: bindings.write_measures(CELL_SUMS[:, :3].copy(), np.array([0, 1]), COLUMNS),
    "no sums": lambda: bindings.write_measures(CELL_SUMS[:, :0], np.array([0, 1]), COLUMNS),
    "too many sums": lambda: bindings.write_measures(np.zeros((2, 70)), np.array([0, 1]), COLUMNS),
    "row beyond the sums": lambda: bindings.write_measures(CELL_SUMS, np.array([0, 2]), COLUMNS),
    "read-only measures": lambda: bindings.write_measures(CELL_SUMS, np.array([0, 1]), locked(COLUMNS)),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED.keys())
def test_arrays_that_do_not_fit_are_refused(call):
    with pytest.raises(ValueError, match=r"expect|fit|beyond|lengths"):
        call()


def test_arrays_that_fit_are_taken():
    kernel.window_mean(PATH, LENGTHS, out(), 1)
    kernel.ses_levels(PATH, LENGTHS, GRID, LEVELS.copy(), CHOICES.copy())
    kernel.theta(PATH, LENGTHS, GRID, (LEVELS, CHOICES + GRID.shape[1] - 1), out())
    kernel.ar(PATH, LENGTHS, penalties, out(), differenced=False)
    kernel.holt_winters(PATH, LENGTHS, GRIDS, 1, out())
    kernel.double_seasonal(PATH, LENGTHS, GRIDS, (1, 2), out())
    kernel.exponentials(out(3, 4)[:, :3])
    kernel.dynamic_theta(PATH, LENGTHS, GRIDS[:2], WEIGHTS, out())
    kernel.adjusted(PATH, LENGTHS, 1, out(), ratios=True)
    kernel.mean_of_all(FORECASTS, out())
    kernel.naive(PATH, LENGTHS[:0], out(0))
    bindings.comparisons(CELLS, REPORTED, 2, 1)
    bindings.common_losses(CELLS, REPORTED, 2, 1)
    bindings.add_sequence_counts(np.zeros((3, 2, 4))[..., :3], 0, np.zeros((2, 3, 3)))
    bindings.write_measures(CELL_SUMS, np.array([0, 1]), COLUMNS)
    assert len(SUMS) == bindings.CELL_SUMS
