"""Autoregression by exact least squares at every origin, its order chosen by AICc, from running sums.

The p lags are written as the newest value and p - 1 changes, which span the same space and are far better
conditioned; the middle one of the first six values is taken off first (y_1 itself may be far from all others). One
LDL^T of the augmented moments, elementwise over all origins, holds the residual sums of squares of all nested
orders and the coefficients of any.
Source: Hurvich & Tsai (1989) for AICc; Golub & Van Loan, Matrix Computations, 4.1, for LDL^T.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.forecasters.base import Histories, Positions, Values

LARGEST_ORDER: Final = 5
DEPENDENT: Final = 1e-10
"""A lag whose pivot is less than this share of its own sum of squares repeats the others: its coefficient is 0."""
EXACT: Final = 1e-13
"""A residual sum of squares below this share of the total is rounding: the fit is exact, and counts as 0."""


@attrs.frozen
class AutoRegression:
    """Least squares with intercept on p = 0..5 lags over the same rows, p by AICc; iterated to h."""

    name: str = "ar"
    version: str = "1"

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """See Forecaster."""
        return _base(histories.values)[histories.origin_path][:, None] + _forecasts(histories, horizon)


@attrs.frozen
class DifferencedAutoRegression:
    """The same on first differences, forecasts summed."""

    name: str = "ari"
    version: str = "1"

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """See Forecaster."""
        if len(histories.values) < 2:
            return np.full((len(histories.origin_length), horizon), np.nan)
        changes = attrs.evolve(
            histories,
            values=np.diff(histories.values, axis=0),
            lengths=histories.lengths - 1,
            origin_length=histories.origin_length - 1,
        )
        newest = histories.at_origins(histories.values)
        steps = AutoRegression().hindcast(changes, horizon)
        return np.asarray(newest[:, None] + np.cumsum(steps, axis=1))


def _base(values: Values) -> Values:
    """Return a typical value of each path, known before any forecast is made; (path,)."""
    begun = np.sort(values[: LARGEST_ORDER + 1], axis=0)
    return begun[len(begun) // 2] if len(begun) else np.zeros(values.shape[1])


def _forecasts(histories: Histories, horizon: int) -> Values:
    """Return forecasts less the base (origin, horizon); NaN where no order has enough rows."""
    result = np.full((len(histories.origin_length), horizon), np.nan)
    # order 0 needs more rows than its k + 1 = 3
    able = np.flatnonzero(histories.origin_length > LARGEST_ORDER + 3)
    if not len(able):
        return result
    here = histories.only(able)
    columns = _columns(here.values - _base(here.values))
    rows = here.origin_length - LARGEST_ORDER
    fit = _fit(columns, here, rows)
    result[able] = _iterate(fit, columns, here, horizon)
    return result


def _columns(values: Values) -> list[Values]:
    """Return, aligned to the row's own time, the newest value before it, four changes before it, and its change."""
    # (time, path); rows before LARGEST_ORDER are no regression rows
    change = np.zeros_like(values)
    change[1:] = values[1:] - values[:-1]
    return [_lag(values, 1), *(_lag(change, lag) for lag in range(1, LARGEST_ORDER)), change]


def _lag(values: Values, lag: int) -> Values:
    shifted = np.zeros_like(values)
    shifted[lag:] = values[:-lag]
    return shifted


@attrs.frozen(eq=False)
class _Fit:
    """Chosen order (origin,), intercept (origin,), coefficients (lag, origin), and the mean of order 0 (origin,)."""

    order: Positions
    intercept: Values
    coefficients: Values
    mean: Values


def _fit(columns: list[Values], histories: Histories, rows: Positions) -> _Fit:
    count = rows.astype(np.float64)
    sums = [_total(column, histories) for column in columns]
    size = len(columns)
    # moments about the mean: (row, column) -> (origin,), lower triangle
    moments = {
        (i, j): _total(columns[i] * columns[j], histories) - sums[i] * sums[j] / count
        for i in range(size)
        for j in range(i + 1)
    }
    squares = [moments[i, i].copy() for i in range(size)]
    lower, share = _factorise(moments, squares, size)
    residuals, mean = _residuals(columns, histories, count, squares, share)
    order = _choose_order(residuals, rows)
    slopes = np.where(order > np.arange(LARGEST_ORDER)[:, None], [term for term, _ in share], 0.0)
    coefficients = _solve(lower, slopes)
    intercept = sums[-1] / count
    for lag in range(LARGEST_ORDER):
        intercept = intercept - coefficients[lag] * (sums[lag] / count)
    return _Fit(order, intercept, coefficients, mean)


def _total(column: Values, histories: Histories) -> Values:
    """Add a column up over the regression rows of each origin."""
    return histories.at_origins(np.cumsum(_rows_only(column), axis=0))


def _rows_only(column: Values) -> Values:
    kept = column.copy()
    kept[:LARGEST_ORDER] = 0.0
    return kept


def _factorise(
    moments: dict[tuple[int, int], Values], squares: list[Values], size: int
) -> tuple[dict[tuple[int, int], Values], list[tuple[Values, Values]]]:
    """Return the unit lower triangle of L D L^T, and per lag (its entry in the change's row, what it explains)."""
    lower: dict[tuple[int, int], Values] = {}
    share = []
    for j in range(size - 1):
        pivot = moments[j, j]
        usable = pivot > DEPENDENT * squares[j]
        if not usable.all():
            # nothing is explained by it: numerators of 0 over any number
            pivot = np.where(usable, pivot, 1.0)
            for i in range(j + 1, size):
                moments[i, j] = np.where(usable, moments[i, j], 0.0)
        for i in range(j + 1, size):
            lower[i, j] = moments[i, j] / pivot
        for i in range(j + 1, size):
            for k in range(j + 1, i + 1):
                moments[i, k] = moments[i, k] - lower[i, j] * moments[k, j]
        share.append((lower[size - 1, j], lower[size - 1, j] * moments[size - 1, j]))
    return lower, share


def _residuals(
    columns: list[Values],
    histories: Histories,
    count: Values,
    squares: list[Values],
    share: list[tuple[Values, Values]],
) -> tuple[list[Values], Values]:
    """Return the residual sum of squares of each order, and the mean that order 0 forecasts."""
    values = columns[0] + columns[-1]
    total = _total(values, histories)
    spread = _total(values * values, histories)
    mean = total / count
    left = spread - total * mean
    residuals = [np.where(left > EXACT * spread, left, 0.0)]
    left = squares[-1]
    for _, explained in share:
        left = left - explained
        residuals.append(np.where(left > EXACT * squares[-1], left, 0.0))
    return residuals, mean


def _choose_order(residuals: list[Values], rows: Positions) -> Positions:
    """Return the order with the least AICc; ties go to the lower."""
    factors = _penalties(int(rows.max()))[rows].T
    # RSS exp(penalty / n) is in the order of n ln(RSS/n) + penalty, with no logarithm of data
    criterion = np.full(factors.shape, np.inf)
    np.multiply(residuals, factors, out=criterion, where=np.isfinite(factors))
    return np.asarray(np.argmin(criterion, axis=0))


@lru_cache(maxsize=8)
def _penalties(most: int) -> NDArray[np.float64]:
    """Return exp((2k + 2k(k+1)/(n-k-1))/n) for n = 0..most and k = p + 2; infinite where n is too small."""
    table = np.full((most + 1, LARGEST_ORDER + 1), np.inf)
    for count in range(most + 1):
        for order in range(LARGEST_ORDER + 1):
            k = order + 2
            if count > k + 1:
                table[count, order] = math.exp((2 * k + 2 * k * (k + 1) / (count - k - 1)) / count)
    return table


def _solve(lower: dict[tuple[int, int], Values], right: Values) -> Values:
    """Solve L^T x = right from the last lag back; zeros beyond the order leave its leading block's solution."""
    solution = right.copy()
    for j in range(LARGEST_ORDER - 1, -1, -1):
        for i in range(j + 1, LARGEST_ORDER):
            solution[j] = solution[j] - lower[i, j] * solution[i]
    return solution


def _iterate(fit: _Fit, columns: list[Values], histories: Histories, horizon: int) -> Values:
    change = columns[-1]
    value = histories.at_origins(columns[0] + change)
    recent = [histories.at_origins(_lag(change, lag) if lag else change) for lag in range(LARGEST_ORDER - 1)]
    forecasts = np.empty((len(value), horizon))
    for step in range(horizon):
        ahead = fit.intercept + fit.coefficients[0] * value
        for lag, moved in enumerate(recent, start=1):
            ahead = ahead + fit.coefficients[lag] * moved
        value, recent = value + ahead, [ahead, *recent[:-1]]
        forecasts[:, step] = np.where(fit.order == 0, fit.mean, value)
    return forecasts
