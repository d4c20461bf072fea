"""Ridge regression of the h-step change on recent changes, own and of predictors, exact at every origin.

Source: Hoerl & Kennard (1970), Technometrics 12; direct multi-step forecasts as in Marcellino, Stock & Watson (2006).

Histories are gone through one after another. Sums over the rows of a history are running ones: those up to the first
row in which it differs from the history before are kept, the others are added anew, row after row. So they have the
bits of sums over each history alone, and cost what was revised.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs
import numpy as np

from pulse_core.forecasters.base import ONE_PASS_COST, Histories, InPlaceForecaster, Positions, Values

PENALTIES: Final = (0.1, 1.0, 10.0, 100.0)
OWN_LAGS: Final = 2

BLOCK: Final = 2048
"""Regressions that are solved side by side, or twice as many."""

CROSS_SUMS: Final = 1 << 21
"""Numbers of the sums that there are for each step ahead: a pass takes as many steps as fit, at least one."""


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
        longest = int(histories.origin_length.max(initial=1))
        features = OWN_LAGS + (len(histories.predictors[0]) if histories.predictors else 0)
        steps = max(1, CROSS_SUMS // (longest * (features + 1)))
        penalties = np.empty(len(histories))
        with np.errstate(all="ignore"):  # overflow and division by zero show in the forecast
            for ahead in range(1, out.shape[1] + 1, steps):
                sums = _RunningSums(longest, features, ahead, min(steps, out.shape[1] + 1 - ahead))
                _Pass(histories, sums, penalties, out).run()


class _Pass:
    """All histories, one after another, and the forecasts of some steps from them.

    The first pass chooses the `penalties` (origin,), the later ones use them.
    """

    def __init__(self, histories: Histories, sums: _RunningSums, penalties: Values, out: Values) -> None:
        self._histories, self._sums, self._penalties = histories, sums, penalties
        self._out = out[:, sums.steps[0] - 1 : sums.steps[-1]]
        self._squares = np.zeros((len(PENALTIES), sums.longest))
        """Sums of squared one-step errors up to each row of the history, by penalty."""
        self._errors: list[tuple[_Regressions, Values, int]] = []
        """One-step regressions, the changes that came, and the row of the first of them."""
        self._choices: list[tuple[int, slice, Positions]] = []
        """After how many of the errors a penalty is chosen, for which origins, and their newest rows."""
        self._forecasts: list[tuple[_Regressions, slice, Values]] = []
        """Regressions, the origins of their forecasts and the newest values there."""
        self._waiting = 0

    def run(self) -> None:
        """Write the forecasts."""
        for path, origins in self._histories.by_path:
            newest = self._histories.origin_length[origins] - 1
            values = self._histories.paths[path][: newest[-1] + 1]
            predictors = self._histories.predictors[path] if self._histories.predictors else np.empty((0, len(values)))
            first = self._sums.go_on(values, predictors[:, : len(values)])
            if self._sums.steps[0] == 1:
                self._add_errors(max(first - 1, 0), values)
                self._choices.append((len(self._errors), origins, newest))
            for some, regressions in self._sums.at(newest, len(self._sums.steps)):
                these = slice(origins.start + some.start, origins.start + some.stop)
                self._forecasts.append((regressions, these, values[newest[some]]))
                self._count(len(regressions.count))
        self._solve()

    def _add_errors(self, first: int, values: Values) -> None:
        """Add the one-step forecasts of the rows from `first` on whose next value is known."""
        times = np.arange(first, len(values) - 1)
        for some, regressions in self._sums.at(times, 1):
            changes = values[times[some] + 1] - values[times[some]]
            self._errors.append((regressions, changes, int(times[some.start])))
            self._count(len(changes))

    def _count(self, regressions: int) -> None:
        self._waiting += regressions
        if self._waiting >= BLOCK:
            self._solve()

    def _solve(self) -> None:
        """Make all forecasts that wait: those by which penalties are chosen, then those of the origins."""
        self._choose()
        if self._forecasts:
            regressions = _beside([regressions for regressions, _, _ in self._forecasts])
            penalties = np.concatenate([self._penalties[origins] for _, origins, _ in self._forecasts])
            steps = len(self._sums.steps)
            changes = regressions.forecasts(np.repeat(penalties, steps)).reshape(-1, steps)
            done = 0
            for _, origins, newest in self._forecasts:
                self._out[origins] = newest[:, None] + changes[done : done + len(newest)]
                done += len(newest)
        self._errors, self._choices, self._forecasts, self._waiting = [], [], [], 0

    def _choose(self) -> None:
        """Add up the squared errors in order, and choose the penalties of the origins between them."""
        squares = np.empty((len(PENALTIES), 0))
        if self._errors:
            regressions = _beside([regressions for regressions, _, _ in self._errors])
            came = np.concatenate([changes for _, changes, _ in self._errors])
            errors = np.stack([came - regressions.forecasts(penalty) for penalty in PENALTIES])
            squares = np.where(np.isfinite(errors), errors * errors, 0.0)
        added = begin = 0
        for until, origins, newest in [*self._choices, (len(self._errors), slice(0), np.arange(0))]:
            for _, changes, row in self._errors[added:until]:
                _add(self._squares, row + 1, squares[:, begin : begin + len(changes)])
                begin += len(changes)
            added = until
            if len(newest):
                self._penalties[origins] = np.array(PENALTIES)[np.argmin(self._squares[:, newest], axis=0)]


@attrs.frozen(eq=False)
class _Regressions:
    """Regressions side by side: moments of their rows, and the newest row, from which they forecast.

    (regression,): `count` of rows with a known change ahead, NaN for none, and the mean of these, `level`. (feature,
    regression): `means` of the changes that are regressed on, sums of their products with the change ahead, `cross`,
    the `scale` by which they are multiplied and the `newest` ones. `products` (pair, regression): sums of products.
    """

    count: Values
    level: Values
    means: Values
    products: Values
    cross: Values
    scale: Values
    newest: Values

    def forecasts(self, penalties: Values | float) -> Values:
        """Return the change that each forecasts, with a penalty for all or one for each (regression,)."""
        count, level, means, scale = self.count, self.level, self.means, self.scale
        size = len(means)
        gram = {
            (i, j): (self.products[pair] - count * means[i] * means[j]) * scale[i] * scale[j]
            for pair, (i, j) in enumerate(_pairs(size))
        }
        for i in range(size):
            gram[i, i] = gram[i, i] + penalties
        right = [(self.cross[i] - count * means[i] * level) * scale[i] for i in range(size)]
        total = level
        for i, slope in enumerate(_solution(gram, right)):
            total = total + slope * (self.newest[i] - means[i]) * scale[i]
        return total


def _beside(regressions: list[_Regressions]) -> _Regressions:
    """Return several as one."""
    columns = zip(*(attrs.astuple(some, recurse=False) for some in regressions), strict=True)
    return _Regressions(*(np.concatenate(parts, axis=-1) for parts in columns))


class _RunningSums:
    """Sums over the rows of a history, up to each of its rows, of which regressions are made; arrays (.., row).

    A row has the changes that are regressed on, `features` of them, and the change that followed over each of the
    `steps`. A row without all of the former is none: it adds 0.
    """

    def __init__(self, longest: int, features: int, ahead: int, steps: int) -> None:
        self.steps = np.arange(ahead, ahead + steps)
        self.longest = longest
        self._values, self._predictors = np.empty(0), np.empty((features - OWN_LAGS, 0))
        self._changes = np.empty((features, longest))
        self._complete = np.empty(longest, dtype=np.bool_)
        self._rows = np.empty(longest)
        self._sizes, self._totals = np.empty((features, longest)), np.empty((features, longest))
        self._left, self._right = np.array(_pairs(features)).T
        self._products = np.empty((len(self._left), longest))
        self._ahead = np.empty((steps, longest))
        self._cross = np.empty((steps, features, longest))

    def go_on(self, values: Values, predictors: Values) -> int:
        """Take the sums of a history in place of those before; return the first row that they had not in common.

        `values` (row,), `predictors` (feature, row).
        """
        first = min(_first_difference(self._values, values), _first_difference(self._predictors, predictors))
        self._values, self._predictors = values, predictors
        rows = slice(first, len(values))
        changes = np.concatenate([_own_changes(values, first), predictors[:, rows]])
        self._complete[rows] = np.isfinite(changes).all(axis=0)
        self._changes[:, rows] = np.where(self._complete[rows], changes, 0.0)
        added = self._changes[:, rows]
        _add(self._rows, first, self._complete[rows].astype(np.float64))
        _add(self._sizes, first, np.abs(added))
        _add(self._totals, first, added)
        _add(self._products, first, added[self._left] * added[self._right])
        self._add_ahead(max(first - int(self.steps[-1]), 0))
        return first

    def at(self, times: Positions, steps: int) -> Iterator[tuple[slice, _Regressions]]:
        """Yield the regressions at rows (time,), those of so many steps at each, some times at a time."""
        size = max(1, BLOCK // steps)
        for begin in range(0, len(times), size):
            some = slice(begin, min(begin + size, len(times)))
            yield some, self._regressions(times[some], steps)

    def _add_ahead(self, first: int) -> None:
        """Add the changes ahead of the rows from `first` on; 0 at the end, where no origin looks."""
        values, length = self._values, len(self._values)
        ahead = np.zeros((len(self.steps), length - first))
        for changes, step in zip(ahead, self.steps.tolist(), strict=True):
            if first + step < length:
                changes[: length - step - first] = values[first + step :] - values[first : length - step]
        ahead[:, ~self._complete[first:length]] = 0.0
        _add(self._ahead, first, ahead)
        _add(self._cross, first, self._changes[:, first:length] * ahead[:, None, :])

    def _regressions(self, times: Positions, steps: int) -> _Regressions:
        time, index = np.repeat(times, steps), np.tile(np.arange(steps), len(times))
        ahead = self.steps[index]
        last = np.maximum(time - ahead, 0)
        rows = np.where((time >= ahead) & self._complete[time], self._rows[last], 0.0)
        count = np.where(rows > 0, rows, np.nan)
        return _Regressions(
            count=count,
            level=self._ahead[index, last] / count,
            means=self._totals[:, last] / count,
            products=self._products[:, last],
            cross=self._cross[index, :, last].T,
            scale=_reciprocal(self._sizes[:, time], self._rows[time]),
            newest=self._changes[:, time],
        )


def _first_difference(before: Values, after: Values) -> int:
    """Return the first row in which arrays (.., row) differ, or how many the shorter one has."""
    common = min(before.shape[-1], after.shape[-1])
    left, right = np.atleast_2d(before[..., :common], after[..., :common])
    differs = ((left != right) & ~(np.isnan(left) & np.isnan(right))).any(axis=0)
    return int(np.argmax(differs)) if differs.any() else common


def _add(sums: Values, first: int, terms: Values) -> None:
    """Go on with running sums (.., row) from the row `first` on, term after term."""
    rows = slice(first, first + terms.shape[-1])
    if first:
        terms = np.concatenate([sums[..., first - 1 : first], terms], axis=-1)
    sums[..., rows] = np.cumsum(terms, axis=-1)[..., bool(first) :]


def _pairs(size: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(size) for j in range(i + 1)]


def _own_changes(values: Values, first: int) -> Values:
    """Return the newest changes at each row from `first` on, (lag, row); NaN where one is not known."""
    unknown = np.full(max(OWN_LAGS - first, 0), np.nan)
    known = np.concatenate([unknown, values[max(first - OWN_LAGS, 0) :]])
    changes = np.diff(known)
    return np.stack([changes[OWN_LAGS - 1 - lag : len(changes) - lag] for lag in range(OWN_LAGS)])


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
