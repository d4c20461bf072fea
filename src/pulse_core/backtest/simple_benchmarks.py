"""The check of the benchmark by the simple forecasters, and the choice among these where the benchmark is `auto`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.backtest.hindcasts import Hindcasts
from pulse_core.backtest.origins import Origins
from pulse_core.kernel.bindings import common_losses, diebold_mariano_statistic
from pulse_core.spec import AUTO, RunSpec

Array = NDArray[np.float64]

LEAST_ORIGINS: Final = 30
"""With fewer origins before the period AUTO is the first simple forecaster, naive."""


def benchmark_of(spec: RunSpec, simple: Sequence[str], hindcasts: Hindcasts, origins: Origins) -> str:
    """Return the name of a variable's benchmark: the spec's, or for AUTO one of the `simple` forecasters.

    The first of these, naive, takes the place of a benchmark with a season that the variable has not. AUTO is the one
    with the least mean absolute error, over all horizons, on first releases that were known when the period began; the
    earlier of equals.
    """
    if spec.benchmark != AUTO:
        return spec.benchmark if spec.benchmark in hindcasts.names else simple[0]
    known = origins.known[origins.first]
    if known[0] < LEAST_ORIGINS:
        return simple[0]
    count = int(known[0])
    rows = [hindcasts.names.index(name) for name in simple]
    actual = origins.released[:count, None, :]
    errors = np.abs(actual - hindcasts.forecasts[:count, rows])  # (origin, simple, horizon)
    is_known = np.arange(count)[:, None] < known
    is_common = np.isfinite(errors).all(axis=1) & is_known
    losses = np.cumsum(np.where(is_common[:, None, :], errors, 0.0), axis=0)[-1]  # (simple, horizon)
    totals = np.cumsum(losses, axis=1)[:, -1]
    return simple[int(np.argmin(totals))]


def simple_losses(hindcasts: Hindcasts, simple: Sequence[str], origins: Origins) -> Array:
    """Return the sums of absolute errors of every forecaster and of each simple one on their common origins.

    (simple, forecaster, horizon, 2): the forecaster's, then the simple one's, by the actuals that are scored.
    """
    first, names = origins.first, hindcasts.names
    cells, reported = hindcasts.cells[first:], origins.reported[first:]
    return np.stack([common_losses(cells, reported, len(names), names.index(name)) for name in simple])


def bias(hindcasts: Hindcasts, benchmark: str, origins: Origins, overlap: int) -> Array:
    """Return the statistic that the benchmark's mean error is 0, and its number of origins; (horizon, 2).

    It is the Diebold-Mariano statistic of errors in the place of differences: lags up to h - 1, corrected for small
    samples, against Student's t; NaN where there is none. Lags go further where errors so many steps apart, `overlap`,
    share a step, as those of a seasonal naive forecaster do.
    """
    first, row = origins.first, hindcasts.names.index(benchmark)
    errors = origins.reported[first:] - hindcasts.forecasts[first:, row]
    result = np.empty((errors.shape[1], 2))
    for step in range(errors.shape[1]):
        scored = errors[np.isfinite(errors[:, step]), step]
        result[step] = diebold_mariano_statistic(scored, max(step + 1, overlap)), len(scored)
    return result
