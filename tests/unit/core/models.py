"""Forecasters of a user's own: honest, peeking, and faulty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

from pulse_core import Forecaster, Histories, PerOriginForecaster
from pulse_core.forecasters.base import Values
from pulse_core.levels import NORMAL_QUANTILES


class LastThree:
    """The mean of the last three values; nothing from fewer. It spoils the history it is handed."""

    def forecast(self, history: Any, horizon: int) -> list[float]:
        mean = sum(history[-3:].tolist()) / 3 if len(history) >= 3 else float("nan")
        history[:] = 1e9
        return [mean] * horizon


class WithinRange(LastThree):
    """Brings normal quantiles about the newest value, as wide as all that was seen; none where that is no number."""

    def quantiles(self, history: Any, horizon: int) -> Any:
        quantiles = history[-1] + np.ptp(history) * np.array(NORMAL_QUANTILES)
        history[:] = 1e9
        return np.repeat(quantiles[:, None] if np.isfinite(quantiles).all() else np.full((9, 1), np.nan), horizon, 1)


class Fixed:
    """Returns, or raises, the same thing whatever the history."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def forecast(self, history: Any, horizon: int) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class OnlyAbove:
    """Naive, but does something else, by `fault`, where the newest value is above 100."""

    def __init__(self, fault: Any) -> None:
        self.fault = fault

    def forecast(self, history: Any, horizon: int) -> Any:
        faulty = Fixed(self.fault).forecast
        return faulty(history, horizon) if history[-1] > 100 else [history[-1]] * horizon


CUSTOM = PerOriginForecaster("tests:LastThree", "1", LastThree())
CUSTOM_WITH_QUANTILES = PerOriginForecaster("tests:WithinRange", "1", WithinRange())


def custom(model: Any, name: str = "tests:Own") -> PerOriginForecaster:
    return PerOriginForecaster(name, "1", model)


def _at_origins(histories: Histories, value: Callable[[Values, int], float], horizon: int) -> Values:
    """One value at each origin, of its whole path and of how many values the origin knows, for all horizons."""
    pairs = zip(histories.origin_path, histories.origin_length, strict=True)
    values = [value(histories.paths[path], length) for path, length in pairs]
    return np.repeat(np.array(values, dtype=np.float64)[:, None], horizon, axis=1)


@attrs.frozen
class PeeksAtNext(Forecaster):
    """Forecasts the value that comes after the origin."""

    name: str = "tests:PeeksAtNext"
    version: str = "1"

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        return _at_origins(histories, lambda path, length: path[min(length, len(path) - 1)], horizon)


@attrs.frozen
class PeeksAtLength(Forecaster):
    """Forecasts the number of values that there will be."""

    name: str = "tests:PeeksAtLength"
    version: str = "1"

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        return _at_origins(histories, lambda path, length: len(path), horizon)


@attrs.frozen
class PeeksAtMean(Forecaster):
    """Forecasts the average of the path, later values with the earlier ones."""

    name: str = "tests:PeeksAtMean"
    version: str = "1"

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        return _at_origins(histories, lambda path, length: path.mean(), horizon)


@attrs.frozen
class PeeksAtOtherVintages(Forecaster):
    """Forecasts what the newest vintage says of the origin's newest value."""

    name: str = "tests:PeeksAtOtherVintages"
    version: str = "1"

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        newest = histories.paths[histories.origin_path[-1]]
        return _at_origins(histories, lambda path, length: newest[min(length, len(newest)) - 1], horizon)


PEEKING_FAR = (PeeksAtMean(), PeeksAtOtherVintages())
"""Those that look beyond the first actual, and so change what trust had already learnt."""
PEEKING = (PeeksAtNext(), PeeksAtLength(), *PEEKING_FAR)
