"""Ridge regression of the h-step change on recent changes, own and of predictors, exact at every origin.

Source: Hoerl & Kennard (1970), Technometrics 12; direct multi-step forecasts as in Marcellino, Stock & Watson (2006).
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from pulse_core.forecasters.base import ONE_PASS_COST, Histories, InPlaceForecaster, Positions, Values

PENALTIES: Final = (0.1, 1.0, 10.0, 100.0)
OWN_LAGS: Final = 2


@attrs.frozen
class Ridge(InPlaceForecaster):
    """The h-step change on the two newest changes of the variable and of each predictor, with an intercept.

    Each change is divided by its mean absolute size so far; the penalty is on the squares of the coefficients, and is
    the one of 0.1, 1, 10, 100 whose one-step forecasts have erred least (sum of squares) so far; ties go to the first.
    Nothing before a row with all changes has a known h-step change, or where a predictor's newest change is unknown.
    """

    name: str = "ridge"
    version: str = "1"

    @property
    def cost(self) -> float:
        """See Forecaster."""
        return ONE_PASS_COST

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        with np.errstate(all="ignore"):  # overflow and division by zero show in the forecast
            for path, origins in histories.by_path:
                predictors = histories.predictors[path] if histories.predictors else np.empty((0, 0))
                moments = _Moments(histories.paths[path], predictors, out.shape[1])
                newest = histories.origin_length[origins] - 1
                penalty = moments.best_penalty()[newest]
                for step, forecasts in enumerate(out[origins].T, start=1):
                    forecasts[:] = histories.paths[path][newest] + moments.forecast(newest, step, penalty)


class _Moments:
    """Running sums over the rows of a path, from which any origin's regression follows; arrays (time,)."""

    def __init__(self, values: Values, predictors: Values, horizon: int) -> None:
        inputs = [*(_change(values, lag) for lag in range(OWN_LAGS)), *predictors]
        self._complete = np.asarray(np.isfinite(np.stack(inputs)).all(axis=0))
        self._inputs = [np.where(self._complete, changes, 0.0) for changes in inputs]
        self._sizes = [np.cumsum(np.abs(changes)) for changes in self._inputs]
        self._rows = np.cumsum(self._complete.astype(np.float64))
        self._sums = [np.cumsum(changes) for changes in self._inputs]
        self._products = {
            (i, j): np.cumsum(self._inputs[i] * self._inputs[j]) for i in range(len(inputs)) for j in range(i + 1)
        }
        self._responses = [_ahead(values, step) for step in range(1, horizon + 1)]

    def best_penalty(self) -> Values:
        """Return the penalty chosen at each time (time,)."""
        times = len(self._complete)
        squares = []
        for penalty in PENALTIES:
            error = self._responses[0] - self.forecast(np.arange(times), 1, np.full(times, penalty))
            square = np.zeros(times)
            square[1:] = np.where(np.isfinite(error), error * error, 0.0)[:-1]
            squares.append(np.cumsum(square))
        return np.asarray(np.array(PENALTIES)[np.argmin(np.stack(squares), axis=0)])

    def forecast(self, time: Positions, step: int, penalty: Values) -> Values:
        """Return the forecast change over `step` steps at some times; all (origin,)."""
        last = np.maximum(time - step, 0)
        enough = (time >= step) & self._complete[time]
        rows = np.where(enough, self._rows[last], 0.0)
        count = np.where(rows > 0, rows, np.nan)
        weight = [_reciprocal(size[time], self._rows[time]) for size in self._sizes]
        response = np.where(self._complete, self._responses[step - 1], 0.0)
        level = np.cumsum(response)[last] / count
        means = [total[last] / count for total in self._sums]
        size = len(means)
        gram = {
            (i, j): (self._products[i, j][last] - count * means[i] * means[j]) * weight[i] * weight[j]
            for i in range(size)
            for j in range(i + 1)
        }
        for i in range(size):
            gram[i, i] = gram[i, i] + penalty
        cross = [
            (np.cumsum(changes * response)[last] - count * mean * level) * scale
            for changes, mean, scale in zip(self._inputs, means, weight, strict=True)
        ]
        total = level
        for slope, changes, mean, scale in zip(_solution(gram, cross), self._inputs, means, weight, strict=True):
            total = total + slope * (changes[time] - mean) * scale
        return total


def _change(values: Values, lag: int) -> Values:
    """Return the change `lag` steps before each time; NaN where it is not known."""
    change = np.full(values.shape, np.nan)
    change[lag + 1 :] = values[1 : len(values) - lag] - values[: len(values) - lag - 1]
    return change


def _ahead(values: Values, step: int) -> Values:
    """Return the change over the next `step` steps; 0 at the end, where no origin looks."""
    change = np.zeros(values.shape)
    change[:-step] = values[step:] - values[:-step]
    return change


def _reciprocal(size: Values, rows: Values) -> Values:
    """Return 1 over the mean absolute size; 0 for what has never moved, which drops it."""
    result = np.zeros(size.shape)
    np.divide(rows, size, out=result, where=size > 0)
    return result


def _solution(gram: dict[tuple[int, int], Values], right: list[Values]) -> list[Values]:
    """Solve gram x = right by LDL^T, elementwise over origins; the penalty keeps every pivot above zero."""
    size = len(right)
    right = list(right)
    lower: dict[tuple[int, int], Values] = {}
    for j in range(size):
        for i in range(j + 1, size):
            lower[i, j] = gram[i, j] / gram[j, j]
        for i in range(j + 1, size):
            for k in range(j + 1, i + 1):
                gram[i, k] = gram[i, k] - lower[i, j] * gram[k, j]
            right[i] = right[i] - lower[i, j] * right[j]
    solution = [right[j] / gram[j, j] for j in range(size)]
    for j in range(size - 1, -1, -1):
        for i in range(j + 1, size):
            solution[j] = solution[j] - lower[i, j] * solution[i]
    return solution
