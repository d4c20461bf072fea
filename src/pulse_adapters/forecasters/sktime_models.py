"""Forecasters of sktime by the name of their class, with the variable's season, or by an instance.

They get a history as a pandas Series with the index 0, 1, 2 ...: what needs dates cannot be had. They are fitted at
every origin, whatever `refit_every` says: `update` without new parameters leaves the state of many where the fit ended,
so that they would forecast from there. Those that bring intervals bring quantiles, which are sorted.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any, Final

import attrs
import numpy as np

from pulse_adapters.forecasters.libraries import Warnings, calm, class_of, state_of
from pulse_core.forecasters.base import Values
from pulse_core.levels import LEVELS

_SCHEME: Final = 1
"""Counted up when a change of this file changes forecasts."""

_SEASON: Final = "sp"
_HAS_INTERVALS: Final = "capability:pred_int"
_TRIED: Final = 60


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
        """See LibraryModel: all of them, since how a search for parameters ended is what the scores say."""
        return ((Warning, ""),)

    def fit(self, history: Values) -> _Fitted:
        """Take the history; a forecaster may need the horizon to be fitted, so it is fitted when it forecasts."""
        return _Fitted(history.copy())

    def predict(self, fitted: _Fitted, history: Values, horizon: int) -> Values:
        """Return the forecasts of the steps that follow the history."""
        points = self._at(fitted, history, horizon).predict(fh=_steps(horizon))
        return np.asarray(points, dtype=np.float64).reshape(horizon)

    def _at(self, fitted: _Fitted, history: Values, horizon: int) -> Any:
        """Return the forecaster fitted to the history."""
        if not np.array_equal(history, fitted.history):
            fitted.history, fitted.by_horizon = history.copy(), {}
        if horizon not in fitted.by_horizon:
            fitted.by_horizon[horizon] = self.forecaster.clone().fit(_series(history), fh=_steps(horizon))
        return fitted.by_horizon[horizon]


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
    """Return the model of a forecaster. Raises ValueError for what is none, and for one that cannot serve here."""
    from sktime.forecasting.base import BaseForecaster

    if not isinstance(instance, BaseForecaster):
        raise ValueError(f"{type(instance).__name__} is no forecaster of sktime")
    make = IntervalModel if instance.get_tag(_HAS_INTERVALS) else SktimeModel
    with calm(((Warning, ""),)):
        model = make(instance.clone())
        _try_out(model)
    return model


def sktime_model(class_name: str, season: int | None) -> SktimeModel:
    """Return the model of this class. Raises ValueError with the reason where there is none."""
    kind = class_of(class_name, _offered())
    has_season = _SEASON in inspect.signature(kind).parameters
    with calm(((Warning, ""),)):
        try:
            forecaster = kind(**({_SEASON: season} if season and has_season else {}))
        except ImportError as error:  # of a library that this class alone needs
            raise ValueError(" ".join(str(error).split())) from error
    return sktime_object(forecaster)


def _try_out(model: SktimeModel) -> None:
    """Forecast a short zigzag: some need dates, several series, or a library that is not installed."""
    zigzag = 50 + np.cumsum(np.resize([2.0, -1.0, 3.0, -2.0, -3.0, 1.0, 0.5], _TRIED))
    try:
        model.predict(model.fit(zigzag), zigzag, 1)
    except Exception as error:  # whatever the library raises becomes a ValueError
        raise ValueError(f"it cannot forecast a plain series: {' '.join(str(error).split())[:300]}") from error


@cache
def _offered() -> Mapping[str, type[Any]]:
    from sktime.registry import all_estimators

    return dict(all_estimators("forecaster", suppress_import_stdout=False))


def _series(history: Values, first: int = 0) -> Any:
    import pandas as pd

    return pd.Series(history.copy(), index=pd.RangeIndex(first, first + len(history)))


def _steps(horizon: int) -> list[int]:
    return list(range(1, horizon + 1))
