"""A user's own forecaster, called origin by origin, and what it answers, checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import attrs
import numpy as np

from pulse_core.backtest.calibration import LEVELS
from pulse_core.errors import ForecasterFailed
from pulse_core.forecasters.base import FittedForecaster, Histories, PointForecaster, Values


@attrs.frozen
class OriginByOrigin:
    """A user's forecaster, called origin by origin with a copy of what each knows.

    A FittedForecaster is fitted at the first of its origins and at every `refit_every`-th after it; one that has
    only `forecast` is called at these origins, and gives nothing between them. A model with `quantiles`, which takes
    what its `predict` or its `forecast` takes, brings quantiles: (level, horizon) in the order of LEVELS.
    """

    name: str
    version: str
    model: PointForecaster | FittedForecaster
    refit_every: int = 1

    origin_by_origin: ClassVar[bool] = True
    """Slow, so that its hindcasts are made, spread and recorded batch by batch."""

    @property
    def brings_quantiles(self) -> bool:
        """Whether the model has quantiles of its own."""
        return callable(getattr(self.model, "quantiles", None))

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """Call the model at each origin. Raises ForecasterFailed where it raises or returns no forecast."""
        return np.asarray(self._asked(histories, horizon, rows=1)[0])

    def quote(self, histories: Histories, horizon: int) -> Values:
        """See BringsQuantiles. Raises ForecasterFailed, also for quantiles that cross or of which some are missing."""
        return self._asked(histories, horizon, rows=1 + len(LEVELS))

    def _asked(self, histories: Histories, horizon: int, rows: int) -> Values:
        """Return the points, and the quantiles where there are more rows than one; (row, origin, horizon)."""
        fits = isinstance(self.model, FittedForecaster)
        quoted = np.full((rows, len(histories.origin_path), horizon), np.nan)
        learned: tuple[Any, ...] = ()
        for origin, path in enumerate(histories.origin_path):
            refit = origin % self.refit_every == 0
            if not (refit or fits):
                continue
            history = histories.history(origin)
            if refit and fits:
                learned = (self._call("fit", len(history), history),)
            made = self._call("predict" if fits else "forecast", len(history), *learned, history, horizon)
            quoted[0, origin] = self._checked(made, history, (horizon,))
            if rows > 1:
                # a copy more: the model may have spoilt the other
                quoted[1:, origin] = self._quantiles(*learned, histories.history(origin), horizon=horizon)
            quoted[:, origin] = np.ldexp(quoted[:, origin], -histories.exponents[path])
        return quoted

    def _call(self, method: str, size: int, *arguments: Any) -> Any:
        """Call a method of the model; `size` is that of the history, which is one of the arguments."""
        call: Callable[..., Any] = getattr(self.model, method)
        try:
            return call(*arguments)
        except Exception as error:  # whatever a user's code raises becomes one of ours
            raise self._failed(f"{type(error).__name__}: {error}", size) from error

    def _quantiles(self, *arguments: Any, horizon: int) -> Values:
        history = arguments[-1]
        made = self._call("quantiles", len(history), *arguments, horizon)
        quantiles = self._checked(made, history, (len(LEVELS), horizon))
        some = np.isfinite(quantiles)
        if (some.any(axis=0) != some.all(axis=0)).any():
            raise self._failed("returned some quantiles of a step and not the others", len(history))
        if (quantiles[1:] < quantiles[:-1]).any():
            raise self._failed("returned quantiles that cross: they must not fall as the level rises", len(history))
        return quantiles

    def _checked(self, made: Any, history: Values, shape: tuple[int, ...]) -> Values:
        message = "forecast" if len(shape) == 1 else "quantile"
        try:
            forecast = np.asarray(made, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise self._failed(f"returned what is no array of numbers: {error}", len(history)) from error
        if forecast.shape != shape:
            raise self._failed(f"returned shape {forecast.shape}, expected {shape} of a {message}", len(history))
        if np.isinf(forecast).any():
            raise self._failed(f"returned an infinite {message}", len(history))
        return forecast

    def _failed(self, message: str, size: int) -> ForecasterFailed:
        place = f"forecaster '{self.name}' with a history of {size}"
        return ForecasterFailed(message, place, "Mend the forecaster, or leave it out")
