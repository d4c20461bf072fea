"""Ridge regression of the h-step change on recent changes, own and of predictors, exact at every origin.

Source: Hoerl & Kennard (1970), Technometrics 12; direct multi-step forecasts as in Marcellino, Stock & Watson (2006).
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from pulse_core.forecasters.base import Histories, Positions, Values

PENALTIES: Final = (0.1, 1.0, 10.0, 100.0)
OWN_LAGS: Final = 2


@attrs.frozen
class Ridge:
    """The h-step change on the two newest changes of the variable and of each predictor, with an intercept.

    Each change is divided by its mean absolute size so far; the penalty is on the squares of the coefficients, and is
    the one of 0.1, 1, 10, 100 whose one-step forecasts have erred least (sum of squares) so far; ties go to the first.
    Nothing before a row with all changes has a known h-step change, or where a predictor's newest change is unknown.
    """

    name: str = "ridge"
    version: str = "1"

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """See Forecaster."""
        moments = _Moments(histories, horizon)
        newest = histories.origin_length - 1
        penalty = moments.best_penalty()[newest, histories.origin_path]
        value = histories.at_origins(histories.values)
        ahead = [moments.forecast(newest, histories.origin_path, step, penalty) for step in range(1, horizon + 1)]
        return np.asarray(value[:, None] + np.stack(ahead, axis=1))


class _Moments:
    """Running sums over the rows of each path, from which any origin's regression follows; arrays (time, path)."""

    def __init__(self, histories: Histories, horizon: int) -> None:
        values = histories.values
        inputs = [*(_change(values, lag) for lag in range(OWN_LAGS)), *histories.predictors]
        complete = np.asarray(np.isfinite(np.stack(inputs)).all(axis=0))
        self._inputs = [np.where(complete, one, 0.0) for one in inputs]
        self._complete = complete
        self._sizes = [np.cumsum(np.abs(one), axis=0) for one in self._inputs]
        self._rows = np.cumsum(complete.astype(np.float64), axis=0)
        self._sums = [np.cumsum(one, axis=0) for one in self._inputs]
        self._products = {
            (i, j): np.cumsum(self._inputs[i] * self._inputs[j], axis=0)
            for i in range(len(inputs))
            for j in range(i + 1)
        }
        self._values = values
        self._responses = [_ahead(values, step) for step in range(1, horizon + 1)]

    def best_penalty(self) -> Values:
        """Return the penalty chosen at each time (time, path)."""
        times, paths = self._values.shape
        time, path = (index.ravel() for index in np.indices((times, paths)))
        squares = []
        for penalty in PENALTIES:
            made = self.forecast(time, path, 1, np.full(times * paths, penalty)).reshape(times, paths)
            error = self._responses[0] - made
            known = np.zeros((times, paths))
            known[1:] = np.where(np.isfinite(error), error * error, 0.0)[:-1]
            squares.append(np.cumsum(known, axis=0))
        return np.asarray(np.array(PENALTIES)[np.argmin(np.stack(squares), axis=0)])

    def forecast(self, time: Positions, path: Positions, step: int, penalty: Values) -> Values:
        """Return the forecast change over `step` steps at times of paths; all (origin,)."""
        last = np.maximum(time - step, 0), path
        enough = (time >= step) & self._complete[time, path]
        rows = np.where(enough, self._rows[last], 0.0)
        count = np.where(rows > 0, rows, np.nan)
        weight = [_reciprocal(size[time, path], self._rows[time, path]) for size in self._sizes]
        response = np.where(self._complete, self._responses[step - 1], 0.0)
        level = np.cumsum(response, axis=0)[last] / count
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
            (np.cumsum(one * response, axis=0)[last] - count * mean * level) * scale
            for one, mean, scale in zip(self._inputs, means, weight, strict=True)
        ]
        slopes = _solved(gram, cross)
        total = level
        for place, slope in enumerate(slopes):
            total = total + slope * (self._inputs[place][time, path] - means[place]) * weight[place]
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


def _solved(gram: dict[tuple[int, int], Values], right: list[Values]) -> list[Values]:
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
