"""Forecasts of a run as a table: what `Run.forecast` returns before it becomes a DataFrame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs
import numpy as np

from pulse_core.errors import InvalidSpec, PulseError, SettingsError
from pulse_core.forecasters.registry import ENSEMBLE
from pulse_core.ports import DataStore
from pulse_core.runs.forecasting import Forecasting, Forecasts, Trained
from pulse_core.spec import MAXIMA, RunSpec
from pulse_entrypoints.cli.kinds import DAY
from pulse_entrypoints.commands.forecast.rows import COLUMNS, rows
from pulse_entrypoints.wiring import composition

if TYPE_CHECKING:
    from pulse.run import Run

_ALL: Final = "all"
_TEXTS: Final = ("variable", "forecaster", "benchmark", "verdict")
_MOMENTS: Final = ("known_at", "timestamp", "target")
_COUNTS: Final = ("horizon", "span")


def forecast_table(
    run: Run,
    store: DataStore,
    steps: int | None,
    *,
    variables: str | Sequence[str] | None,
    forecasters: str | Sequence[str] | None,
    as_of: Any,
    allow_changed_history: bool,
) -> Any:
    """Return the forecasts as a pyarrow Table with the columns of `pulse forecast`; see Run.forecast."""
    horizon = run.spec.horizon if steps is None else _steps(steps)
    spec = attrs.evolve(run.spec, horizon=max(horizon, run.spec.horizon))
    names = _forecasters(spec, forecasters)
    forecasting = Forecasting(
        store=store,
        sink=run.sink,
        forecasters=_objects(run, spec),
        allow_changed_history=allow_changed_history,
    )
    day = max(composition.utc_now().date(), spec.last_day) if as_of is None else _day(as_of)
    try:
        forecasts = forecasting.execute(Trained(spec, run.published.fingerprints), day, _listed(variables))
    except InvalidSpec as error:
        raise SettingsError(error.problems) from error
    if forecasts.failures:
        raise _failed(forecasts)
    return _table(forecasts, names, horizon)


def _objects(run: Run, spec: RunSpec) -> tuple[Any, ...]:
    supplied = {forecaster.name for forecaster in run.forecasters}
    others = tuple(name for name in spec.forecasters if name.removesuffix("+quantiles") not in supplied)
    return (*run.forecasters, *composition.forecasters_named(others, spec))


def _steps(steps: Any) -> int:
    if type(steps) is not int or not 1 <= steps <= MAXIMA["horizon"]:
        raise SettingsError([f"steps: expected a whole number from 1 to {MAXIMA['horizon']}, got {steps!r}"])
    return steps


def _day(as_of: Any) -> Any:
    try:
        return DAY.of_python(as_of)
    except ValueError as error:
        raise SettingsError([f"as_of: {error}"]) from error


def _listed(names: str | Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else tuple(names)


def _forecasters(spec: RunSpec, names: str | Sequence[str] | None) -> tuple[str, ...]:
    if names == _ALL:
        return spec.forecasters
    chosen = _listed(names) or (ENSEMBLE,)
    unknown = [name for name in chosen if name not in spec.forecasters]
    if unknown:
        there = ", ".join(spec.forecasters)
        raise SettingsError([f"forecasters: the run has no forecaster '{name}', but {there}" for name in unknown])
    return chosen


def _failed(forecasts: Forecasts) -> PulseError:
    first = forecasts.failures[0]
    others = f", and {len(forecasts.failures) - 1} more" if len(forecasts.failures) > 1 else ""
    return PulseError(f"{first.variable}{others} cannot be forecast: {first.message}", first.context, first.hint)


def _table(forecasts: Forecasts, names: Sequence[str], horizon: int) -> Any:
    """Return the rows as columns; moments are UTC, as everywhere in a run's tables."""
    import pyarrow as pa

    records: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for variable in forecasts.variables:
        for row in rows(Forecasts((variable,)), names):
            if row["horizon"] <= horizon:
                target = variable.targets[row["horizon"] - 1]
                row |= {"known_at": variable.known_at, "timestamp": variable.timestamp, "target": target}
                for name, values in records.items():
                    values.append(row[name])
    return pa.table({name: _array(pa, name, values) for name, values in records.items()})


def _array(pa: Any, name: str, values: list[Any]) -> Any:
    if name in _MOMENTS:
        return pa.array(np.array(values, "datetime64[us]"), pa.timestamp("us", tz="UTC"))
    if name in _TEXTS:
        return pa.array(values, pa.string())
    return pa.array(values, pa.int64() if name in _COUNTS else pa.float64())
