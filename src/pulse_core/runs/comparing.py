"""Comparison of two runs: the change of each forecaster's loss by variable and horizon, and a test of that change.

Losses are absolute errors, paired by origin, or by batch where a run has no hindcasts. Pairing removes the noise that
both runs share, which is nearly all of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, cast

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import excess_exponent, in_units
from pulse_core.scores.comparison import diebold_mariano
from pulse_core.tables import Columns, Labels

Array = NDArray[np.float64]
Paired = Literal["origins", "batches"]

HINDCAST_COLUMNS: Final = ("forecaster", "horizon", "known_at", "point", "actual")
SCORE_COLUMNS: Final = ("forecaster", "horizon", "start", "n", "mae")
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

    @property
    def same(self) -> bool:
        """Whether the losses of both runs are the same, judged by their means and by differences that do not vary."""
        return self.mae_before == self.mae_after and self.p_value is None

    @property
    def lost(self) -> float | None:
        """The skill before minus the skill after; negative where skill was gained."""
        if self.skill_before is None or self.skill_after is None:
            return None
        return self.skill_before - self.skill_after

    @property
    def probability(self) -> float | None:
        """The probability that the expected loss changed in the direction of the mean difference.

        It is 1 - p/2, from the test's t distribution under a flat prior; a half where the mean difference is 0.
        """
        return None if self.p_value is None else 1.0 - self.p_value / 2.0

    def beyond(self, limit: float, certainty: float) -> bool:
        """Whether the loss of skill is above `limit`, and the adjusted p-value at most 1 - `certainty`.

        Without a p-value `limit` alone decides, because noise cannot excuse the loss.
        """
        if self.lost is None or self.lost <= limit:
            return False
        return self.adjusted is None or 1.0 - self.adjusted >= certainty


def losses_of_hindcasts(columns: Columns) -> Losses:
    """Return the losses in one variable's rows of the table `hindcasts`; the columns are HINDCAST_COLUMNS."""
    actual, point = np.asarray(columns["actual"]), np.asarray(columns["point"])
    is_scored = np.isfinite(actual) & np.isfinite(point)
    exponent = excess_exponent(actual, point)
    actual, point = (np.ldexp(np.where(is_scored, values, np.nan), -exponent) for values in (actual, point))
    return _losses("origins", columns, "known_at", np.abs(actual - point), is_scored.astype(np.float64), exponent)


def losses_of_scores(columns: Columns) -> Losses:
    """Return the losses in one variable's rows of the table `scores`; the columns are SCORE_COLUMNS."""
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


def changes(variable: str, before: Losses, after: Losses, benchmark: str) -> list[Change]:
    """Compare one variable's losses, for the forecasters, horizons and moments that both runs have.

    A batch counts only where both runs scored the same number of its origins.
    """
    pairs = _paired(variable, before, after, benchmark)
    return [
        _change(pairs, forecaster, horizon)
        for forecaster in range(len(pairs.forecasters))
        for horizon in range(1, pairs.is_paired.shape[1] + 1)
        if pairs.is_paired[forecaster, horizon - 1].any()
    ]


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
    _, moments_before, moments_after = np.intersect1d(before.moments, after.moments, return_indices=True)
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


def _cells(
    losses: Losses, forecasters: Sequence[str], horizons: int, moments: NDArray[np.int64]
) -> tuple[NDArray[np.int64], ...]:
    """Return the index of forecasters, of the first `horizons`, and of moments (positions) into a run's losses."""
    rows = np.array([losses.forecasters.index(name) for name in forecasters], dtype=np.int64)
    return np.ix_(rows, np.arange(horizons), moments)


def _change(pairs: _PairedLosses, forecaster: int, horizon: int) -> Change:
    is_paired = pairs.is_paired[forecaster, horizon - 1]
    before, after, counts = (
        array[forecaster, horizon - 1, is_paired] for array in (pairs.before, pairs.after, pairs.counts)
    )
    skill_before, skill_after = _skills(pairs, forecaster, horizon)
    p_value = diebold_mariano(_normalised(before - after), _overlap(pairs.paired, horizon, counts))
    return Change(
        variable=pairs.variable,
        forecaster=pairs.forecasters[forecaster],
        horizon=horizon,
        paired=pairs.paired,
        pairs=len(counts),
        mae_before=_mean(before, counts, pairs.exponent),
        mae_after=_mean(after, counts, pairs.exponent),
        skill_before=skill_before,
        skill_after=skill_after,
        p_value=None if np.isnan(p_value) else p_value,
    )


def _normalised(differences: Array) -> Array:
    """Return differences over a power of two, by which the largest is below 1: squares then stay finite."""
    _, exponent = np.frexp(np.abs(differences).max(initial=0.0))
    return np.asarray(np.ldexp(differences, -exponent))


def _mean(losses: Array, counts: Array, exponent: int) -> float | None:
    """Return the mean of losses in units of 2**exponent; None beyond the range of a float64."""
    mean = float(in_units(np.cumsum(losses)[-1] / counts.sum(), exponent))
    return None if math.isnan(mean) else mean


def _overlap(paired: Paired, horizon: int, counts: Array) -> int:
    """Return over how many losses in a row forecasts overlap: `horizon` origins, or the batches these reach into."""
    return horizon if paired == "origins" else 1 + int(np.ceil((horizon - 1) / np.median(counts)))


def _skills(pairs: _PairedLosses, forecaster: int, horizon: int) -> tuple[float | None, float | None]:
    """Return the skills before and after, on the moments at which the benchmark has losses too; None for itself."""
    if pairs.benchmark is None or pairs.benchmark == forecaster:
        return None, None
    is_common = pairs.is_paired[forecaster, horizon - 1] & pairs.is_paired[pairs.benchmark, horizon - 1]
    before, after = (
        _skill(losses[forecaster, horizon - 1, is_common], losses[pairs.benchmark, horizon - 1, is_common])
        for losses in (pairs.before, pairs.after)
    )
    return before, after


def _skill(losses: Array, benchmark: Array) -> float | None:
    total = float(benchmark.sum()) if len(benchmark) else 0.0
    return 1.0 - float(losses.sum()) / total if total > 0 else None


def adjusted(comparison: Sequence[Change]) -> list[Change]:
    """Return the changes of a comparison with p-values adjusted for their number, whatever their dependence.

    Source: Benjamini & Yekutieli (2001), The control of the false discovery rate in multiple testing under dependency,
    Annals of Statistics 29.
    """
    values = np.array([np.nan if change.p_value is None else change.p_value for change in comparison])
    tested = np.flatnonzero(np.isfinite(values))
    count = len(tested)
    order = tested[np.argsort(values[tested], kind="stable")]
    harmonic = float((1.0 / np.arange(1, count + 1)).sum())
    scaled = values[order] * count * harmonic / np.arange(1, count + 1)
    monotone = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    by_index = dict(zip(order.tolist(), monotone.tolist(), strict=True))
    return [attrs.evolve(change, adjusted=by_index.get(index)) for index, change in enumerate(comparison)]


def spec_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the key and both values of each difference between two documents; the value of a missing key is None."""
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield key, before.get(key), after.get(key)
