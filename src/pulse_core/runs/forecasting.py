"""Forecasting, the use case behind `pulse forecast`: what a trained run says of the steps that come next.

A run's learners are where its rows have brought them, so they are brought to the newest rows by the same replay, from
the same start: what is quoted at the newest moment is the hindcast of an origin whose targets lie ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Final, cast

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import floats, moments, names
from pulse_core.backtest.calibration import LEVELS
from pulse_core.backtest.companies import companies
from pulse_core.backtest.evaluation import evaluate
from pulse_core.backtest.hindcasting import quoted_by
from pulse_core.backtest.histories import of_origins
from pulse_core.data.calendars import calendar_of
from pulse_core.data.observations import KnownRows, Moments, Observations, resolve_known_at
from pulse_core.data.point_in_time import PointInTime, point_in_time
from pulse_core.errors import ForecasterFailed, HistoryChanged, InvalidSpec
from pulse_core.forecasters.base import Forecaster
from pulse_core.forecasters.registry import ForecasterSet, resolve
from pulse_core.plan import batch_count
from pulse_core.ports import DataStore, ResultSink, reading
from pulse_core.results import TRUST, ByContent, Failure, VariableResult
from pulse_core.runs.per_origin import SlowHindcasts
from pulse_core.runs.summary import trusted
from pulse_core.runs.variables import each
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns, Labels

Array = NDArray[np.float64]

MOST_ORIGINS: Final = 50_000
"""How many origins are replayed side by side: some 200 MiB with all built-in forecasters and five horizons."""


@attrs.frozen(eq=False)
class VariableForecast(ByContent):
    """What every forecaster says of a variable's next steps, as of the newest moment at which rows became known.

    `known_at` is that moment, `timestamp` the newest then known, `targets` (horizon,) the timestamps to come by the
    variable's calendar, NaT where it keeps to none. `point` and the ensemble's `weights` are (forecaster, horizon),
    `quantiles` (level, forecaster, horizon) in the order of LEVELS, `trust` (forecaster, horizon, 5) in that of TRUST;
    NaN where there is none. `fresh` counts the rows that were not known by the run's end.
    """

    variable: str
    forecasters: tuple[str, ...] = attrs.field(converter=names)
    known_at: np.datetime64
    timestamp: np.datetime64
    targets: Moments = attrs.field(converter=moments)
    point: Array = attrs.field(converter=floats)
    quantiles: Array = attrs.field(converter=floats)
    weights: Array = attrs.field(converter=floats)
    trust: Array = attrs.field(converter=floats)
    fresh: int = 0


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
    """Brings a run's learners to the newest rows, and quotes.

    `forecasters` are those of the caller that the run had, beside the built-in ones. `sink` is where the run recorded
    the hindcasts of slow forecasters; others are added to it. Rows known by the run's end must be those it was trained
    on, unless `allow_changed_history`.
    """

    store: DataStore
    sink: ResultSink
    forecasters: tuple[Forecaster, ...] = ()
    allow_changed_history: bool = False

    def execute(self, trained: Trained, as_of: date, variables: Sequence[str] = ()) -> Forecasts:
        """Forecast from all rows known by the end of a day, which is not before the run's last.

        Of the variables that were trained, or some of them. Raises InvalidSpec for a variable that was not, or a day
        before the run's end.
        """
        chosen = self._chosen(trained, as_of, variables)
        roster = resolve(trained.spec.roster, self.forecasters)
        failures: dict[str, Failure] = {}
        read_once: dict[str, KnownRows] = {}
        wanted = [*chosen, *(name for name in trained.spec.predictors if name not in chosen)]
        with reading(self.store, wanted) as store:
            begin = partial(self._begin, store=store, trained=trained, as_of=as_of, read_once=read_once)
            ready = list(each(chosen, begin, failures))
        made: dict[str, VariableForecast] = {}
        begun = (one for _, one in ready)
        for company in companies(begun, lambda one: len(one.newest.origin_step), MOST_ORIGINS):
            made.update(self._company(company, roster, failures))
        return Forecasts(tuple(made[name] for name in sorted(made)), tuple(failures[name] for name in sorted(failures)))

    def _chosen(self, trained: Trained, as_of: date, variables: Sequence[str]) -> list[str]:
        spec = trained.spec
        problems = [f"variables: the run did not train '{name}'" for name in variables if name not in spec.variables]
        if as_of < spec.last_day:
            problems.append(f"as_of: {as_of} is before the run's last day, {spec.last_day}")
        if problems:
            raise InvalidSpec(problems)
        return sorted(variables or trained.fingerprints)

    def _begin(
        self, variable: str, *, store: DataStore, trained: Trained, as_of: date, read_once: dict[str, KnownRows]
    ) -> _Begun:
        rows = self._checked(variable, store, trained, as_of)
        for name in trained.spec.predictors:
            if name not in read_once:
                read_once[name] = self._checked(name, store, trained, as_of)
        known = rows.known
        others = [read_once[name].known for name in trained.spec.predictors if name != variable]
        newest = known.releases[-1] if len(known) else np.datetime64(trained.spec.last_day, "us")
        # a day after the newest row would be one on which everybody has forgotten a little more
        last = max(newest.astype("datetime64[D]").item(), trained.spec.start)
        spec = attrs.evolve(trained.spec, end=last, batch_limit=None)
        point = point_in_time(known, spec, others)
        fresh = len(known) - len(rows.by(trained.spec.last_day).known)
        return _Begun(spec, rows, point, with_newest(point, known), fresh)

    def _checked(self, variable: str, store: DataStore, trained: Trained, as_of: date) -> KnownRows:
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

    def _company(
        self, company: Sequence[_Begun], roster: ForecasterSet, failures: dict[str, Failure]
    ) -> Iterator[tuple[str, VariableForecast]]:
        """Forecast variables side by side; where a forecaster fails, each alone: the failure is its own."""
        try:
            for made in self._forecast(company, roster):
                yield made.variable, made
        except ForecasterFailed as error:
            if len(company) == 1:
                failures[company[0].variable] = Failure.of(company[0].variable, error)
                return
            for one in company:
                yield from self._company([one], roster, failures)

    def _forecast(self, company: Sequence[_Begun], roster: ForecasterSet) -> list[VariableForecast]:
        given = {
            slow.name: np.concatenate([one.slow_hindcasts(slow, self.sink) for one in company], axis=1)
            for slow in roster.per_origin
        }
        quoted = [_Quoted(place, begun, roster) for place, begun in enumerate(company)]

        def write(columns: Columns) -> None:
            for one in quoted:
                one.take(columns)

        results = evaluate([one.newest for one in company], company[0].spec, roster, given, write)
        return [one.made(result) for one, result in zip(quoted, results, strict=True)]


@attrs.frozen
class _Begun:
    """A variable that was read: the spec to its newest day, its rows, and what was known when.

    `point` has the origins that a run would have; `newest` ends with the newest moment, be it one or not.
    """

    spec: RunSpec
    rows: KnownRows
    point: PointInTime
    newest: PointInTime
    fresh: int

    @property
    def variable(self) -> str:
        """Its name."""
        return self.point.variable

    def slow_hindcasts(self, forecaster: Forecaster, sink: ResultSink) -> Array:
        """Return what a slow forecaster quotes at each origin; see quoted_by. Raises ForecasterFailed.

        What it says of a moment that is no origin is not recorded: a batch's record holds its origins.
        """
        made = SlowHindcasts(self.spec, sink, self.rows, self.point).all(forecaster)
        beyond = np.arange(made.shape[1], len(self.newest.origin_step))
        if not len(beyond):
            return made
        said = quoted_by(forecaster, of_origins(self.newest, beyond), self.spec.horizon)
        return np.concatenate([made, said], axis=1)


def with_newest(point: PointInTime, known: Observations) -> PointInTime:
    """Add the newest moment as an origin where it is none: rows that only revise leave the steps ahead the same.

    Nothing is learned from it, and it comes last, so that what is quoted before it stays as it is.
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


class _Quoted:
    """Gathers what is quoted of one variable at its newest moment from the rows of a HindcastTable."""

    def __init__(self, place: int, begun: _Begun, roster: ForecasterSet) -> None:
        self._place, self._begun, self._roster = place, begun, roster
        shape = (len(roster.names), begun.spec.horizon)
        self._columns = {
            name: np.full(shape, np.nan) for name in ("point", *(f"q{level}" for level in LEVELS), "weight", "trust")
        }

    def take(self, columns: Columns) -> None:
        """Take the rows of the newest moment from those of a stretch."""
        variable, forecaster = cast("Labels", columns["variable"]), cast("Labels", columns["forecaster"])
        moment = self._begun.newest.origin_known_at[-1]
        mine = np.flatnonzero((variable.codes == self._place) & (np.asarray(columns["known_at"]) == moment))
        at = forecaster.codes[mine], np.asarray(columns["horizon"])[mine].astype(np.int64) - 1
        for name, gathered in self._columns.items():
            gathered[at] = np.asarray(columns[name])[mine]

    def made(self, result: VariableResult) -> VariableForecast:
        """Return the forecast, with the trust that the outcomes known by then have earned."""
        begun, newest = self._begun, self._begun.newest
        trust = trusted(result, begun.spec, batch_count(begun.spec))
        # as a hindcast at this moment bears it, to the bit
        trust[..., TRUST.index("mean")] = self._columns["trust"]
        timestamp = newest.step_timestamp[-1]
        calendar = calendar_of(np.sort(newest.step_timestamp))
        horizon = begun.spec.horizon
        return VariableForecast(
            variable=begun.variable,
            forecasters=self._roster.names,
            known_at=newest.origin_known_at[-1],
            timestamp=timestamp,
            targets=np.full(horizon, "NaT", "datetime64[us]")
            if calendar is None
            else calendar.after(timestamp, horizon),
            point=self._columns["point"],
            quantiles=np.stack([self._columns[f"q{level}"] for level in LEVELS]),
            weights=self._columns["weight"],
            trust=trust,
            fresh=begun.fresh,
        )


def _changed(observations: Observations, rows: KnownRows, spec: RunSpec) -> HistoryChanged:
    """Say how the rows known by a run's end are not those it was trained on."""
    as_then = resolve_known_at(observations, spec.known_at, spec.last_day)
    place = observations.source or f"variable '{observations.variable}'"
    if as_then.rule != rows.rule:
        message = (
            f"with the new rows the dates read as known by '{rows.rule}', up to {spec.last_day} by '{as_then.rule}'"
        )
        return HistoryChanged(message, place, "Train again with a known_at rule, or allow changed history")
    count = len(rows.by(spec.last_day).known)
    message = f"the {count} rows known by the run's end, {spec.last_day}, are not those it was trained on"
    return HistoryChanged(
        message, place, "Train again, or allow changed history: the learners then learn from these rows"
    )
