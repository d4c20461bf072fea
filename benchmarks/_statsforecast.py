"""The peer: statsforecast's cross-validation, refitted at every origin, one process."""

from __future__ import annotations

import warnings
from typing import Any

import attrs
import numpy as np
from _timing import seconds
from numpy.typing import NDArray

Array = NDArray[np.float64]
Lengths = NDArray[np.int64]


@attrs.frozen
class Windows:
    """Origins of a cross-validation: `count` of them, `step` apart, the last `horizon` values before the end."""

    count: int
    step: int
    horizon: int

    def lengths(self, points: int) -> Lengths:
        """Return how many values each origin knows."""
        return points - self.horizon - self.step * np.arange(self.count - 1, -1, -1)

    @classmethod
    def spread(cls, count: int, points: int, shortest: int, horizon: int) -> Windows:
        """Return at most `count` windows, evenly over all origins from `shortest` values on."""
        there = points - horizon - shortest + 1
        return cls(min(count, there), max(1, (there - 1) // max(count - 1, 1)), horizon)


def cross_validate(model: Any, values: Array, windows: Windows) -> tuple[float, Array]:
    """Return the CPU seconds of `cross_validation` alone, and its forecasts (variable, origin, horizon)."""
    from statsforecast import StatsForecast

    frame = _frame(values)
    machine = StatsForecast(models=[model], freq=1, n_jobs=1)
    made: list[Any] = []

    def validate() -> None:
        made.append(
            machine.cross_validation(
                df=frame, h=windows.horizon, n_windows=windows.count, step_size=windows.step, refit=True
            )
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # optimisers that stop early say so; the forecasts are compared below
        taken = seconds(validate)
    table = made[0].sort_values(["unique_id", "cutoff", "ds"])
    shape = (values.shape[1], windows.count, windows.horizon)
    return taken, np.asarray(table[repr(model)].to_numpy(dtype=np.float64).reshape(shape))


def _frame(values: Array) -> Any:
    import pandas as pd

    points, count = values.shape
    return pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(count), points),
            "ds": np.tile(np.arange(points), count),
            "y": values.T.ravel(),
        }
    )


def standard_theta(history: Array, horizon: int, alpha: float) -> Array:
    """Return statsforecast's standard theta model (STM) with a fixed alpha and the level that METHOD's formula implies.

    STM forecasts l_n + (A (1-alpha)^n + B (1 - (1-alpha)^(n+1))/alpha)/2 one step ahead, A and B the least-squares
    intercept and slope, from a free starting level l_0. With l_0 = y_1 - (A + B)/2 that is METHOD's formula.
    """
    from statsforecast.theta import auto_theta, forecast_theta

    count = len(history)
    middle, slope = np.polynomial.polynomial.polyfit(np.arange(count) - (count - 1) / 2, history, 1)
    first_fitted = middle - slope * (count - 1) / 2
    model = auto_theta(history, m=1, model="STM", initial_smoothed=float(history[0] - first_fitted / 2), alpha=alpha)
    return np.asarray(forecast_theta(model, horizon)["mean"])
