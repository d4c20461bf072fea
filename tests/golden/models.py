"""Forecasters of a user's own, in plain Python, for the golden runs."""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np

NORMAL: Final = (-1.96, -1.6448, -1.2816, -0.6745, 0.0, 0.6745, 1.2816, 1.6448, 1.96)
NOTHING: Final = float("nan")


class MeanOfFive:
    """The mean of the last five values; nothing from fewer."""

    def forecast(self, history: Any, horizon: int) -> list[float]:
        values = history.tolist()
        return [sum(values[-5:]) / 5.0 if len(values) >= 5 else NOTHING] * horizon


class Silent:
    """The mean of the last two values; nothing at every third history, and nothing two steps ahead at every fourth."""

    def forecast(self, history: Any, horizon: int) -> list[float]:
        values = history.tolist()
        if len(values) % 3 == 0:
            return [NOTHING] * horizon
        quotes = [(values[-1] + values[-2]) / 2.0] * horizon
        if len(values) % 4 == 0 and horizon > 1:
            quotes[1] = NOTHING
        return quotes


class FittedTrend:
    """Fitted: the mean step so far, continued from the newest value."""

    def fit(self, history: Any) -> float:
        values = history.tolist()
        return float((values[-1] - values[0]) / max(len(values) - 1, 1))

    def predict(self, fitted: float, history: Any, horizon: int) -> list[float]:
        newest = float(history[-1])
        return [newest + fitted * ahead for ahead in range(1, horizon + 1)]


def _mean_step(values: list[float]) -> float:
    total = 0.0
    for earlier, later in zip(values[-21:-1], values[-20:], strict=True):
        total += abs(later - earlier)
    return total / 20.0


class Ranged(MeanOfFive):
    """Brings quantiles as wide as the last twenty steps; none from fewer, nor at every seventh history."""

    def quantiles(self, history: Any, horizon: int) -> list[list[float]]:
        values = history.tolist()
        if len(values) < 21 or len(values) % 7 == 0:
            return [[NOTHING] * horizon for _ in NORMAL]
        size = _mean_step(values)
        return [[values[-1] + level * size * ahead for ahead in range(1, horizon + 1)] for level in NORMAL]


class FittedRanged(FittedTrend):
    """Fitted, with quantiles a quarter of the newest value wide, which have no width where that is zero."""

    def quantiles(self, fitted: float, history: Any, horizon: int) -> list[list[float]]:
        newest = float(history[-1])
        size = abs(newest) / 4.0
        return [[newest + fitted * ahead + level * size for ahead in range(1, horizon + 1)] for level in NORMAL]


@attrs.frozen
class HalfWay:
    """One pass: half way from the newest value to the mean of all. It takes histories as the old code lays them out."""

    name: str
    version: str = "1"

    def hindcast(self, histories: Any, horizon: int) -> np.ndarray:
        times = np.arange(1.0, len(histories.values) + 1.0)[:, None]
        states = (histories.values + np.cumsum(histories.values, axis=0) / times) / 2.0
        return np.repeat(histories.at_origins(states)[:, None], horizon, axis=1)


@attrs.frozen
class OwnForecaster:
    """A forecaster of a run: its name, the model, and at how many origins it is fitted anew."""

    name: str
    model: Any
    refit_every: int = 1


MEAN_OF_FIVE: Final = OwnForecaster("golden:MeanOfFive", MeanOfFive())
SILENT: Final = OwnForecaster("golden:Silent", Silent())
FITTED: Final = OwnForecaster("golden:FittedTrend", FittedTrend())
FITTED_BY_THREE: Final = OwnForecaster("golden:FittedTrend", FittedTrend(), refit_every=3)
MEAN_BY_THREE: Final = OwnForecaster("golden:MeanOfFive", MeanOfFive(), refit_every=3)
RANGED: Final = OwnForecaster("golden:Ranged", Ranged())
FITTED_RANGED: Final = OwnForecaster("golden:FittedRanged", FittedRanged(), refit_every=2)
HALF_WAY: Final = OwnForecaster("golden:HalfWay", HalfWay("golden:HalfWay"))
