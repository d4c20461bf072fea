"""Runs of the core with fakes, and what they leave behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import attrs
import numpy as np

from pulse_core import BUILT_IN, Forecaster, Observations, RetrodictionTraining, RunFailed, RunResult, RunSpec
from pulse_core.backtest.variable import histories_of
from pulse_core.data.known_at import resolve_known_at
from pulse_core.data.point_in_time import point_in_time
from pulse_core.forecasters.double_seasonal import DoubleSeasonal
from pulse_core.forecasters.registry import SEASONAL
from pulse_core.results import Record
from pulse_core.tables import Column, Labels
from tests.backtests import KeptBacktest, kept_backtests
from tests.fakes import FakeBackend, FakeSink, FakeStore
from tests.reference import FORECASTS
from tests.strategies import ALL_NAMES, SEASON

REFERENCE = tuple(FORECASTS)
FORECASTERS: tuple[Forecaster, ...] = (
    *BUILT_IN,
    *(make(SEASON) for make in SEASONAL.values()),
    DoubleSeasonal(seasons=(SEASON, SEASON + 1)),
)
"""Those that see histories and need nothing else."""
FIRST_DAY = date(2020, 1, 1)


def day(number: int) -> np.datetime64:
    """The midnight that many days after the first."""
    return np.datetime64(FIRST_DAY, "us") + np.timedelta64(number, "D")


def series(values: Iterable[float], variable: str = "x", first: int = 0) -> Observations:
    """One value a day."""
    numbers = list(values)
    return Observations(variable, [day(first + number) for number in range(len(numbers))], numbers)


def known(rows: Iterable[tuple[int, float, int]], variable: str = "x") -> Observations:
    """Rows of (day of the timestamp, value, day on which it became known)."""
    listed = list(rows)
    return Observations(
        variable,
        np.array([day(stamp) for stamp, _, _ in listed], dtype="datetime64[us]"),
        [value for _, value, _ in listed],
        np.array([day(moment) for _, _, moment in listed], dtype="datetime64[us]"),
    )


def spec_of(*variables: str, days: int = 60, **fields: Any) -> RunSpec:
    """A spec that takes every day of a short series into the period, with small batches."""
    end = FIRST_DAY if days < 1 else date.fromordinal(FIRST_DAY.toordinal() + days - 1)
    small: dict[str, Any] = {"batch_size_days": 7, "horizon": 2, "min_history": 2, "forecasters": ALL_NAMES}
    small["season"] = None
    return RunSpec(variables=variables or ("x",), start=FIRST_DAY, end=end, **small | fields)


def training(*observations: Observations, **fields: Any) -> RetrodictionTraining:
    """The use case over these variables, with fakes of every port that is not given."""
    store = FakeStore({member.variable: member for member in observations})
    ports: dict[str, Any] = {"store": store, "backend": FakeBackend(), "sink": FakeSink()}
    return RetrodictionTraining(**ports | fields)


def run(observations: Observations | Sequence[Observations], spec: RunSpec, **fields: Any) -> RunResult:
    """Train these variables; one that fails is left out. Raises RunFailed where all of them do."""
    members = [observations] if isinstance(observations, Observations) else observations
    return training(*members, keep_going=True, **fields).execute(spec)


def ended(observations: Observations | Sequence[Observations], spec: RunSpec, **fields: Any) -> RunResult:
    """How a run ends, also one in which data were missing or too few; nothing else may fail."""
    members = [observations] if isinstance(observations, Observations) else observations
    try:
        result = training(*members, keep_going=True, **fields).execute(spec)
    except RunFailed as failed:
        result = failed.result
    assert {failure.kind for failure in result.failures} <= {"TooLittleData", "VariableNotFound"}, result.failures
    return result


def backtested(
    observations: Observations | Sequence[Observations], spec: RunSpec, *custom: Forecaster
) -> KeptBacktest | None:
    """What the backtest of the first of these variables comes to; None where there was none."""
    members = [observations] if isinstance(observations, Observations) else observations
    with kept_backtests() as backtests:
        ended(members, attrs.evolve(spec, variables=(members[0].variable,)), forecasters=custom)
    return backtests.get(members[0].variable)


def records_of(sink: FakeSink) -> dict[str, Record]:
    """All records, single ones and packed ones, by key."""
    return {**sink.records, **{key: record for (_, key), record in sink.packed.items()}}


Row = tuple[Any, ...]


def table(sink: FakeSink, name: str) -> dict[Row, dict[str, Any]]:
    """A table that workers wrote: by variable, forecaster, horizon and moment or batch (if any), each column's bits."""
    cells = 3 if name == "scores" else 4
    rows: dict[Row, dict[str, Any]] = {}
    for (_, part), goes in sink.parts.items():
        for columns in goes if part.startswith(f"{name}/") else ():
            bits = {column: bits_of(values) for column, values in columns.items()}
            for row, key in enumerate(zip(*list(bits.values())[:cells], strict=True)):
                assert key not in rows
                rows[key] = {column: values[row] for column, values in bits.items()}
    return rows


def parts_of(sink: FakeSink, run_id: str) -> dict[str, list[dict[str, list[Any]]]]:
    """The parts of a run, by name, go by go, as bits."""
    return {
        name: [{column: bits_of(values) for column, values in columns.items()} for columns in goes]
        for (run, name), goes in sorted(sink.parts.items())
        if run == run_id
    }


def bits_of(column: Column) -> list[Any]:
    """Numbers as their bits, all else as it is."""
    if isinstance(column, Labels):
        return [column.names[code] for code in column.codes.tolist()]
    return [value.tobytes() for value in column] if column.dtype.kind == "f" else column.tolist()


def quotes(
    observations: Observations | Sequence[Observations], spec: RunSpec, *custom: Forecaster
) -> dict[Row, dict[str, Any]]:
    """The table of the first variable's hindcasts, by (variable, forecaster, horizon, moment)."""
    members = [observations] if isinstance(observations, Observations) else observations
    sink = FakeSink()
    ended(members, attrs.evolve(spec, variables=(members[0].variable,)), sink=sink, forecasters=custom, hindcasts=True)
    return table(sink, "hindcasts")


def in_units(measure: str) -> bool:
    """Whether a measure has the units of the data."""
    scales = {"me", "mae", "rmse", "crps", "mean_quantile_loss", "interval_score"}
    return measure in scales or measure.startswith(("pinball_", "width_"))


def hindcasts(
    forecaster: Forecaster, observations: Observations, spec: RunSpec, *predictors: Observations
) -> dict[np.datetime64, bytes]:
    """The bits that a forecaster quotes at each origin, those before the period too, in the data's own units."""
    rows, *predictor_rows = (
        resolve_known_at(series, spec.known_at, spec.last_day).known for series in (observations, *predictors)
    )
    point = point_in_time(rows, spec, predictor_rows)
    with np.errstate(all="ignore"):
        forecasts = np.ldexp(forecaster.hindcast(histories_of(point), spec.horizon), point.exponent)
    return {moment: row.tobytes() for moment, row in zip(point.origin_known_at, forecasts, strict=True)}


def failures(*observations: Observations, spec: RunSpec, **fields: Any) -> dict[str, str]:
    """The failures of a run, by variable, as a reader sees them."""
    try:
        result = training(*observations, keep_going=True, **fields).execute(spec)
    except RunFailed as failed:
        result = failed.result
    return {failure.variable: str(failure) for failure in result.failures}
