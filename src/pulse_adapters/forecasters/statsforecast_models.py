"""Models of statsforecast by the name of their class, with the variable's season and the library's defaults.

Properties of the library (2.0.1; AutoRegressive on 2.1.1 as well):

- It compiles some models when a process first uses them: AutoCES for half a minute, AutoTBATS for twenty seconds,
  MFLES and GARCH for five. The environment variable NIXTLA_NUMBA_CACHE=1 makes it keep the outcome on disk.
- GARCH and ARCH do not forecast a mean: what they return is one simulated path, always from the same random numbers.
- ARIMA is the mean of the history, as its default order is (0, 0, 0).
- AutoRegressive, and others that need more than a season, cannot be had by name. (AutoRegressive forecasts a flat line
  with method="CSS", and by its default method fails on some series of price levels.)
- Holt, ETS, Theta and CES fail on less than about ten values, and near the limits of a double.
- SeasonalNaive with less than a season of history repeats what there is from its oldest value on, then gives NaN.
- A NaN in a history makes some forecasts NaN without a word; histories here have none.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

import attrs
import numpy as np

from pulse_adapters.forecasters.libraries import Warnings, class_of, state_of
from pulse_core.forecasters.base import Values

_SCHEME: Final = 1
"""Counted up when a change of this file changes forecasts."""

_SEASON: Final = "season_length"
_ONLY_SEASONAL: Final = ("HoltWinters", "MSTL")
_INTERVALS: Final = (95, 90, 80, 50)
"""The intervals whose ends stand at LEVELS, the widest first."""

_WITH_INTERVALS: Final = (
    "ARIMA",
    "AutoARIMA",
    "HistoricAverage",
    "Naive",
    "RandomWalkWithDrift",
    "SeasonalNaive",
)
"""Classes with intervals by formula. Others simulate theirs (ETS and its kin where errors multiply, Theta, CES, GARCH),
or have none without a calibration of their own."""

_HARMLESS: Final[Warnings] = (
    (UserWarning, "possible convergence problem: minimize gave code"),
    (UserWarning, "Stepwise search was stopped early"),
    (UserWarning, "Data contains zero or negative values, disabling Box-Cox"),
)
"""How the library's search for parameters ended; whether they forecast well is what the scores say."""


@attrs.frozen
class _Fitted:
    """A fitted model of the library and the history it was fitted to."""

    model: Any
    history: Values


@attrs.frozen
class StatsforecastModel:
    """A class of statsforecast.models and the arguments of its constructor."""

    kind: type[Any]
    arguments: Mapping[str, int]

    @property
    def version(self) -> str:
        """The library's version and the season."""
        parameters = "".join(f", {name}={value}" for name, value in self.arguments.items())
        return f"{_SCHEME}: statsforecast {version('statsforecast')}{parameters}"

    @property
    def seasons_needed(self) -> int:
        """See LibraryModel."""
        return 1 if self.kind.__name__ in _ONLY_SEASONAL else 0

    @property
    def harmless(self) -> Warnings:
        """See LibraryModel."""
        return _HARMLESS

    def fit(self, history: Values) -> _Fitted:
        """Fit a new model to the history."""
        return _Fitted(self._new().fit(history.copy()), history.copy())

    def predict(self, fitted: _Fitted, history: Values, horizon: int) -> Values:
        """Return the mean forecast.

        On a history that goes on, the fitted parameters are applied to all of it by the library's `forward`; a model
        without it is fitted again.
        """
        return np.array(self._forecast(fitted, history, horizon)["mean"], dtype=np.float64)

    def _new(self) -> Any:
        """Return a new model of the library."""
        return self.kind(**self.arguments)

    def _forecast(self, fitted: _Fitted, history: Values, horizon: int, **levels: Any) -> Mapping[str, Any]:
        """Return the library's forecast of the steps that follow the history, by name: arrays (horizon,)."""
        forecast: Mapping[str, Any]
        if np.array_equal(history, fitted.history):
            forecast = fitted.model.predict(horizon, **levels)
        elif hasattr(fitted.model, "forward"):
            forecast = fitted.model.forward(history.copy(), horizon, **levels)
        else:
            forecast = self.fit(history).model.predict(horizon, **levels)
        return forecast


@attrs.frozen
class IntervalModel(StatsforecastModel):
    """A class whose prediction intervals come from the model itself."""

    def quantiles(self, fitted: _Fitted, history: Values, horizon: int) -> Values:
        """Return the intervals' ends, and the mean for a median, at LEVELS; NaN for a step where one is missing."""
        forecast = self._forecast(fitted, history, horizon, level=list(_INTERVALS))
        lower = [np.asarray(forecast[f"lo-{size}"], dtype=np.float64) for size in _INTERVALS]
        upper = [np.asarray(forecast[f"hi-{size}"], dtype=np.float64) for size in reversed(_INTERVALS)]
        # an interval that is not symmetric may leave the mean out
        middle = np.clip(np.asarray(forecast["mean"], dtype=np.float64), lower[-1], upper[0])
        quantiles = np.stack([*lower, middle, *upper])
        quantiles[:, ~np.isfinite(quantiles).all(axis=0)] = np.nan
        return quantiles


@attrs.frozen
class ObjectModel(StatsforecastModel):
    """An instance of the library's, with whatever arguments it was made."""

    instance: Any = attrs.field(kw_only=True)

    @property
    def version(self) -> str:
        """The library's version and the instance's state."""
        return f"{_SCHEME}: statsforecast {version('statsforecast')}, {state_of(self.instance)}"

    @property
    def seasons_needed(self) -> int:
        """See LibraryModel: the instance has the season that it needs."""
        return 0

    def _new(self) -> Any:
        return copy.deepcopy(self.instance)


@attrs.frozen
class ObjectIntervalModel(ObjectModel, IntervalModel):
    """An instance whose prediction intervals come from the model itself."""


def statsforecast_object(instance: Any) -> StatsforecastModel:
    """Return the model of an instance. Raises ValueError for what is no model of the library."""
    if not all(callable(getattr(instance, name, None)) for name in ("fit", "predict")):
        raise ValueError(f"{type(instance).__name__} is no model of statsforecast: it has no fit and predict")
    make = ObjectIntervalModel if type(instance).__name__ in _WITH_INTERVALS else ObjectModel
    return make(type(instance), {}, instance=instance)


def statsforecast_model(class_name: str, season: int | None) -> StatsforecastModel:
    """Return the model of this class. Raises ValueError with the reason where there is none."""
    from statsforecast import models

    offered = {name: getattr(models, name) for name in models.__all__}
    kind = class_of(class_name, offered, arguments=(_SEASON,))
    if class_name in _ONLY_SEASONAL and season == 1:
        raise ValueError("it needs a season of at least 2 steps")
    make = IntervalModel if class_name in _WITH_INTERVALS else StatsforecastModel
    parameter = inspect.signature(kind).parameters.get(_SEASON)
    has_default = parameter is not None and parameter.default is not parameter.empty
    if parameter is None or (season is None and (has_default or class_name in _ONLY_SEASONAL)):
        return make(kind, {})
    return make(kind, {_SEASON: season or 1})
