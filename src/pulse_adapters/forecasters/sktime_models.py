"""Forecasters of sktime by the name of their class, with the variable's season, or by an instance.

They get a history as a pandas Series with the index 0, 1, 2 ...: what needs dates cannot be had. A history that goes on
after a fit is given to `update` without new parameters. Those that bring intervals bring quantiles, which are sorted.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any, Final

import attrs
import numpy as np

from pulse_adapters.forecasters.libraries import Warnings, class_of, state_of
from pulse_core.forecasters.base import Values
from pulse_core.levels import LEVELS

_SCHEME: Final = 1
"""Counted up when a change of this file changes forecasts."""

_SEASON: Final = "sp"
_NEEDS_HORIZON: Final = "requires-fh-in-fit"
_HAS_INTERVALS: Final = "capability:pred_int"


@attrs.define
class _Fitted:
    """A history, and the forecaster fitted to it: by horizon, 0 for one that needs none to be fitted."""

    history: Values
    by_horizon: dict[int, Any] = attrs.field(factory=dict)


@attrs.frozen
class SktimeModel:
    """A forecaster of sktime, which stays as it is: copies of it are fitted."""

    forecaster: Any

    @property
    def version(self) -> str:
        """The library's version and the forecaster's state."""
        return f"{_SCHEME}: sktime {version('sktime')}, {state_of(self.forecaster)}"

    @property
    def seasons_needed(self) -> int:
        """See LibraryModel."""
        return 0

    @property
    def harmless(self) -> Warnings:
        """See LibraryModel: how a search for parameters ended is what the scores say."""
        return ((Warning, ""),)

    def fit(self, history: Values) -> _Fitted:
        """Fit a copy to the history; one that needs the horizon for this is fitted when it forecasts."""
        fitted = _Fitted(history.copy())
        if not self.forecaster.get_tag(_NEEDS_HORIZON):
            fitted.by_horizon[0] = self.forecaster.clone().fit(_series(history))
        return fitted

    def predict(self, fitted: _Fitted, history: Values, horizon: int) -> Values:
        """Return the forecasts of the steps that follow the history."""
        points = self._at(fitted, history, horizon).predict(fh=_steps(horizon))
        return np.asarray(points, dtype=np.float64).reshape(horizon)

    def _at(self, fitted: _Fitted, history: Values, horizon: int) -> Any:
        """Return the fitted forecaster at the end of a history that continues the one that was fitted."""
        key = 0 if 0 in fitted.by_horizon else horizon
        if key not in fitted.by_horizon:
            forecaster = self.forecaster.clone()
            fitted.by_horizon[key] = forecaster.fit(_series(fitted.history), fh=_steps(horizon))
        first = len(fitted.history)
        if len(history) == first:
            return fitted.by_horizon[key]
        later = copy.deepcopy(fitted.by_horizon[key])
        return later.update(_series(history[first:], first), update_params=False)


@attrs.frozen
class IntervalModel(SktimeModel):
    """A forecaster that brings intervals."""

    def quantiles(self, fitted: _Fitted, history: Values, horizon: int) -> Values:
        """Return its quantiles at LEVELS; NaN for a step where one is missing."""
        at = self._at(fitted, history, horizon)
        table = at.predict_quantiles(fh=_steps(horizon), alpha=list(LEVELS))
        quantiles = np.sort(np.asarray(table, dtype=np.float64).T, axis=0)  # (level, horizon)
        quantiles[:, ~np.isfinite(quantiles).all(axis=0)] = np.nan
        return quantiles


def sktime_object(instance: Any) -> SktimeModel:
    """Return the model of a forecaster. Raises ValueError for what is none."""
    from sktime.forecasting.base import BaseForecaster

    if not isinstance(instance, BaseForecaster):
        raise ValueError(f"{type(instance).__name__} is no forecaster of sktime")
    make = IntervalModel if instance.get_tag(_HAS_INTERVALS) else SktimeModel
    return make(instance.clone())


def sktime_model(class_name: str, season: int | None) -> SktimeModel:
    """Return the model of this class. Raises ValueError with the reason where there is none."""
    kind = class_of(class_name, _offered())
    has_season = _SEASON in inspect.signature(kind).parameters
    try:
        return sktime_object(kind(**({_SEASON: season} if season and has_season else {})))
    except ModuleNotFoundError as error:  # of a library that this class alone needs
        raise ValueError(" ".join(str(error).split())) from error


@cache
def _offered() -> Mapping[str, type[Any]]:
    from sktime.registry import all_estimators

    return {name: kind for name, kind in all_estimators("forecaster", suppress_import_stdout=False)}


def _series(history: Values, first: int = 0) -> Any:
    import pandas as pd

    return pd.Series(history.copy(), index=pd.RangeIndex(first, first + len(history)))


def _steps(horizon: int) -> list[int]:
    return list(range(1, horizon + 1))
