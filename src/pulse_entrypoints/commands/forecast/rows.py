"""Forecasts as flat rows: what CSV and JSON hold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from pulse_adapters.published.result_reader import PublishedRun
from pulse_core.backtest.calibration import LEVELS
from pulse_core.results import TRUST
from pulse_core.runs.forecasting import Forecasts, VariableForecast

QUANTILES: Final = tuple(f"q{level}" for level in LEVELS)
COLUMNS: Final = (
    "variable",
    "forecaster",
    "horizon",
    "known_at",
    "timestamp",
    "target",
    "point",
    *QUANTILES,
    "weight",
    "trust",
    "trust_low",
    "trust_high",
    "trials",
    "log10_e",
)
_OF_TRUST: Final = dict(zip(COLUMNS[-5:], TRUST, strict=True))


def rows(made: Forecasts, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield a row for each variable, forecaster and horizon that has a forecast, in the order of COLUMNS.

    `target` is the timestamp to come by the variable's calendar; None where there is nothing.
    """
    for one in made.variables:
        for name in names:
            place = one.forecasters.index(name)
            for ahead in range(one.point.shape[1]):
                if math.isfinite(one.point[place, ahead]):
                    yield _row(one, place, ahead)


def _row(one: VariableForecast, place: int, ahead: int) -> dict[str, Any]:
    return {
        "variable": one.variable,
        "forecaster": one.forecasters[place],
        "horizon": ahead + 1,
        "known_at": moment(one.known_at),
        "timestamp": moment(one.timestamp),
        "target": moment(one.targets[ahead]),
        "point": number(one.point[place, ahead]),
        **{name: number(one.quantiles[level, place, ahead]) for level, name in enumerate(QUANTILES)},
        "weight": number(one.weights[place, ahead]),
        **{name: number(one.trust[place, ahead, TRUST.index(of)]) for name, of in _OF_TRUST.items()},
    }


def document(made: Forecasts, names: Sequence[str], run: PublishedRun) -> dict[str, Any]:
    """Return all there is to say as one JSON document."""
    return {
        "schema_version": 1,
        "run": run.run_id,
        "digest": run.document.digest,
        "target": run.spec.target,
        "benchmark": run.spec.benchmark,
        "forecasts": list(rows(made, names)),
        "rows_after_the_run": {one.variable: one.fresh for one in made.variables},
        "failures": [
            {
                "variable": one.variable,
                "kind": one.kind,
                "message": one.message,
                "context": one.context,
                "hint": one.hint,
            }
            for one in made.failures
        ],
    }


def moment(value: np.datetime64) -> str | None:
    """Return a day where the moment is midnight, else the time in UTC; None for none."""
    if np.isnat(value):
        return None
    day = value.astype("datetime64[D]")
    return str(day) if day == value else f"{value}Z"


def number(value: Any) -> float | None:
    """Return a finite number as it is, else None."""
    return float(value) if math.isfinite(value) else None
