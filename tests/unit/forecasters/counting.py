"""A library of one model, which notes the length of each history that it is fitted to and forecasts that."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from pulse_adapters.forecasters.libraries import Library

FITS: list[int] = []
LIBRARY = Library("tests.unit.forecasters.counting:counting_model", "models")


class CountingModel:
    version = "1: counting 1.0"
    seasons_needed = 0
    harmless = ((UserWarning, "still searching"),)

    def __init__(self, idle: str, season: int | None) -> None:
        self.idle = idle
        self.season = season

    def fit(self, history: Any) -> int:
        warnings.warn("still searching, step 7", UserWarning, stacklevel=1)
        FITS.append(len(history))
        return len(history)

    def predict(self, fitted: int, history: Any, horizon: int) -> Any:
        return np.full(horizon, float(fitted))


def counting_model(class_name: str, season: int | None) -> CountingModel:
    if class_name != "Model":
        raise ValueError("there is only Model")
    return CountingModel(class_name, season)
