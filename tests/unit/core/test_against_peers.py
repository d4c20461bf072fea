"""Scores and forecasts against other libraries, on real series."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any

import attrs
import numpy as np
import pandas as pd
import pytest

from pulse_core import Forecaster, Observations, RunSpec
from pulse_core.forecasters.averages import Drift, Mean
from pulse_core.forecasters.registry import resolve
from pulse_core.forecasters.smoothing import SimpleExponentialSmoothing
from pulse_core.scores.measures import MEASURES
from tests.unit.core.real import real_series
from tests.unit.core.runs import REFERENCE, hindcasts, run

HORIZON = 3
REAL = ["spx_close", "wti_price"]


def real(variable: str) -> tuple[Observations, RunSpec]:
    """Four hundred days of history, the last hundred of them in the period."""
    rows = real_series(variable, 2500, 400)
    rows = attrs.evolve(rows, known_at=rows.timestamps)
    first, last = (rows.timestamps[index].astype("datetime64[D]").item() for index in (300, -1))
    return rows, RunSpec(variables=(variable,), start=first, end=last, horizon=HORIZON, forecasters=REFERENCE)


def quoted(forecaster: Forecaster, rows: Observations, spec: RunSpec) -> dict[int, np.ndarray]:
    """The forecasts by the number of values known."""
    counts = {moment: index for index, moment in enumerate(rows.timestamps)}
    bits_by_moment = hindcasts(forecaster, rows, spec)
    return {counts[moment] + 1: np.frombuffer(bits) for moment, bits in bits_by_moment.items()}


def judged(forecaster: Forecaster, rows: Observations, spec: RunSpec, ahead: int) -> Any:
    """A row an origin, as utilsforecast wants it: the origin is the series."""
    forecasts = quoted(forecaster, rows, spec)
    # the forecasts before the period, which serve learners, are not scored
    scored = {count: forecasts[count] for count in forecasts if 300 < count <= len(rows) - ahead}
    return pd.DataFrame(
        {
            "unique_id": list(scored),
            "ds": [count + ahead for count in scored],
            "y": [float(rows.values[count + ahead - 1]) for count in scored],
            "forecast": [float(points[ahead - 1]) for points in scored.values()],
        }
    )


def histories(rows: Observations, counts: list[int]) -> Any:
    parts = [pd.DataFrame({"unique_id": n, "ds": np.arange(1, n + 1), "y": rows.values[:n]}) for n in counts]
    return pd.concat(parts)


def of_peer(measure: str, frame: Any, rows: Observations) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a peer warns of on import is not ours
        from utilsforecast import losses

    train = histories(rows, frame["unique_id"].tolist())
    together = frame.assign(unique_id=0)
    of_all = {
        "me": lambda: -losses.bias(together, ["forecast"]),
        "mae": lambda: losses.mae(together, ["forecast"]),
        "rmse": lambda: losses.rmse(together, ["forecast"]),
        "smape": lambda: 200 * losses.smape(together, ["forecast"]),
        "mase": lambda: losses.mase(frame, ["forecast"], 1, train),
        "rmsse": lambda: losses.rmsse(frame, ["forecast"], 1, train) ** 2,
    }
    mean = float(of_all[measure]()["forecast"].mean())
    return mean**0.5 if measure == "rmsse" else mean


@pytest.mark.parametrize("measure", ["me", "mae", "rmse", "smape", "mase", "rmsse"])
@pytest.mark.parametrize("variable", REAL)
def test_a_score_equals_that_of_utilsforecast(variable, measure):
    rows, spec = real(variable)
    scores = run(rows, spec).variables[0].scores[..., MEASURES.index(measure)]
    for row, forecaster in enumerate(resolve(REFERENCE).forecasters):
        for ahead in range(1, HORIZON + 1):
            expected = of_peer(measure, judged(forecaster, rows, spec, ahead), rows)
            assert scores[row, ahead - 1] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("alpha", [0.05, 0.3, 0.75, 1.0])
@pytest.mark.parametrize("variable", REAL)
def test_exponential_smoothing_with_one_alpha_equals_that_of_statsmodels(variable, alpha):
    rows, spec = real(variable)
    forecasts = quoted(SimpleExponentialSmoothing(alphas=(alpha,)), rows, spec)
    for count in list(forecasts)[::50]:
        expected = smoothed_by_statsmodels(rows.values[:count], alpha).forecast(HORIZON)
        np.testing.assert_allclose(forecasts[count], expected, rtol=1e-10)


@pytest.mark.parametrize("variable", REAL)
def test_the_alpha_chosen_has_the_least_error_in_statsmodels_too(variable):
    rows, spec = real(variable)
    forecasts = quoted(SimpleExponentialSmoothing(), rows, spec)
    for count in list(forecasts)[::90]:
        fits = [smoothed_by_statsmodels(rows.values[:count], step / 20) for step in range(1, 21)]
        best = min(fits, key=lambda fit: float(fit.sse))
        np.testing.assert_allclose(forecasts[count], best.forecast(HORIZON), rtol=1e-10)


def smoothed_by_statsmodels(values: np.ndarray, alpha: float) -> Any:
    from statsmodels.tsa.holtwinters import SimpleExpSmoothing

    model = SimpleExpSmoothing(values, initialization_method="known", initial_level=values[0])
    return model.fit(smoothing_level=alpha, optimized=False)


@pytest.mark.parametrize("variable", REAL)
def test_drift_equals_a_plain_loop(variable):
    rows, spec = real(variable)
    numbers = rows.values.tolist()
    for count, points in quoted(Drift(), rows, spec).items():
        steps = [after - before for before, after in pairwise(numbers[:count])]
        ahead = [numbers[count - 1] + h * sum(steps) / len(steps) for h in range(1, HORIZON + 1)]
        np.testing.assert_allclose(points, ahead, rtol=1e-11)


@pytest.mark.parametrize("variable", REAL)
def test_mean_equals_a_plain_loop(variable):
    rows, spec = real(variable)
    for count, points in quoted(Mean(), rows, spec).items():
        np.testing.assert_allclose(points, sum(rows.values[:count].tolist()) / count, rtol=1e-11)
