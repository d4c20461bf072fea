"""Comparison of two runs: the change of each forecaster's loss by variable and horizon, and a test of that change.

Losses are absolute errors, paired by origin, or by batch where a run has no hindcasts. Pairing removes the noise that
both runs share, which is nearly all of it. Changes are kept column by column: those of 20,000 variables are millions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, cast

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import excess_exponent, in_units, ratio
from pulse_core.kernel.bindings import diebold_mariano_statistic
from pulse_core.scores.comparison import p_values
from pulse_core.tables import Columns, Labels

Array = NDArray[np.float64]
Paired = Literal["origins", "batches"]

HINDCAST_COLUMNS: Final = ("forecaster", "horizon", "known_at", "point", "actual")
BATCH_COLUMNS: Final = ("forecaster", "horizon", "start", "n", "mae")
"""The columns of a run's tables that a comparison reads, beside `variable`."""


@attrs.frozen(eq=False)
class Losses:
    """One run's losses on a variable: `values` (forecaster, horizon, moment), sums over `counts` origins each.

    `moments` (moment,) are in order: when an origin was known, or the first day of a batch. Where there is no loss, its
    value is NaN and its count 0. Values are in units of 2**exponent, so that none is beyond the range of a float64.
    """

    paired: Paired
    forecasters: tuple[str, ...]
    moments: NDArray[np.datetime64]
    values: Array
    counts: Array
    exponent: int = 0


@attrs.frozen
class Change:
    """A forecaster's loss on a variable at a horizon in two runs, on the origins (or batches) that both have scored.

    `pairs` is the number of these origins (or batches), `mae_before` and `mae_after` are the mean absolute errors over
    them, None beyond the range of a float64. The skills are 1 minus the forecaster's error over the benchmark's; they
    are None for the benchmark and where the benchmark has no error. `p_value` is of the Diebold-Mariano test of equal
    loss, None where the differences do not vary; `adjusted` is the p-value after Benjamini-Yekutieli over all changes
    of the comparison.
    """

    variable: str
    forecaster: str
    horizon: int
    paired: Paired
    pairs: int
    mae_before: float | None
    mae_after: float | None
    skill_before: float | None
    skill_after: float | None
    p_value: float | None
    adjusted: float | None = None
    lost: float | None = None
    """The skill before minus the skill after; negative where skill was gained."""
    probability: float | None = None
    """That the expected loss changed in the direction of the mean difference: 1 - p/2, a half where it is 0.

    It is that of the test's t distribution under a flat prior.
    """


_FLOATS: Final = ("mae_before", "mae_after", "skill_before", "skill_after", "p_value", "adjusted")
_AT_ONCE: Final = 1 << 14
"""Changes that are objects at a time."""


@attrs.frozen(eq=False)
class Changes:
    """Many changes, column by column; each array (change,), NaN where a Change has None.

    `variable` and `forecaster` are indexes into the names.
    """

    paired: Paired
    variables: tuple[str, ...]
    forecasters: tuple[str, ...]
    variable: NDArray[np.int32]
    forecaster: NDArray[np.int32]
    horizon: NDArray[np.int32]
    pairs: NDArray[np.int32]
    mae_before: Array
    mae_after: Array
    skill_before: Array
    skill_after: Array
    p_value: Array
    adjusted: Array

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[Change]:
        for start in range(0, len(self), _AT_ONCE):
            yield from self._changes(slice(start, start + _AT_ONCE))

    def __getitem__(self, index: int) -> Change:
        """Return one of the changes."""
        return next(self._changes(slice(index, index + 1)))

    def _changes(self, chosen: slice) -> Iterator[Change]:
        """Yield the changes of a slice."""
        lost = self.skill_before[chosen] - self.skill_after[chosen]
        floats = [getattr(self, name)[chosen] for name in _FLOATS]
        numbers = (_numbers(column) for column in (*floats, lost, 1.0 - self.p_value[chosen] / 2.0))
        codes = (column[chosen].tolist() for column in (self.variable, self.forecaster, self.horizon, self.pairs))
        for variable, forecaster, horizon, pairs, *values in zip(*codes, *numbers, strict=True):
            yield Change(self.variables[variable], self.forecasters[forecaster], horizon, self.paired, pairs, *values)

    @property
    def lost(self) -> Array:
        """The skill before minus the skill after; negative where skill was gained."""
        return np.asarray(self.skill_before - self.skill_after)

    @property
    def probability(self) -> Array:
        """The probability that the expected loss changed in the direction of the mean difference."""
        return np.asarray(1.0 - self.p_value / 2.0)

    @property
    def same(self) -> NDArray[np.bool_]:
        """Whether the losses of both runs are the same, judged by their means and by differences that do not vary."""
        both_none = np.isnan(self.mae_before) & np.isnan(self.mae_after)
        return np.asarray(((self.mae_before == self.mae_after) | both_none) & np.isnan(self.p_value))

    def beyond(self, limit: float, certainty: float) -> NDArray[np.bool_]:
        """Whether the loss of skill is above `limit`, and the adjusted p-value at most 1 - `certainty`.

        Without a p-value `limit` alone decides, because noise cannot excuse the loss.
        """
        return np.asarray((self.lost > limit) & (np.isnan(self.adjusted) | (1.0 - self.adjusted >= certainty)))


def _numbers(column: Array) -> list[float | None]:
    """Return a column as numbers, None for NaN."""
    return [None if value != value else value for value in column.tolist()]  # noqa: PLR0124  # NaN alone differs from itself


def losses_of_hindcasts(columns: Columns) -> Losses:
    """Return the losses in one variable's rows of the table `hindcasts`; the columns are HINDCAST_COLUMNS."""
    actual, point = np.asarray(columns["actual"]), np.asarray(columns["point"])
    is_scored = np.isfinite(actual) & np.isfinite(point)
    exponent = excess_exponent(actual, point)
    actual, point = (np.ldexp(np.where(is_scored, values, np.nan), -exponent) for values in (actual, point))
    return _losses("origins", columns, "known_at", np.abs(actual - point), is_scored.astype(np.float64), exponent)


def losses_of_batches(columns: Columns) -> Losses:
    """Return the losses in one variable's rows of the table `batches`; the columns are BATCH_COLUMNS."""
    count = np.asarray(columns["n"], dtype=np.float64)
    mae = np.asarray(columns["mae"])
    is_scored = np.isfinite(mae) & (count > 0)
    exponent = excess_exponent(mae)
    total = count * np.ldexp(np.where(is_scored, mae, np.nan), -exponent)
    return _losses("batches", columns, "start", total, np.where(is_scored, count, 0.0), exponent)


def _losses(paired: Paired, columns: Columns, moment: str, values: Array, counts: Array, exponent: int) -> Losses:
    """Return `values` and `counts` (row,) by forecaster, horizon and moment; `moment` names the column of moments."""
    labels = cast("Labels", columns["forecaster"])
    horizon = np.asarray(columns["horizon"], dtype=np.int64)
    moments, moment_index = np.unique(np.asarray(columns[moment]), return_inverse=True)
    shape = (len(labels.names), int(horizon.max(initial=0)), len(moments))
    cell_values, cell_counts = np.full(shape, np.nan), np.zeros(shape)
    cells = labels.codes, horizon - 1, moment_index
    cell_values[cells], cell_counts[cells] = values, counts
    return Losses(paired, labels.names, moments, cell_values, cell_counts, exponent)


def changes(variable: str, before: Losses, after: Losses, benchmark: str) -> Changes:
    """Compare one variable's losses, for the forecasters, horizons and moments that both runs have.

    A batch counts only where both runs scored the same number of its origins.
    """
    pairs = _paired(variable, before, after, benchmark)
    forecaster, step = np.nonzero(pairs.is_paired.any(axis=-1))
    is_paired = pairs.is_paired[forecaster, step]  # (change, moment), as all below
    counts = np.where(is_paired, pairs.counts[forecaster, step], 0.0)
    losses = [np.where(is_paired, values[forecaster, step], 0.0) for values in (pairs.before, pairs.after)]
    means = [in_units(_sums(values) / counts.sum(axis=-1), pairs.exponent) for values in losses]
    skills = [_skills(pairs, values, forecaster, step) for values in (pairs.before, pairs.after)]
    return Changes(
        paired=pairs.paired,
        variables=(variable,),
        forecasters=pairs.forecasters,
        variable=np.zeros(len(step), dtype=np.int32),
        forecaster=forecaster.astype(np.int32),
        horizon=(step + 1).astype(np.int32),
        pairs=is_paired.sum(axis=-1, dtype=np.int32),
        mae_before=means[0],
        mae_after=means[1],
        skill_before=skills[0],
        skill_after=skills[1],
        p_value=_p_values(pairs.paired, losses[0] - losses[1], is_paired, counts, step + 1),
        adjusted=np.full(len(step), np.nan),
    )


def joined_changes(parts: Iterable[Changes]) -> Changes | None:
    """Return the changes of all variables, with p-values adjusted for their number; None without any part."""
    parts = list(parts)
    if not parts:
        return None
    variables, variable = _joined_names(parts, "variables", "variable")
    forecasters, forecaster = _joined_names(parts, "forecasters", "forecaster")
    names = ("horizon", "pairs", "mae_before", "mae_after", "skill_before", "skill_after", "p_value")
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Changes(
        paired=parts[0].paired,
        variables=variables,
        forecasters=forecasters,
        variable=variable,
        forecaster=forecaster,
        adjusted=adjusted(columns["p_value"]),
        **columns,
    )


def _joined_names(parts: Sequence[Changes], names: str, codes: str) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Return the names of all parts, each once, and the codes of their changes in these."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(n for p in parts for n in getattr(p, names)))}
    pieces = []
    for part in parts:
        translated = np.array([numbers[name] for name in getattr(part, names)], dtype=np.int32)
        pieces.append(translated[getattr(part, codes)])
    return tuple(numbers), np.concatenate(pieces)


@attrs.frozen(eq=False)
class _PairedLosses:
    """Both runs' losses on a variable, on the forecasters, horizons and moments that they share.

    `before` and `after` (forecaster, horizon, moment) are sums over `counts` origins each where `is_paired`; elsewhere
    a run has no loss, or the runs scored different numbers of origins. Both are in units of 2**exponent. `benchmark` is
    its index among the forecasters.
    """

    variable: str
    paired: Paired
    forecasters: tuple[str, ...]
    benchmark: int | None
    before: Array
    after: Array
    counts: Array
    is_paired: NDArray[np.bool_]
    exponent: int


def _paired(variable: str, before: Losses, after: Losses, benchmark: str) -> _PairedLosses:
    forecasters = tuple(name for name in before.forecasters if name in after.forecasters)
    horizons = min(before.values.shape[1], after.values.shape[1])
    moments_before, moments_after = _common_moments(before, after)
    cells_before = _cells(before, forecasters, horizons, moments_before)
    cells_after = _cells(after, forecasters, horizons, moments_after)
    counts, counts_after = before.counts[cells_before], after.counts[cells_after]
    exponent = max(before.exponent, after.exponent)
    return _PairedLosses(
        variable=variable,
        paired=before.paired,
        forecasters=forecasters,
        benchmark=forecasters.index(benchmark) if benchmark in forecasters else None,
        before=np.ldexp(before.values[cells_before], before.exponent - exponent),
        after=np.ldexp(after.values[cells_after], after.exponent - exponent),
        counts=counts,
        is_paired=(counts == counts_after) & (counts > 0),
        exponent=exponent,
    )


def _common_moments(before: Losses, after: Losses) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions in both runs of the moments that they share."""
    if np.array_equal(before.moments, after.moments):
        every = np.arange(len(before.moments))
        return every, every
    _, positions_before, positions_after = np.intersect1d(before.moments, after.moments, return_indices=True)
    return positions_before, positions_after


def _cells(
    losses: Losses, forecasters: Sequence[str], horizons: int, moments: NDArray[np.int64]
) -> tuple[NDArray[np.int64], ...]:
    """Return the index of forecasters, of the first `horizons`, and of moments (positions) into a run's losses."""
    rows = np.array([losses.forecasters.index(name) for name in forecasters], dtype=np.int64)
    return np.ix_(rows, np.arange(horizons), moments)


def _p_values(
    paired: Paired, differences: Array, is_paired: NDArray[np.bool_], counts: Array, horizon: NDArray[np.int64]
) -> Array:
    """Return the two-sided p-values of the Diebold-Mariano test of equal loss, NaN where there is none; (change,).

    `differences`, `is_paired` and `counts` are (change, moment), `horizon` (change,).
    """
    # over a power of two, by which the largest of a change is below 1: squares then stay finite
    _, exponents = np.frexp(np.abs(differences).max(axis=-1, initial=0.0))
    normalised = np.ldexp(differences, -exponents[:, None])
    statistics = np.full((len(horizon), 2), np.nan)
    statistics[:, 1] = is_paired.sum(axis=-1)
    overlaps = horizon if paired == "origins" else _overlapping_batches(counts, is_paired, horizon)
    for index in np.flatnonzero(differences.any(axis=-1)).tolist():  # without a difference there is no statistic
        chosen = normalised[index][is_paired[index]]
        statistics[index, 0] = diebold_mariano_statistic(chosen, int(overlaps[index]))
    return p_values(statistics)


def _overlapping_batches(counts: Array, is_paired: NDArray[np.bool_], horizon: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return over how many batches in a row forecasts of `horizon` steps overlap, by their median size; (change,)."""
    sizes = counts.max(axis=-1, initial=0.0)
    least = np.where(is_paired, counts, np.inf).min(axis=-1, initial=np.inf)
    for index in np.flatnonzero((least < sizes) & (horizon > 1)).tolist():
        sizes[index] = np.median(counts[index][is_paired[index]])
    return np.asarray(1 + np.ceil((horizon - 1) / np.maximum(sizes, 1.0)).astype(np.int64))


def _skills(pairs: _PairedLosses, losses: Array, forecaster: NDArray[np.int64], step: NDArray[np.int64]) -> Array:
    """Return a run's skills on the moments at which the benchmark has losses too, NaN for itself; (change,)."""
    if pairs.benchmark is None:
        return np.full(len(step), np.nan)
    is_common = pairs.is_paired[forecaster, step] & pairs.is_paired[pairs.benchmark, step]
    own, benchmark = (_sums(np.where(is_common, losses[row, step], 0.0)) for row in (forecaster, pairs.benchmark))
    skills = 1.0 - ratio(own, benchmark)
    return np.where(forecaster == pairs.benchmark, np.nan, skills)


def _sums(losses: Array) -> Array:
    """Return the sums over moments, in order of time; (change,)."""
    return np.asarray(np.cumsum(losses, axis=-1)[:, -1]) if losses.size else np.zeros(len(losses))


def adjusted(values: Array) -> Array:
    """Return p-values (NaN: none) adjusted for their number, whatever their dependence; (p-value,).

    Source: Benjamini & Yekutieli (2001), The control of the false discovery rate in multiple testing under dependency,
    Annals of Statistics 29.
    """
    tested = np.flatnonzero(np.isfinite(values))
    count = len(tested)
    order = tested[np.argsort(values[tested], kind="stable")]
    harmonic = float((1.0 / np.arange(1, count + 1)).sum())
    scaled = values[order] * count * harmonic / np.arange(1, count + 1)
    result = np.full(len(values), np.nan)
    result[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return result


def spec_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the key and both values of each difference between two documents; the value of a missing key is None."""
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield key, before.get(key), after.get(key)
