"""Rows of the table of hindcasts: each hindcast as it was quoted at its origin, and what came of it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.backtest.hindcasts import Hindcasts
from pulse_core.backtest.learning import LearningPass, OriginStates
from pulse_core.backtest.origins import Origins
from pulse_core.data.point_in_time import PointInTime
from pulse_core.levels import LEVELS
from pulse_core.scores.evidence import log10_of
from pulse_core.scores.trust import trust_probability
from pulse_core.tables import Columns, Labels

Array = NDArray[np.float64]

COLUMNS: Final = (
    *("variable", "forecaster", "horizon", "known_at", "timestamp", "target", "point"),
    *(f"q{level}" for level in LEVELS),
    *("actual", "first_release", "outcome", "difference", "weight", "trust", "log10_e", "log10_e_against"),
)


class HindcastRows:
    """Makes a row for each origin of the period, forecaster and horizon that has a forecast.

    Columns: `variable`, `forecaster`, `horizon`; `known_at` of the origin, its newest `timestamp`, and the `target`'s,
    which nobody knew at the origin (NaT until it exists); `point`, the quantiles `q0.025` ..; the `actual` that is
    scored and the `first_release` that teaches, NaN if not known by the end; the `outcome` against the benchmark on
    first releases: 1 won, 0.5 tied, 0 lost, and by how much, the `difference` in units of the benchmark's mean absolute
    error, NaN without a comparison. As they stood at the origin: the ensemble's `weight`, the `trust` in the
    forecaster, and the evidence `log10_e` for it and `log10_e_against` it; NaN for the benchmark.
    """

    def __init__(
        self,
        point: PointInTime,
        origins: Origins,
        hindcasts: Hindcasts,
        learning: LearningPass,
        benchmark: str,
        span: int,
    ) -> None:
        self._point, self._origins, self._span = point, origins, span
        self._hindcasts, self._learning = hindcasts, learning
        self._benchmark = hindcasts.names.index(benchmark)

    def columns(self, states: OriginStates) -> Columns:
        """Return the rows of these origins of the period."""
        part = slice(states.first, states.first + len(states))
        # (origin, horizon, forecaster), of which rows are those with a forecast
        shown = self._hindcasts.shown
        points = np.moveaxis(self._hindcasts.forecasts[part, :shown], 1, 2)
        rows = np.isfinite(points)
        shape = points.shape

        def spread(values: NDArray[Any]) -> NDArray[Any]:
            return np.broadcast_to(values, shape)[rows]

        def by_forecaster(values: Array) -> NDArray[Any]:
            return np.moveaxis(values, -2, -1)[..., :shown][rows]

        def by_pair(values: Array) -> NDArray[Any]:
            return values[..., :shown][rows]

        steps = self._point.origin_step[part]
        names = self._hindcasts.names[:shown]
        first = self._origins.first
        differences = self._learning.differences_at(part.start - first, part.stop - first)
        return {
            "variable": Labels((self._point.variable,), np.zeros(int(rows.sum()), dtype=np.int32)),
            "forecaster": Labels(names, spread(np.arange(len(names), dtype=np.int32))),
            "horizon": spread(np.arange(1, shape[1] + 1, dtype=np.int16)[:, None]),
            "known_at": spread(self._point.origin_known_at[part][:, None, None]),
            "timestamp": spread(self._point.step_timestamp[steps][:, None, None]),
            "target": spread(self._targets(steps)[:, :, None]),
            "point": self._in_units(points[rows]),
            **{
                f"q{level}": self._in_units(by_forecaster(states.quantiles[:, index]))
                for index, level in enumerate(LEVELS)
            },
            "actual": self._in_units(spread(self._origins.reported[part][..., None])),
            "first_release": self._in_units(spread(self._origins.released[part][..., None])),
            "outcome": by_pair(np.where(np.isnan(differences), np.nan, (np.sign(differences) + 1.0) / 2.0)),
            "difference": by_pair(self._without_benchmark(differences)),
            "weight": by_forecaster(self._learning.by_forecaster(states.weights)),
            "trust": by_pair(trust_probability(states.states, self._span)),
            **{
                name: by_pair(self._without_benchmark(log10_of(states.evidence[:, side])))
                for side, name in enumerate(("log10_e", "log10_e_against"))
            },
        }

    def _in_units(self, values: Array) -> Array:
        return np.ldexp(values, self._point.exponent)

    def _targets(self, steps: NDArray[np.int64]) -> NDArray[np.datetime64]:
        targets = steps[:, None] + np.arange(1, self._hindcasts.horizon + 1)
        exists = targets < len(self._point.step_timestamp)
        stamps = self._point.step_timestamp[np.where(exists, targets, 0)]
        return np.where(exists, stamps, np.datetime64("NaT", "us"))

    def _without_benchmark(self, values: Array) -> Array:
        """Return values (.., forecaster) with NaN for the benchmark."""
        masked = values.copy()
        masked[..., self._benchmark] = np.nan
        return masked
