"""Forecasting, the use case behind `pulse forecast`: what a trained run says of the steps that come next.

A run's learners are where its rows have brought them, so they are brought to the newest rows by the same pass, from the
same start: what is forecast at the newest moment is the hindcast of an origin whose targets lie ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache, partial

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import floats, in_units, integers, moments, names, variable_names
from pulse_core.backtest.hindcasts import forecast_rows
from pulse_core.backtest.variable import Backtest, backtest, histories_of
from pulse_core.data.calendars import calendar_of
from pulse_core.data.known_at import KnownRows, resolve_known_at
from pulse_core.data.observations import Moments, Observations
from pulse_core.data.point_in_time import PointInTime, point_in_time
from pulse_core.data.zones import UTC
from pulse_core.errors import HistoryChanged, InvalidSpec
from pulse_core.forecasters.base import Forecaster, Values
from pulse_core.forecasters.registry import ForecasterSet, resolve
from pulse_core.ports import DataStore, ResultSink, reading
from pulse_core.results import ByContent, Failure
from pulse_core.runs.attempts import attempt
from pulse_core.runs.per_origin_hindcasts import PerOriginHindcasts
from pulse_core.runs.summary import standing
from pulse_core.spec import RunSpec


@attrs.frozen(eq=False)
class VariableForecast(ByContent):
    """What every forecaster says of a variable's next steps, as of the newest moment at which rows became known.

    `known_at` is that moment, `timestamp` the newest then known, `targets` (horizon,) the timestamps to come by the
    variable's calendar, NaT where it keeps to none. `point` and the ensemble's `weights` are (forecaster, horizon),
    `quantiles` (level, forecaster, horizon) in the order of LEVELS, `trust` (forecaster, horizon, value) in that of
    TRUST, `verdicts` (forecaster, horizon) codes of scores.verdict; NaN where there is none. `fresh` counts the rows
    that were not known by the run's end. Moments are UTC; `zone` is the time zone of the calendar.
    """

    variable: str
    forecasters: tuple[str, ...] = attrs.field(converter=names)
    known_at: np.datetime64
    timestamp: np.datetime64
    targets: Moments = attrs.field(converter=moments)
    point: Values = attrs.field(converter=floats)
    quantiles: Values = attrs.field(converter=floats)
    weights: Values = attrs.field(converter=floats)
    benchmark: str
    span: int
    trust: Values = attrs.field(converter=floats)
    verdicts: NDArray[np.int64] = attrs.field(converter=integers)
    fresh: int = 0
    zone: str = UTC


@attrs.frozen
class Forecasts:
    """The forecasts of a run's variables in name order, and those that could not be made."""

    variables: tuple[VariableForecast, ...]
    failures: tuple[Failure, ...] = ()


@attrs.frozen
class Trained:
    """What a finished run says of itself: its spec, and the fingerprint of the rows known by its end, by variable."""

    spec: RunSpec
    fingerprints: Mapping[str, str]


@attrs.frozen(kw_only=True)
class Forecasting:
    """Brings a run's learners to the newest rows, and forecasts.

    `forecasters` are those of the caller that the run had, beside the built-in ones. `sink` is where the run recorded
    the hindcasts of forecasters that are called origin by origin; others are added to it. Rows known by the run's end
    must be those it was trained on, unless `allow_changed_history`.
    """

    store: DataStore
    sink: ResultSink
    forecasters: tuple[Forecaster, ...] = ()
    allow_changed_history: bool = False

    def execute(self, trained: Trained, as_of: date, variables: Sequence[str] = ()) -> Forecasts:
        """Forecast from all rows known by the end of a day, which is not before the run's last.

        Of the variables that were trained, or some of them. Raises InvalidSpec for a variable that was not, or a day
        before the run's end, KernelUnavailable where the kernel cannot be loaded.
        """
        selected = _selected(trained, as_of, variable_names(variables))
        forecasters = resolve(trained.spec.forecasters, self.forecasters, simple=trained.spec.simple)
        predictors = [name for name in trained.spec.predictors if name not in selected]
        with reading(self.store, [*selected, *predictors]) as store:
            read = cache(partial(self._rows, store, trained, as_of))
            forecasts = attempt(selected, partial(self._forecast, read, trained.spec, forecasters))
        failures = tuple(forecasts.failures[name] for name in sorted(forecasts.failures))
        return Forecasts(tuple(forecasts.values.values()), failures)

    def _rows(self, store: DataStore, trained: Trained, as_of: date, variable: str) -> KnownRows:
        """Return the rows known by a day. Raises HistoryChanged where those of the run are not among them."""
        spec = trained.spec
        observations = store.read(variable)
        rows = resolve_known_at(observations, spec.known_at, as_of).by(as_of)
        expected = trained.fingerprints.get(variable)
        if self.allow_changed_history or expected is None:
            return rows
        if f"sha256:{rows.by(spec.last_day).known.fingerprint()}" != expected:
            raise _changed(observations, rows, spec)
        return rows

    def _forecast(
        self, read: Callable[[str], KnownRows], trained: RunSpec, forecasters: ForecasterSet, variable: str
    ) -> VariableForecast:
        rows = read(variable)
        predictors = [read(name).known for name in trained.predictors if name != variable]
        spec = _to_newest(trained, rows)
        origins = point_in_time(rows.known, spec, predictors)
        point = with_newest(origins, rows.known)
        hindcasts = PerOriginHindcasts(spec, self.sink, rows, origins)
        per_origin = {
            forecaster.name: _with_newest_rows(hindcasts, forecaster, point) for forecaster in forecasters.per_origin
        }
        fresh = len(rows.known) - len(rows.by(trained.last_day).known)
        return _variable_forecast(point, spec, backtest(point, spec, forecasters, per_origin), fresh)


def _selected(trained: Trained, as_of: date, variables: Sequence[str]) -> list[str]:
    spec = trained.spec
    problems = [f"variables: the run did not train '{name}'" for name in variables if name not in spec.variables]
    if as_of < spec.last_day:
        problems.append(f"as_of: {as_of} is before the run's last day, {spec.last_day}")
    if problems:
        raise InvalidSpec(problems)
    return sorted(set(variables) or trained.fingerprints)


def _to_newest(spec: RunSpec, rows: KnownRows) -> RunSpec:
    """Return the spec that ends with the newest row's day: on a later day trust would have faded a little more."""
    known = rows.known
    newest = known.releases[-1] if len(known) else np.datetime64(spec.last_day, "us")
    last = max(newest.astype("datetime64[D]").item(), spec.start)
    return attrs.evolve(spec, end=last, batch_limit=None)


def _with_newest_rows(hindcasts: PerOriginHindcasts, forecaster: Forecaster, point: PointInTime) -> Values:
    """Return a forecaster's rows at each origin of `point`; see forecast_rows. Raises ForecasterFailed.

    What it says of a moment that is no origin is not recorded: a batch's record holds its origins.
    """
    rows = hindcasts.all(forecaster)
    beyond = np.arange(rows.shape[1], len(point.origin_step))
    if not len(beyond):
        return rows
    newest = forecast_rows(forecaster, histories_of(point).select(beyond), hindcasts.spec.horizon)
    return np.concatenate([rows, newest], axis=1)


def with_newest(point: PointInTime, known: Observations) -> PointInTime:
    """Add the newest moment as an origin where it is none: rows that only revise leave the steps ahead the same.

    Nothing is learned from it, and it comes last, so that what stood before it stays as it is.
    """
    moment = known.releases[-1]
    if point.origin_known_at[-1] == moment:
        return point
    last = len(point.paths) - 1
    return attrs.evolve(
        point,
        origin_known_at=np.append(point.origin_known_at, moment),
        origin_path=np.append(point.origin_path, last),
        origin_length=np.append(point.origin_length, len(point.paths[last])),
        origin_step=np.append(point.origin_step, len(point.step_timestamp) - 1),
    )


def _variable_forecast(point: PointInTime, spec: RunSpec, backtested: Backtest, fresh: int) -> VariableForecast:
    """Return what stands at the newest origin, with the trust that the outcomes known by then have earned."""
    record, newest = backtested.record, backtested.newest
    _, trust, verdicts = standing(record, spec)
    timestamp = _newest_timestamp(point)
    calendar = calendar_of(np.sort(point.step_timestamp))
    unknown = np.full(spec.horizon, "NaT", "datetime64[us]")
    return VariableForecast(
        variable=point.variable,
        forecasters=record.forecasters,
        known_at=point.origin_known_at[-1],
        timestamp=timestamp,
        targets=unknown if calendar is None else calendar.after(timestamp, spec.horizon),
        point=in_units(newest.points, point.exponent),
        quantiles=in_units(newest.quantiles, point.exponent),
        weights=newest.weights,
        benchmark=record.benchmark,
        span=record.span,
        trust=trust,
        verdicts=verdicts,
        fresh=fresh,
        zone=UTC if calendar is None else calendar.zone,
    )


def _newest_timestamp(point: PointInTime) -> np.datetime64:
    """Return the newest timestamp that is known now: one that was retracted is not."""
    known = np.flatnonzero(~np.isnan(point.step_latest))
    newest: np.datetime64 = point.step_timestamp[known[-1] if len(known) else -1]
    return newest


def _changed(observations: Observations, rows: KnownRows, spec: RunSpec) -> HistoryChanged:
    """Say how the rows known by a run's end are not those it was trained on."""
    as_then = resolve_known_at(observations, spec.known_at, spec.last_day)
    context = observations.source or f"variable '{observations.variable}'"
    if as_then.rule != rows.rule:
        message = (
            f"with the new rows the dates read as known by '{rows.rule}', up to {spec.last_day} by '{as_then.rule}'"
        )
        return HistoryChanged(message, context, "Train again with a known_at rule, or allow changed history")
    count = len(rows.by(spec.last_day).known)
    message = f"the {count} rows known by the run's end, {spec.last_day}, are not those it was trained on"
    return HistoryChanged(message, context, "Train again, or allow changed history: the learners learn from these rows")
