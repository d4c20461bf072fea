"""Regressors of scikit-learn by the name of their class, on lags of the series, with the library's defaults.

A window holds the newest max(10, season) values, and the regressor learns the next value from it. Both are taken less
the window's newest value and divided by the mean absolute step of the fitted history: neither the level nor the unit of
a series matters to penalties, kernels and step sizes. Forecasts for later steps put the earlier ones into the window
(the recursive strategy). Every window of the history is a row; with no more rows than a window is long there is no
forecast.
"""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any, Final

import attrs
import numpy as np

from pulse_adapters.forecasters.libraries import Warnings, calm, class_of, state_of
from pulse_core.forecasters.base import Values

_SCHEME: Final = 1
"""Counted up when a change of this file changes forecasts."""

_LEAST_LAGS: Final = 10
_FIXED: Final = {"random_state": 0, "n_jobs": 1}
"""Arguments for each class that has these parameters."""


@attrs.frozen
class _Fitted:
    """A fitted regressor and the unit of its inputs and target."""

    regressor: Any
    unit: float


@attrs.frozen
class LagModel:
    """A regressor's class and the number of values in a window."""

    kind: type[Any]
    lags: int

    @property
    def version(self) -> str:
        """The library's version and the number of lags."""
        return f"{_SCHEME}: scikit-learn {version('scikit-learn')}, lags={self.lags}"

    @property
    def seasons_needed(self) -> int:
        """See LibraryModel."""
        return 0

    @property
    def harmless(self) -> Warnings:
        """See LibraryModel. The scores tell whether a search that was cut short forecasts well."""
        from sklearn.exceptions import ConvergenceWarning

        return ((ConvergenceWarning, ""),)

    def fit(self, history: Values) -> _Fitted | None:
        """Fit a new regressor to every window of the history; None where there are too few."""
        if len(history) <= 2 * self.lags:
            return None
        unit = float(np.abs(np.diff(history)).mean()) or 1.0
        # (row, lag), oldest first; the last column is the value that follows the window
        windows = np.lib.stride_tricks.sliding_window_view(history, self.lags + 1)
        newest = windows[:, -2]
        inputs = (windows[:, :-2] - newest[:, None]) / unit
        regressor = self._regressor().fit(inputs, (windows[:, -1] - newest) / unit)
        return _Fitted(regressor, unit)

    def predict(self, fitted: _Fitted | None, history: Values, horizon: int) -> Values:
        """Return the forecasts from the history's newest window; NaN from the first step that has none."""
        forecast = np.full(horizon, np.nan)
        if fitted is None:
            return forecast
        window = history[-self.lags :]
        for step in range(horizon):
            newest = window[-1]
            inputs = (window[None, :-1] - newest) / fitted.unit
            forecast[step] = newest + fitted.unit * float(np.ravel(fitted.regressor.predict(inputs))[0])
            if not np.isfinite(forecast[step]):
                break
            window = np.append(window[1:], forecast[step])
        return forecast

    def _regressor(self) -> Any:
        parameters = inspect.signature(self.kind).parameters
        return self.kind(**{name: value for name, value in _FIXED.items() if name in parameters})


@attrs.frozen
class ObjectModel(LagModel):
    """An instance of the library's, or of a pipeline of them, with whatever arguments it was made."""

    instance: Any = attrs.field(kw_only=True)

    @property
    def version(self) -> str:
        """The library's version, the number of lags, and the instance's state."""
        return f"{_SCHEME}: scikit-learn {version('scikit-learn')}, lags={self.lags}, {state_of(self.instance)}"

    def _regressor(self) -> Any:
        from sklearn.base import clone

        return clone(self.instance)


def sklearn_object(instance: Any) -> ObjectModel:
    """Return the model of an instance. Raises ValueError with the reason where it cannot learn from lags."""
    model = ObjectModel(type(instance), _LEAST_LAGS, instance=instance)
    _try_out(model)
    return model


def sklearn_model(class_name: str, season: int | None) -> LagModel:
    """Return the model of this class. Raises ValueError with the reason where it cannot learn from lags."""
    from sklearn.utils import all_estimators

    kind = class_of(class_name, dict(all_estimators(type_filter="regressor")))
    _try_out(LagModel(kind, _LEAST_LAGS))
    return LagModel(kind, max(_LEAST_LAGS, season or 1))


def _try_out(model: LagModel) -> None:
    """Fit the model to a short zigzag: some regressors take one input, several targets, or no negative values."""
    zigzag = np.cumsum(np.resize([2.0, -1.0, 3.0, -2.0, -3.0, 1.0, 0.5], 4 * _LEAST_LAGS))
    with calm(((Warning, ""),)):
        try:
            model.predict(model.fit(zigzag), zigzag, 1)
        except (ValueError, AttributeError, TypeError) as error:
            raise ValueError(f"it cannot learn from lags: {error}") from error
