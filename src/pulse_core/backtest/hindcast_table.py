"""Every hindcast as it was quoted at its origin, row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pulse_core.backtest.calibration import LEVELS
from pulse_core.backtest.hindcasting import Hindcasts
from pulse_core.backtest.learning import NONE, Lessons
from pulse_core.backtest.origins import Origins
from pulse_core.backtest.outcomes import Outcomes
from pulse_core.backtest.scoring import Stretch
from pulse_core.data.point_in_time import PointInTime
from pulse_core.scores.trust import UNKNOWN, WON, batch_decay, faded
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns, Labels

Array = NDArray[np.float64]
Positions = NDArray[np.int64]


class HindcastTable:
    """Writes a row for each origin of the period, forecaster and horizon that has a forecast.

    Columns: `variable`, `forecaster`, `horizon`; `known_at` of the origin, its newest `timestamp`, and the `target`'s
    (NaT until it exists); `point`, the quantiles `q0.025` .., `actual` (first release, NaN if not known by the end);
    the ensemble's `weight` and the `trust` in the forecaster, both as they stood at the origin.
    """

    def __init__(
        self,
        points: Sequence[PointInTime],
        spec: RunSpec,
        origins: Origins,
        lessons: Lessons,
        made: Hindcasts,
        outcomes: Outcomes,
        write: Callable[[Columns], None],
    ) -> None:
        self._points, self._spec, self._origins, self._lessons = points, spec, origins, lessons
        self._made, self._outcomes, self._write = made, outcomes, write
        self._exponent = np.array([point.exponent for point in points])
        self._offset = np.cumsum([0, *(len(point.origin_step) for point in points)])
        shape = (len(spec.roster), len(points), spec.horizon)
        self._alpha, self._beta = np.ones(shape), np.ones(shape)
        self._batch = np.zeros(len(points), dtype=np.int64)
        self._decay = batch_decay(spec.trust_decay, spec.batch_size_days)

    def __call__(self, stretch: Stretch) -> None:
        """Write what was quoted over a stretch."""
        trust = np.stack([self._trust(stretch.first + row, quote) for row, quote in enumerate(stretch.quote)])
        in_period = (stretch.quote != NONE) & (self._origins.batch[np.maximum(stretch.quote, 0)] >= 0)
        step, variable = np.nonzero(in_period)
        if len(step):
            origin = stretch.quote[step, variable]
            # (level, origin, horizon, forecaster)
            quantiles = np.moveaxis(stretch.quantiles, 2, -1)[:, step, variable]
            self._write_rows(origin, variable, quantiles, np.moveaxis(trust, 1, -1)[step, variable])

    def _trust(self, step: int, quote: Positions) -> Array:
        """Take in what became known at a step; return the mean trust after it (forecaster, variable, horizon)."""
        batch = np.where(quote == NONE, 0, np.maximum(self._origins.batch[np.maximum(quote, 0)], 0))
        for _ in range(int(np.maximum(batch - self._batch, 0).max())):
            later = (self._batch < batch)[:, None]
            self._alpha = np.where(later, faded(self._alpha, self._decay), self._alpha)
            self._beta = np.where(later, faded(self._beta, self._decay), self._beta)
            self._batch = self._batch + later[:, 0]
        learn = self._lessons.learn[step]
        place, horizons = np.maximum(learn, 0), np.arange(self._spec.horizon)
        outcome = self._outcomes.of[:, place, horizons]
        counts = (learn != NONE) & (self._origins.batch[place] >= 0) & (outcome != UNKNOWN)
        # an outcome counts twice a win
        weight = 0.5 / (horizons + 1.0)
        self._alpha = self._alpha + np.where(counts, weight * outcome, 0.0)
        self._beta = self._beta + np.where(counts, weight * (WON - outcome), 0.0)
        return self._alpha / (self._alpha + self._beta)

    def _write_rows(self, origin: Positions, variable: Positions, quantiles: Array, trust: Array) -> None:
        # (origin, horizon, forecaster), of which rows are those with a forecast
        point = np.moveaxis(self._made.forecasts[:, origin], 0, -1)
        rows = np.isfinite(point)
        shape = point.shape
        exponent = np.broadcast_to(self._exponent[variable][:, None, None], shape)[rows]
        known_at, timestamp, target = self._moments(origin, variable)
        horizons = np.arange(1, self._spec.horizon + 1, dtype=np.int16)[:, None]
        forecaster = np.arange(shape[2], dtype=np.int32)
        trust = trust.copy()
        trust[..., self._spec.roster.index(self._spec.benchmark)] = np.nan
        self._write(
            {
                "variable": Labels(
                    tuple(one.variable for one in self._points),
                    np.broadcast_to(variable[:, None, None].astype(np.int32), shape)[rows],
                ),
                "forecaster": Labels(self._spec.roster, np.broadcast_to(forecaster, shape)[rows]),
                "horizon": np.broadcast_to(horizons, shape)[rows],
                "known_at": np.broadcast_to(known_at[:, None, None], shape)[rows],
                "timestamp": np.broadcast_to(timestamp[:, None, None], shape)[rows],
                "target": np.broadcast_to(target[:, :, None], shape)[rows],
                "point": np.ldexp(point[rows], exponent),
                **{f"q{level}": np.ldexp(one[rows], exponent) for level, one in zip(LEVELS, quantiles, strict=True)},
                "actual": np.ldexp(np.broadcast_to(self._origins.released[origin][..., None], shape)[rows], exponent),
                "weight": self._weights(origin)[rows],
                "trust": trust[rows],
            }
        )

    def _moments(self, origin: Positions, variable: Positions) -> tuple[NDArray[np.datetime64], ...]:
        """Return known_at and newest timestamp (origin,), and the targets' timestamps (origin, horizon)."""
        known_at, timestamp = (np.empty(len(origin), dtype="datetime64[us]") for _ in range(2))
        target = np.full((len(origin), self._spec.horizon), "NaT", dtype="datetime64[us]")
        for place in np.unique(variable):
            point, mine = self._points[place], np.flatnonzero(variable == place)
            own = origin[mine] - self._offset[place]
            known_at[mine], timestamp[mine] = point.origin_known_at[own], point.step_timestamp[point.origin_step[own]]
            steps = point.origin_step[own][:, None] + np.arange(1, self._spec.horizon + 1)
            there = steps < len(point.step_timestamp)
            found = point.step_timestamp[np.where(there, steps, 0)]
            target[mine] = np.where(there, found, np.datetime64("NaT", "us"))
        return known_at, timestamp, target

    def _weights(self, origin: Positions) -> Array:
        """Return the ensemble's weights (origin, horizon, forecaster); NaN for what it does not weigh."""
        weights = np.full((len(origin), self._spec.horizon, len(self._spec.roster)), np.nan)
        if self._made.ensemble is not None:
            for own, name in enumerate(self._made.weighed):
                weights[..., self._spec.roster.index(name)] = self._made.ensemble.weights[own, origin]
        return weights
