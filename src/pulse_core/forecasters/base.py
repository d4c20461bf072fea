"""What a forecaster is, and the histories it forecasts from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.errors import ForecasterFailed

Values = NDArray[np.float64]
Positions = NDArray[np.int64]


@attrs.frozen(eq=False)
class Histories:
    """All histories of a unit, padded side by side, and where its origins stand in them.

    `values` (time, path): a path is a series as some vintage knew it, extended while no older value was revised;
    times past its end are padding. `lengths` (path,). Origin i knows the first `origin_length[i]` values of path
    `origin_path[i]`; both (origin,). Values are scaled by 2**-`exponents` (path,).
    `predictors` (predictor x lag, time, path) are recent changes of other variables as each time knew them, each scaled
    by a power of two, NaN where unknown.
    """

    values: Values
    lengths: Positions
    origin_path: Positions
    origin_length: Positions
    exponents: Positions
    predictors: Values = attrs.field(factory=lambda: np.empty((0, 0, 0)))
    shared: dict[str, Any] = attrs.field(factory=dict, init=False)
    """What one forecaster made and another can use, by a name that says all it depends on."""

    def at_origins(self, states: Values) -> Values:
        """Read a (time, path) array at each origin's newest time; shape (origin,)."""
        place = (self.origin_length - 1) * states.shape[1] + self.origin_path
        return np.asarray(states.reshape(-1).take(place))

    def only(self, origins: Positions) -> Histories:
        """Return the same histories with some of their origins."""
        return attrs.evolve(self, origin_path=self.origin_path[origins], origin_length=self.origin_length[origins])

    def history(self, origin: int) -> Values:
        """Return a copy of what one origin knows, in the data's own units; shape (n,)."""
        path = self.origin_path[origin]
        known = self.values[: self.origin_length[origin], path]
        return np.asarray(np.ldexp(known, self.exponents[path]))


class Forecaster(Protocol):
    """A method that makes hindcasts. `version` changes whenever its numbers may."""

    @property
    def name(self) -> str:
        """The name in results."""

    @property
    def version(self) -> str:
        """What a record's key holds of it: parameters and version."""

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """Return the forecasts made at every origin, shape (origin, horizon), in the scale of `histories`.

        NaN where there is none yet. Row i may depend on nothing but what origin i knows.
        """


class PointForecaster(Protocol):
    """The least a user's own forecaster needs."""

    def forecast(self, history: Values, horizon: int) -> Sequence[float] | Values:
        """Return `horizon` forecasts from the history y_1..y_n; NaN where there is none."""


@runtime_checkable
class FittedForecaster(Protocol):
    """A forecaster whose fit serves several origins."""

    def fit(self, history: Values) -> Any:
        """Return what was learned from the history."""

    def predict(self, fitted: Any, history: Values, horizon: int) -> Sequence[float] | Values:
        """Return `horizon` forecasts from a history that continues the one that was fitted."""


@attrs.frozen
class OriginByOrigin:
    """A user's forecaster, called origin by origin with a copy of what each knows.

    A FittedForecaster is fitted at the first of its origins and at every `refit_every`-th after it; one that has
    only `forecast` is called at these origins, and gives nothing between them.
    """

    name: str
    version: str
    model: PointForecaster | FittedForecaster
    refit_every: int = 1

    origin_by_origin: ClassVar[bool] = True
    """Slow, so that its hindcasts are made, spread and recorded batch by batch."""

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """Call the model at each origin. Raises ForecasterFailed where it raises or returns no forecast."""
        forecasts = np.full((len(histories.origin_path), horizon), np.nan)
        fitted: Any = None
        for origin in range(len(forecasts)):
            history = histories.history(origin)
            fitted, made = self._call(fitted, history, horizon, refit=origin % self.refit_every == 0)
            checked = self._checked(made, history, horizon)
            forecasts[origin] = np.ldexp(checked, -histories.exponents[histories.origin_path[origin]])
        return forecasts

    def _call(self, fitted: Any, history: Values, horizon: int, *, refit: bool) -> tuple[Any, Any]:
        """Return what is fitted now, and the forecast."""
        try:
            if not isinstance(self.model, FittedForecaster):
                return None, self.model.forecast(history, horizon) if refit else np.full(horizon, np.nan)
            if refit:
                fitted = self.model.fit(history)
            return fitted, self.model.predict(fitted, history, horizon)
        except Exception as error:  # whatever a user's code raises becomes one of ours
            raise self._failed(f"{type(error).__name__}: {error}", history) from error

    def _checked(self, made: Any, history: Values, horizon: int) -> Values:
        try:
            forecast = np.asarray(made, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise self._failed(f"returned what is no array of numbers: {error}", history) from error
        if forecast.shape != (horizon,):
            raise self._failed(f"returned shape {forecast.shape}, expected ({horizon},)", history)
        if np.isinf(forecast).any():
            raise self._failed("returned an infinite forecast", history)
        return forecast

    def _failed(self, what: str, history: Values) -> ForecasterFailed:
        place = f"forecaster '{self.name}' with a history of {len(history)}"
        return ForecasterFailed(what, place, "Mend the forecaster, or leave it out")
