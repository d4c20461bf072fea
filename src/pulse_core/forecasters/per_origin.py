"""A custom forecaster that is called origin by origin, and the checks of what it returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

from pulse_core.errors import ForecasterFailed
from pulse_core.forecasters.base import (
    PER_ORIGIN_COST,
    FittedForecaster,
    Forecaster,
    Histories,
    PointForecaster,
    Values,
)
from pulse_core.forecasters.numbers import real_numbers
from pulse_core.levels import LEVELS


@attrs.frozen
class PerOriginForecaster(Forecaster):
    """A custom model, called origin by origin with a copy of what each origin knows.

    A FittedForecaster is fitted at the first of its origins and at every `refit_every`-th after it; one that has
    only `forecast` is called at these origins, and gives nothing between them. A model with `quantiles`, which takes
    what its `predict` or its `forecast` takes, brings quantiles: (level, horizon) in the order of LEVELS.
    `cost`: roughly how many seconds a call takes.
    """

    name: str
    version: str
    model: PointForecaster | FittedForecaster
    refit_every: int = 1
    cost: float = PER_ORIGIN_COST
    per_origin: bool = attrs.field(default=True, init=False)

    @property
    def brings_quantiles(self) -> bool:
        """Whether the model has quantiles of its own."""
        return callable(getattr(self.model, "quantiles", None))

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """Call the model at each origin. Raises ForecasterFailed where it raises or returns no forecast."""
        return np.asarray(self._results(histories, horizon, rows=1)[0])

    def hindcast_quantiles(self, histories: Histories, horizon: int) -> Values:
        """See QuantileForecaster. Raises ForecasterFailed, also where quantiles cross or some are missing."""
        return self._results(histories, horizon, rows=1 + len(LEVELS))

    def _results(self, histories: Histories, horizon: int, rows: int) -> Values:
        """Return the points, and the quantiles where there are more rows than one; (row, origin, horizon)."""
        fits = isinstance(self.model, FittedForecaster)
        results = np.full((rows, len(histories), horizon), np.nan)
        fitted: tuple[Any, ...] = ()
        for origin in range(len(histories)):
            refit = origin % self.refit_every == 0
            if not (refit or fits):
                continue
            history = histories.history(origin)
            if refit and fits:
                fitted = (self._call("fit", len(history), history),)
            points = self._call("predict" if fits else "forecast", len(history), *fitted, history, horizon)
            results[0, origin] = self._numbers(points, history, (horizon,))
            if rows > 1:
                # a copy more: the model may have spoilt the other
                results[1:, origin] = self._quantiles(*fitted, histories.history(origin), horizon=horizon)
        return np.asarray(np.ldexp(results, -histories.exponent))

    def _call(self, method: str, size: int, *arguments: Any) -> Any:
        """Call a method of the model; `size` is that of the history, which is one of the arguments."""
        call: Callable[..., Any] = getattr(self.model, method)
        try:
            return call(*arguments)
        except (Exception, SystemExit) as error:  # whatever a custom model raises becomes a ForecasterFailed
            raise self._failed(f"{type(error).__name__}: {error}", size) from error

    def _quantiles(self, *arguments: Any, horizon: int) -> Values:
        history = arguments[-1]
        result = self._call("quantiles", len(history), *arguments, horizon)
        quantiles = self._numbers(result, history, (len(LEVELS), horizon))
        finite = np.isfinite(quantiles)
        if (finite.any(axis=0) != finite.all(axis=0)).any():
            raise self._failed("returned some quantiles of a step and not the others", len(history))
        if (quantiles[1:] < quantiles[:-1]).any():
            raise self._failed("returned quantiles that cross: they must not fall as the level rises", len(history))
        return quantiles

    def _numbers(self, result: Any, history: Values, shape: tuple[int, ...]) -> Values:
        """Return what the model returned as an array of this shape. Raises ForecasterFailed."""
        kind = "forecast" if len(shape) == 1 else "quantile"
        try:
            numbers = real_numbers(result)
        except (TypeError, ValueError, OverflowError) as error:
            raise self._failed(f"returned what is no array of numbers: {error}", len(history)) from error
        if numbers.shape != shape:
            raise self._failed(f"returned shape {numbers.shape}, expected {shape} of a {kind}", len(history))
        if np.isinf(numbers).any():
            raise self._failed(f"returned an infinite {kind}", len(history))
        return numbers

    def _failed(self, message: str, size: int) -> ForecasterFailed:
        context = f"forecaster '{self.name}' with a history of {size}"
        return ForecasterFailed(message, context, "Correct the forecaster, or leave it out")
