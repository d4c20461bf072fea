"""What an origin costs in Darts, sktime and Prophet: refitted at each, forecasts of 5 steps, one process.

Run it by a Python that has them; it measures those that are there. Pulse itself is not needed: its own figures are
those of `peers.py`. CPU milliseconds per (series x origin).
"""

from __future__ import annotations

import importlib.util
import io
import logging
import resource
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

POINTS: Final = 1_250
HORIZON: Final = 5
SHORTEST: Final = 30
ORIGINS: Final = 20
"""Spread evenly from the 30th value to the end, because the cost of most grows with the history."""

STEP: Final = (POINTS - HORIZON - SHORTEST) // (ORIGINS - 1)
Series = NDArray[np.float64]
Measured = Iterator[tuple[str, Callable[[], Any]]]


def main() -> None:
    logging.disable(logging.WARNING)
    values = 100.0 + np.cumsum(np.random.default_rng(1).normal(size=POINTS))
    for library, methods in {"darts": darts, "sktime": sktime, "prophet": prophet}.items():
        if importlib.util.find_spec(library) is None:
            print(f"{library}: not installed here; benchmarks/README.md says how to measure it")
            continue
        for name, backtest in methods(values):
            with redirect_stderr(io.StringIO()):  # optimisers that stop early, and what will change one day
                backtest()  # compilation and caches are left out
                cost = seconds(backtest)
            print(f"{library:8} {name:12} {1000 * cost / ORIGINS:9.2f} ms an origin")


def seconds(action: Callable[[], Any]) -> float:
    """Return the CPU time of one run, that of the processes it started (Prophet's sampler) included."""
    begun = _cpu()
    action()
    return _cpu() - begun


def _cpu() -> float:
    used = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def darts(values: Series) -> Measured:
    from darts import TimeSeries
    from darts.models import ExponentialSmoothing, NaiveDrift, Theta
    from darts.utils.utils import ModelMode, SeasonalityMode

    series = TimeSeries.from_values(values)
    models = {
        "drift": NaiveDrift(),
        "ses": ExponentialSmoothing(trend=ModelMode.NONE, seasonal=SeasonalityMode.NONE),
        "holt": ExponentialSmoothing(trend=ModelMode.ADDITIVE, damped=False, seasonal=SeasonalityMode.NONE),
        "theta": Theta(season_mode=SeasonalityMode.NONE),
    }
    for name, model in models.items():
        yield (
            name,
            lambda model=model: model.historical_forecasts(
                series, start=SHORTEST, forecast_horizon=HORIZON, stride=STEP, retrain=True, last_points_only=False
            ),
        )


def sktime(values: Series) -> Measured:
    import pandas as pd
    from sktime.forecasting.exp_smoothing import ExponentialSmoothing
    from sktime.forecasting.model_evaluation import evaluate
    from sktime.forecasting.naive import NaiveForecaster
    from sktime.forecasting.theta import ThetaForecaster
    from sktime.split import ExpandingWindowSplitter

    series = pd.Series(values)
    windows = ExpandingWindowSplitter(fh=range(1, HORIZON + 1), initial_window=SHORTEST, step_length=STEP)
    models = {
        "naive": NaiveForecaster(),
        "ses": ExponentialSmoothing(),
        "holt": ExponentialSmoothing(trend="add"),
        "theta": ThetaForecaster(deseasonalize=False),
    }
    for name, model in models.items():
        yield name, lambda model=model: evaluate(model, windows, series, strategy="refit")


def prophet(values: Series) -> Measured:
    import pandas as pd
    from prophet import Prophet

    days = pd.date_range("2020-01-01", periods=POINTS + HORIZON)

    def backtest() -> None:
        for origin in range(SHORTEST, SHORTEST + ORIGINS * STEP, STEP):
            history = pd.DataFrame({"ds": days[:origin], "y": values[:origin]})
            Prophet().fit(history).predict(pd.DataFrame({"ds": days[origin : origin + HORIZON]}))

    yield "default", backtest


if __name__ == "__main__":
    main()
