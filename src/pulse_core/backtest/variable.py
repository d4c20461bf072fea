"""The backtest of one variable: hindcasts against what happened, and all that is recorded of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import frozen
from pulse_core.backtest.hindcast_rows import HindcastRows
from pulse_core.backtest.hindcasts import Hindcasts, hindcast
from pulse_core.backtest.learning import LearningPass
from pulse_core.backtest.origins import Origins, origins_of
from pulse_core.data.point_in_time import PointInTime
from pulse_core.forecasters.base import Histories
from pulse_core.forecasters.registry import ForecasterSet
from pulse_core.results import VariableRecord
from pulse_core.scores.comparison import comparison_p_values
from pulse_core.scores.evidence import evidence
from pulse_core.scores.sums import BatchSums
from pulse_core.scores.trust import WON
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns

Array = NDArray[np.float64]
Positions = NDArray[np.int64]


@attrs.frozen(eq=False)
class Newest:
    """What is forecast at a variable's newest origin, scaled as its histories are.

    `points` (forecaster, horizon), `quantiles` (level, forecaster, horizon), and the ensemble's `weights` (forecaster,
    horizon), NaN for what it does not weigh.
    """

    points: Array
    quantiles: Array
    weights: Array


@attrs.frozen(eq=False)
class Backtest:
    """What a variable's backtest comes to: its record, and what is forecast at its newest origin."""

    record: VariableRecord
    newest: Newest


def backtest(
    point: PointInTime,
    spec: RunSpec,
    forecasters: ForecasterSet,
    per_origin: Mapping[str, Array] | None = None,
    write: Callable[[Columns], None] | None = None,
) -> Backtest:
    """Backtest a variable; what is in `per_origin` of some forecasters (see forecast_rows) is not made again.

    With `write`, every hindcast of the period is written as it was quoted; see HindcastRows. Raises ForecasterFailed.
    """
    with np.errstate(all="ignore"):  # a forecast that overflows is none; it is masked where it is read
        origins = origins_of(point, spec)
        hindcasts = hindcast(forecasters, histories_of(point), spec.horizon, per_origin or {})
        learning = LearningPass(hindcasts, origins, forecasters, spec, trust=write is not None)
        newest = len(origins) - 1
        if write is None:
            learning.run(0, newest)
        else:
            learning.run(0, origins.first)
            rows = HindcastRows(point, spec, origins, hindcasts, learning)
            for states in learning.states(origins.first, newest):
                write(rows.columns(states))
        (last,) = learning.states(newest, newest + 1)
        if write is not None:
            write(rows.columns(last))
        record = _record(point, spec, origins, hindcasts, learning)
        weights = learning.by_forecaster(last.weights[-1])
        return Backtest(record, Newest(hindcasts.forecasts[-1].copy(), last.quantiles[-1], weights))


def histories_of(point: PointInTime) -> Histories:
    """Return what a variable's origins know, as forecasters take it."""
    return Histories(point.paths, point.origin_path, point.origin_length, point.exponent, point.predictors)


def _record(
    point: PointInTime, spec: RunSpec, origins: Origins, hindcasts: Hindcasts, learning: LearningPass
) -> VariableRecord:
    first, benchmark = origins.first, hindcasts.names.index(spec.benchmark)
    # whole numbers are added up, whose order does not matter; a win counts two halves
    half = 0.5 / np.arange(1.0, spec.horizon + 1.0)
    weights, regret, bound = learning.learned()
    return VariableRecord(
        variable=point.variable,
        forecasters=hindcasts.names,
        exponent=point.exponent,
        sums=BatchSums(np.arange(origins.batches), frozen(learning.sums)),
        wins=frozen(half * learning.wins),
        losses=frozen(half * (WON * learning.trials - learning.wins)),
        origins=np.bincount(origins.batch[first:], minlength=origins.batches),
        dm_p=comparison_p_values(hindcasts.cells[first:], origins.reported[first:], len(hindcasts.names), benchmark),
        log10_e=evidence(learning.outcomes[first:], benchmark),
        weights=weights,
        regret=regret,
        bound=bound,
    )
