"""The peer's side, run by an interpreter that has statsforecast: jobs from a file, seconds and forecasts into another.

A job is a model, the series (time, variable) it takes, and the origins: `count` of them, `step` apart, the last
`horizon` values before the end. Each is refitted at every origin in one process. This script imports nothing of Pulse.
"""

from __future__ import annotations

import pickle
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import statsforecast
from statsforecast import StatsForecast, models
from statsforecast.theta import auto_theta, forecast_theta


def model_of(job: dict[str, Any]) -> Any:
    return getattr(models, job["model"])(**job["parameters"])


def frame_of(values: Any) -> Any:
    points, count = values.shape
    names, times = np.repeat(np.arange(count), points), np.tile(np.arange(points), count)
    return pd.DataFrame({"unique_id": names, "ds": times, "y": values.T.ravel()})


def cross_validate(job: dict[str, Any], values: Any, count: int) -> tuple[float, Any]:
    """Return the CPU seconds of `cross_validation` alone, and its forecasts (variable, origin, horizon)."""
    model, frame = model_of(job), frame_of(values)
    machine = StatsForecast(models=[model], freq=1, n_jobs=1)
    started = time.process_time()
    table = machine.cross_validation(df=frame, h=job["horizon"], n_windows=count, step_size=job["step"], refit=True)
    seconds = time.process_time() - started
    table = table.sort_values(["unique_id", "cutoff", "ds"])
    column = next(name for name in table.columns if name not in {"unique_id", "cutoff", "ds", "y", "index"})
    return seconds, table[column].to_numpy(dtype=float).reshape(values.shape[1], count, job["horizon"])


def standard_theta(job: dict[str, Any]) -> Any:
    """Return the forecasts of the standard theta model with a fixed alpha and the level that METHOD's formula implies.

    It forecasts l_n + (A (1-alpha)^n + B (1 - (1-alpha)^(n+1))/alpha)/2 one step ahead, A and B the least-squares
    intercept and slope, from a free starting level l_0. With l_0 = y_1 - (A + B)/2 that is METHOD's formula.
    """
    values, alpha, horizon = job["values"], job["parameters"]["alpha"], job["horizon"]
    last = len(values) - horizon
    lengths = [last - job["step"] * window for window in range(job["count"] - 1, -1, -1)]

    def forecast(history: Any) -> Any:
        times = np.arange(len(history)) - (len(history) - 1) / 2
        middle, slope = np.polynomial.polynomial.polyfit(times, history, 1)
        level = float(history[0] - (middle - slope * (len(history) - 1) / 2) / 2)
        return forecast_theta(auto_theta(history, m=1, model="STM", initial_smoothed=level, alpha=alpha), horizon)[
            "mean"
        ]

    return np.array([[forecast(column[:length].copy()) for length in lengths] for column in values.T])


def answer(job: dict[str, Any]) -> tuple[float, Any]:
    if job["model"] == "STM":
        return 0.0, standard_theta(job)
    values = job["values"]
    cross_validate({**job, "step": 1}, values[-90:, :1], 2)  # compiles or loads
    seconds, forecasts = min(
        (cross_validate(job, values, job["count"]) for _ in range(job["repeats"])), key=lambda run: run[0]
    )
    return seconds, forecasts


def main() -> None:
    jobs_file, answers_file = map(Path, sys.argv[1:])
    jobs = pickle.loads(jobs_file.read_bytes())  # noqa: S301  written by the benchmark that starts this script
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # optimisers that stop early say so; the forecasts are compared
        answers = [answer(job) for job in jobs]
    versions = f"statsforecast {statsforecast.__version__}, pandas {pd.__version__}, numpy {np.__version__}"
    answers_file.write_bytes(pickle.dumps((versions, answers)))


if __name__ == "__main__":
    main()
