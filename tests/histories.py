"""Histories for tests of forecasters, and their forecasts in the data's units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pulse_core import Histories, Observations, RunSpec
from pulse_core.data.point_in_time import point_in_time
from pulse_core.forecasters.base import Forecaster, Values
from pulse_core.forecasters.registry import resolve


def histories_of(values: Iterable[float], first_origin: int = 1, exponent: int = 0) -> Histories:
    """One path, with an origin at every length from `first_origin` on; in units of 2**`exponent`."""
    path = np.ldexp(np.array(list(values), dtype=np.float64), -exponent)
    lengths = np.arange(first_origin, len(path) + 1)
    return Histories((path,), np.zeros_like(lengths), lengths, exponent)


def histories_of_paths(paths: Sequence[Values], first_origin: int = 1) -> Histories:
    """Several paths, with an origin at every length from `first_origin` on."""
    origins = [(path, length) for path, values in enumerate(paths) for length in range(first_origin, len(values) + 1)]
    origin_path, origin_length = np.array(origins).T.copy()
    return Histories(tuple(paths), origin_path, origin_length)


def histories_of_observations(
    observations: Observations, spec: RunSpec, predictors: Sequence[Observations] = ()
) -> Histories:
    """The histories that the core would forecast from. Raises TooLittleData."""
    point = point_in_time(observations, spec, predictors)
    return Histories(point.paths, point.origin_path, point.origin_length, point.exponent, point.predictors)


def forecaster(name: str) -> Forecaster:
    """A built-in forecaster by its name."""
    return resolve([name]).forecasters[0]


def forecasts(name: str, histories: Histories, horizon: int) -> Values:
    """The forecasts (origin, horizon) of a built-in forecaster in the data's units, NaN where there is none."""
    made = forecaster(name).hindcast(histories, horizon)
    made[np.isinf(made)] = np.nan
    return np.asarray(np.ldexp(made, histories.exponent))
