"""What changed between two runs: by variable, forecaster and horizon, and whether it is more than noise.

Losses are absolute errors, paired: of the same origin by both runs, or, where only the scores of batches are there, of
the same batch. Pairing takes out what both runs share, which is nearly all of the noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, cast

import attrs
import numpy as np
from numpy.typing import NDArray

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

    `moments` (moment,) are in order; of origins, the moment they are known at, of batches, their first day. NaN and 0
    where there is no loss.
    """

    paired: Paired
    forecasters: tuple[str, ...]
    moments: NDArray[np.datetime64]
    values: Array
    counts: Array


@attrs.frozen
class Change:
    """A forecaster's loss on a variable at a horizon in two runs, on what both have scored.

    `pairs` counts origins (or batches), `mae_before` and `mae_after` are over these; `skill` is the share of the
    benchmark's error that it saves, None for the benchmark and where that made no error. `p_value` is the
    Diebold-Mariano test's of equal loss, None where the differences do not vary; `adjusted` is it after
    Benjamini-Yekutieli over all changes of the comparison.
    """

    variable: str
    forecaster: str
    horizon: int
    paired: Paired
    pairs: int
    mae_before: float
    mae_after: float
    skill_before: float | None
    skill_after: float | None
    p_value: float | None
    adjusted: float | None = None

    @property
    def same(self) -> bool:
        """Whether every loss is the same, as far as the means can tell."""
        return self.mae_before == self.mae_after and self.p_value is None

    @property
    def lost(self) -> float | None:
        """The skill that the second run has lost (negative: gained)."""
        if self.skill_before is None or self.skill_after is None:
            return None
        return self.skill_before - self.skill_after

    @property
    def probability(self) -> float | None:
        """The probability that the mean loss really differs in the direction seen.

        From the test's t distribution under a flat prior, 1 - p/2: a half where nothing is seen.
        """
        return None if self.p_value is None else 1.0 - self.p_value / 2.0

    def beyond(self, limit: float, certainty: float) -> bool:
        """Whether more skill was lost than the limit, and more surely than by noise, all comparisons counted.

        A loss whose noise cannot be told counts: nothing speaks for it.
        """
        if self.lost is None or self.lost <= limit:
            return False
        return self.adjusted is None or 1.0 - self.adjusted >= certainty


def losses_of_hindcasts(columns: Columns) -> Losses:
    """Return the losses in one variable's rows of the table `hindcasts`; the columns are HINDCAST_COLUMNS."""
    error = np.abs(np.asarray(columns["actual"]) - np.asarray(columns["point"]))
    known = np.isfinite(error)
    return _laid_out("origins", columns, "known_at", np.where(known, error, np.nan), known.astype(np.float64))


def losses_of_scores(columns: Columns) -> Losses:
    """Return the losses in one variable's rows of the table `scores`; the columns are SCORE_COLUMNS."""
    count = np.asarray(columns["n"], dtype=np.float64)
    total = count * np.asarray(columns["mae"])
    known = np.isfinite(total) & (count > 0)
    return _laid_out("batches", columns, "start", np.where(known, total, np.nan), np.where(known, count, 0.0))


def _laid_out(paired: Paired, columns: Columns, moment: str, values: Array, counts: Array) -> Losses:
    """Lay rows out by forecaster, horizon and moment."""
    labels = cast("Labels", columns["forecaster"])
    horizon = np.asarray(columns["horizon"], dtype=np.int64)
    moments, place = np.unique(np.asarray(columns[moment]), return_inverse=True)
    shape = (len(labels.names), int(horizon.max(initial=0)), len(moments))
    laid_out, counted = np.full(shape, np.nan), np.zeros(shape)
    at = labels.codes, horizon - 1, place
    laid_out[at], counted[at] = values, counts
    return Losses(paired, labels.names, moments, laid_out, counted)


def changes(variable: str, before: Losses, after: Losses, benchmark: str) -> list[Change]:
    """Compare one variable's losses, for forecasters and horizons that both runs have. Moments of one run only are out.

    Of batches only those count in which both runs scored as many origins.
    """
    names = [name for name in before.forecasters if name in after.forecasters]
    horizons = min(before.values.shape[1], after.values.shape[1])
    _, *places = np.intersect1d(before.moments, after.moments, return_indices=True)
    cells = [_Cells(*each, names, horizons) for each in zip((before, after), places, strict=True)]
    common = (cells[0].counts == cells[1].counts) & (cells[0].counts > 0)
    base = names.index(benchmark) if benchmark in names else None
    return [
        _change(variable, name, horizon, before.paired, cells, common, (place, base))
        for place, name in enumerate(names)
        for horizon in range(1, horizons + 1)
        if common[place, horizon - 1].any()
    ]


class _Cells:
    """The losses of some forecasters, horizons and moments."""

    def __init__(self, losses: Losses, places: NDArray[np.int64], names: Sequence[str], horizons: int) -> None:
        rows = np.array([losses.forecasters.index(name) for name in names], dtype=np.int64)
        at = np.ix_(rows, np.arange(horizons), places)
        self.values, self.counts = losses.values[at], losses.counts[at]


def _change(
    variable: str,
    name: str,
    horizon: int,
    paired: Paired,
    cells: Sequence[_Cells],
    common: NDArray[np.bool_],
    context: tuple[int, int | None],
) -> Change:
    place, base = context
    mine = common[place, horizon - 1]
    count = cells[0].counts[place, horizon - 1, mine]
    sums = [each.values[place, horizon - 1, mine] for each in cells]
    skills: list[float | None] = [None, None]
    if base is not None and base != place:
        both = mine & common[base, horizon - 1]
        skills = [_skill(*(each.values[row, horizon - 1, both] for row in (place, base))) for each in cells]
    # losses of h-step forecasts overlap over h origins; of batches, over as many as h steps reach into
    reach = horizon if paired == "origins" else 1 + int(np.ceil((horizon - 1) / np.median(count)))
    p_value = diebold_mariano(sums[0] - sums[1], reach)
    total = float(count.sum())
    return Change(
        variable=variable,
        forecaster=name,
        horizon=horizon,
        paired=paired,
        pairs=len(count),
        mae_before=float(np.cumsum(sums[0])[-1]) / total,
        mae_after=float(np.cumsum(sums[1])[-1]) / total,
        skill_before=skills[0],
        skill_after=skills[1],
        p_value=None if np.isnan(p_value) else p_value,
    )


def _skill(own: Array, benchmark: Array) -> float | None:
    total = float(benchmark.sum()) if len(benchmark) else 0.0
    return 1.0 - float(own.sum()) / total if total > 0 else None


def adjusted(found: Sequence[Change]) -> list[Change]:
    """Adjust the p-values of a whole comparison for their number, whatever their dependence.

    Source: Benjamini & Yekutieli (2001), The control of the false discovery rate in multiple testing under dependency,
    Annals of Statistics 29.
    """
    values = np.array([np.nan if one.p_value is None else one.p_value for one in found])
    tested = np.flatnonzero(np.isfinite(values))
    count = len(tested)
    order = tested[np.argsort(values[tested], kind="stable")]
    harmonic = float((1.0 / np.arange(1, count + 1)).sum())
    scaled = values[order] * count * harmonic / np.arange(1, count + 1)
    monotone = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    by_place = dict(zip(order.tolist(), monotone.tolist(), strict=True))
    return [attrs.evolve(one, adjusted=by_place.get(place)) for place, one in enumerate(found)]


def spec_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield what differs between two documents of specs, versions or the like: key, before, after; None for nothing."""
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield key, before.get(key), after.get(key)
