"""Forecasts as flat rows, for CSV and JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs
import numpy as np

from pulse_adapters.published.result_reader import PublishedRun
from pulse_core.data.zones import UTC, iso_in_zone, local
from pulse_core.levels import LEVELS
from pulse_core.results import TRUST
from pulse_core.runs.forecasting import Forecasts, VariableForecast
from pulse_core.scores.verdict import VERDICTS

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
    "benchmark",
    "trust",
    "span",
    "n_effective",
    "verdict",
    "log10_e",
    "log10_e_against",
)


def rows(forecasts: Forecasts, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield a row for each variable, forecaster and horizon that has a forecast, in the order of COLUMNS.

    A forecaster that a variable cannot use has none. `target` is the next timestamp by the variable's calendar, None
    without one.
    """
    for variable in forecasts.variables:
        for row in rows_of(variable, names):
            for ahead in range(variable.point.shape[1]):
                if math.isfinite(variable.point[row, ahead]):
                    yield _row(variable, row, ahead)


def rows_of(variable: VariableForecast, names: Sequence[str]) -> list[int]:
    """Return the rows of the named forecasters, those left out that the variable cannot use: it has no season."""
    return [variable.forecasters.index(name) for name in names if name in variable.forecasters]


def _row(variable: VariableForecast, row: int, ahead: int) -> dict[str, Any]:
    return {
        "variable": variable.variable,
        "forecaster": variable.forecasters[row],
        "horizon": ahead + 1,
        "known_at": moment(variable.known_at),
        "timestamp": moment(variable.timestamp, variable.zone),
        "target": moment(variable.targets[ahead], variable.zone),
        "point": number(variable.point[row, ahead]),
        **{name: number(variable.quantiles[level, row, ahead]) for level, name in enumerate(QUANTILES)},
        "weight": number(variable.weights[row, ahead]),
        "benchmark": variable.benchmark,
        "trust": shown(variable, "probability", row, ahead),
        "span": variable.span,
        "n_effective": shown(variable, "n_effective", row, ahead),
        "verdict": verdict(variable, row, ahead),
        "log10_e": shown(variable, "log10_e", row, ahead),
        "log10_e_against": shown(variable, "log10_e_against", row, ahead),
    }


def shown(variable: VariableForecast, name: str, row: int, ahead: int) -> float | None:
    """Return one of TRUST, as it stood at the newest origin, of a forecaster (row) at a horizon (from 0)."""
    return number(variable.trust[row, ahead, TRUST.index(name)])


def verdict(variable: VariableForecast, row: int, ahead: int) -> str | None:
    """Return the name of the verdict; None for the benchmark."""
    if variable.forecasters[row] == variable.benchmark:
        return None
    return VERDICTS[int(variable.verdicts[row, ahead])]


def document(forecasts: Forecasts, names: Sequence[str], run: PublishedRun) -> dict[str, Any]:
    """Return the forecasts, the run and the failures as one JSON document."""
    return {
        "schema_version": 1,
        "run": run.run_id,
        "digest": run.document.digest,
        "target": run.spec.target,
        "benchmark": run.spec.benchmark,
        "forecasts": list(rows(forecasts, names)),
        "rows_after_the_run": {variable.variable: variable.fresh for variable in forecasts.variables},
        "failures": [attrs.asdict(failure) for failure in forecasts.failures],
    }


def moment(value: np.datetime64, zone: str = UTC) -> str | None:
    """Return a moment as a zone's clocks show it, in UTC a day where it is midnight; None for no moment."""
    if np.isnat(value):
        return None
    if zone != UTC:
        return iso_in_zone(value, zone)
    day = value.astype("datetime64[D]")
    return str(day) if day == value else f"{value}Z"


def clock_text(value: np.datetime64, zone: str) -> str | None:
    """Return a moment by a zone's clocks without the offset, as a day where that is midnight; None for no moment."""
    if np.isnat(value):
        return None
    return str(moment(local(np.array([value]), zone)[0])).removesuffix("Z").removesuffix(".000000")


def number(value: Any) -> float | None:
    """Return a finite number as it is, else None."""
    return float(value) if math.isfinite(value) else None
