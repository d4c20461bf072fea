"""Quantiles as the kernel quotes them around given forecasts of simulated or real series, many side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core import RunSpec
from pulse_core.backtest.custom_quantiles import NO_QUANTILES
from pulse_core.backtest.hindcasts import Hindcasts
from pulse_core.backtest.learning import LearningPass
from pulse_core.backtest.origins import Origins
from pulse_core.backtest.volatility import LEAST_STEPS, Volatility, decay, from_origin, grid
from pulse_core.forecasters.registry import ForecasterSet
from pulse_core.kernel.bindings import whole_lanes
from pulse_core.kernel.volatility import conditional_scale
from pulse_core.levels import INTERVALS, LEVELS

Array = NDArray[np.float64]
Forecast = Callable[[Array, int], Array]
"""Forecasts (time, horizon, series) at each time from values (time, series) up to there."""


@attrs.frozen(eq=False)
class Quoted:
    """Errors (origin, horizon, series), NaN where the series end before, and quantiles (origin, level, horizon, series)
    of them; `horizons` are the steps ahead."""

    horizons: tuple[int, ...]
    errors: Array
    quantiles: Array

    def between(self, first: int, last: int | None = None, every: int = 1) -> Quoted:
        """What was quoted at some origins, at `every` k-th of them."""
        origins = slice(first, last, every)
        return attrs.evolve(self, errors=self.errors[origins], quantiles=self.quantiles[origins])

    def first(self, count: int) -> Quoted:
        """What was quoted for the first so many series."""
        return attrs.evolve(self, errors=self.errors[..., :count], quantiles=self.quantiles[..., :count])

    def coverage(self, interval: int) -> Array:
        """The share of errors, in per cent, that lie in a central interval; (horizon,)."""
        index, known = INTERVALS.index(interval), np.isfinite(self.errors)
        inside = (self.quantiles[:, 3 - index] <= self.errors) & (self.errors <= self.quantiles[:, 5 + index]) & known
        return np.asarray(100 * inside.sum(axis=(0, 2)) / known.sum(axis=(0, 2)))

    def width(self, interval: int) -> Array:
        """The mean width of a central interval; (horizon,)."""
        index = INTERVALS.index(interval)
        widths = self.quantiles[:, 5 + index] - self.quantiles[:, 3 - index]
        return np.asarray(np.mean(widths, axis=(0, 2), where=np.isfinite(self.errors) & np.isfinite(widths)))

    def loss(self, quantiles: Array | None = None) -> Array:
        """The mean pinball loss over all levels, of these quantiles or of those that were quoted; (horizon,)."""
        above = self.errors[:, None] - (self.quantiles if quantiles is None else quantiles)
        level = np.array(LEVELS)[:, None, None]
        losses = np.maximum(level * above, (level - 1) * above).mean(axis=1)
        return np.asarray(np.nanmean(losses, axis=(0, 2)))

    def oracle(self) -> Array:
        """The best quantiles that stay the same at all origins and in all series, in hindsight; (level, horizon, 1)."""
        return np.nanquantile(self.errors, LEVELS, axis=(0, 2))[:, :, None]


def naive(values: Array, horizons: int) -> Array:
    """The newest value, for every horizon."""
    return np.repeat(values[:, None], horizons, axis=1)


def quoted(
    values: Array,
    history: int,
    horizons: Sequence[int],
    forecast: Forecast = naive,
    calibration: str = "conformal",
    together: int = 64,
    *,
    by_day: bool = False,
) -> Quoted:
    """Replay series (time, series), so many `together`; the first origin knows `history` values.

    Series `by_day` have a conditional scale each.
    """
    together = 1 if by_day else together
    parts = [
        _replayed(values[:, first : first + together], history, tuple(horizons), forecast, calibration, by_day=by_day)
        for first in range(0, values.shape[1], together)
    ]
    errors, quantiles = (np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True))
    return Quoted(tuple(horizons), errors, quantiles)


def _replayed(
    values: Array, history: int, horizons: tuple[int, ...], forecast: Forecast, calibration: str, *, by_day: bool
) -> tuple[Array, Array]:
    """Errors and quantiles of series that are the forecasters of one pass.

    A pass has one actual for all its forecasters, and one size of its history's steps: actuals are 0, forecasts the
    errors with another sign, and each series is measured in its own steps.
    """
    farthest, count = max(horizons), len(values) - history + 1
    size = np.sqrt((np.diff(values[:history], axis=0) ** 2).mean(axis=0))
    unit = np.where(size > 0, size, 1.0)
    ahead = np.arange(history - 1, len(values))[:, None] + np.arange(1, farthest + 1)
    released = np.concatenate([values, np.full((farthest, values.shape[1]), np.nan)])[ahead]
    errors = released - forecast(values, farthest)[history - 1 :]
    volatility = _volatility(np.ascontiguousarray(values[:, 0]), history, farthest) if by_day else None
    quantiles = np.empty((count, len(LEVELS), len(horizons), values.shape[1]))
    columns = [horizon - 1 for horizon in horizons]
    for moved in (True, False):
        chosen = (size > 0) == moved
        if chosen.any():
            relative = np.moveaxis(errors[:, :, chosen] / unit[chosen], 1, 2)  # (origin, series, horizon)
            learning = learning_pass(relative, history, float(moved), calibration, volatility)
            offsets = _offsets(learning, relative, columns)
            quantiles[:, :, :, chosen] = offsets * unit[chosen]
    return errors[:, columns], quantiles


def _volatility(values: Array, history: int, farthest: int) -> Volatility | None:
    """The conditional scale of a series (time,), its history's steps being about 1."""
    first = max(LEAST_STEPS + 1 - history, 0)
    lengths = np.arange(history, len(values) + 1)
    square = np.full(len(lengths), (np.diff(values[:history]) ** 2).mean())
    found = conditional_scale(values, lengths, farthest, grid(), decay(farthest))
    result = from_origin(first, found.scale, found.lean, found.excess, square)
    return result and attrs.evolve(result, step_square=result.step_square / square)


def _offsets(learning: LearningPass, relative: Array, columns: list[int]) -> Array:
    """Quantiles (origin, level, horizon, series) of errors (origin, series, horizon)."""
    points = np.where(np.isfinite(relative), -relative, 0.0)
    return np.concatenate(
        [
            np.moveaxis(part.quantiles - points[part.first : part.first + len(part), None], 2, 3)[:, :, columns]
            for part in learning.states(0, len(relative))
        ]
    )


def learning_pass(
    relative: Array,
    history: int,
    square: float,
    calibration: str = "conformal",
    volatility: Volatility | None = None,
) -> LearningPass:
    """The pass of forecasters that err by so much (origin, forecaster, horizon), each error known in time."""
    count, forecasters, horizons = relative.shape
    names = tuple(f"f{row}" for row in range(forecasters))
    at = np.arange(count)[:, None]
    nothing = np.zeros((count, horizons))
    origins = Origins(
        batch=np.full(count, -1, dtype=np.int64),  # nothing is scored
        newest=np.zeros(count),
        scale=np.ones(count),
        square_scale=np.ones(count),
        step_square=np.full(count, square if square > 0 else np.nan),
        steps=np.arange(history - 1.0, history - 1.0 + count),
        reported=nothing,
        released=nothing,
        known=np.maximum(at - np.arange(horizons), 0),
        volatility=volatility,
    )
    cells = np.full((count, whole_lanes(forecasters * horizons)), np.nan)
    # what never comes is learned by no origin: any number stands for its error
    cells[:, : forecasters * horizons] = np.where(np.isfinite(relative), -relative, 0.0).reshape(count, -1)
    spec = RunSpec(
        variables=("x",),
        start=date(2020, 1, 1),
        end=date(2020, 12, 31),
        horizon=horizons,
        forecasters=names,
        benchmark=names[0],
        calibration=calibration,
    )
    none = np.zeros((forecasters, horizons), dtype=np.int64)
    hindcasts = Hindcasts(names, forecasters, horizons, cells, NO_QUANTILES, none)
    marks = np.empty(0, dtype=np.int64)
    return LearningPass(hindcasts, origins, ForecasterSet(names, (), (), None), spec, names[0], marks)
