"""One work unit, start to end: read, recall or compute, record, summarise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial
from typing import Final, TypeVar

import attrs
import numpy as np

from pulse_core.errors import MEND_NOT_RECORDED, NOT_RECORDED, ForecasterFailed, NotRecorded, PulseError
from pulse_core.evaluation import evaluate
from pulse_core.forecasters import Roster
from pulse_core.identity import record_key
from pulse_core.plan import Batch, WorkUnit, batches
from pulse_core.point_in_time import PointInTime, point_in_time
from pulse_core.ports import DataStore, ResultSink, Write, reading
from pulse_core.results import DataFacts, Failure, UnitResult, VariableResult
from pulse_core.scores.table import score_columns
from pulse_core.series import KnownRows, resolve_known_at
from pulse_core.slow import SlowHindcasts
from pulse_core.spec import RunSpec
from pulse_core.summary import summarise

MOST_ORIGINS: Final = 50_000
"""How many origins are computed side by side: some 200 MiB with all built-in forecasters and five horizons."""

Made = TypeVar("Made")
Missing = tuple[KnownRows, PointInTime]
"""A variable that is to be computed: its rows, and what was known when."""


@attrs.frozen
class _Begun:
    """A variable that was read: its rows and key, and its record or what one is computed from."""

    rows: KnownRows
    key: str
    source: VariableResult | PointInTime


@attrs.frozen
class Tables:
    """Where workers write their parts of a run's tables: the run, how many units it has, and whether hindcasts too."""

    run_id: str
    units: int
    hindcasts: bool = False

    def part(self, table: str, unit: WorkUnit) -> str:
        """Return the name of a unit's part."""
        return f"{table}/part-{unit.index:05}-of-{self.units:05}"


@attrs.frozen
class ReplayTask:
    """What a worker does with a unit. A variable that fails is reported and harms no other.

    When `fresh`, nothing is recalled, and what is computed takes the place of what is recorded.
    With `recorded_only` a variable that nobody has recorded fails: the task collects and computes none.
    """

    spec: RunSpec
    store: DataStore
    sink: ResultSink
    roster: Roster
    tables: Tables | None = None
    fresh: bool = False
    recorded_only: bool = False

    def __call__(self, unit: WorkUnit) -> UnitResult:
        """Return the unit's summaries, one a variable that succeeded, and its failures."""
        if unit.batch is not None:
            return self._hindcast(unit, batches(self.spec)[unit.batch])
        failures: dict[str, Failure] = {}
        with reading(self.store, unit.variables) as store:
            begun = dict(_each(unit.variables, self._beginning(store), failures))
        results = {name: one.source for name, one in begun.items() if isinstance(one.source, VariableResult)}
        recalled = set(results)
        with self._hindcast_part(unit) as write:
            missing = [one for name, one in begun.items() if name not in recalled]
            for name, result in self._compute(missing, failures, write):
                if self.fresh:
                    self.sink.remove_record(begun[name].key)
                self.sink.record(begun[name].key, result)
                results[name] = result
        finished = _each(results, lambda name: summarise(results[name], _facts(begun[name].rows), self.spec), failures)
        summaries = dict(finished)
        return UnitResult(
            summaries=tuple(summaries.values()),
            failures=tuple(failures[variable] for variable in unit.variables if variable in failures),
            recalled=len(recalled & summaries.keys()),
            computed=len(summaries.keys() - recalled),
            parts=self._write_parts(unit, [results[name] for name in unit.variables if name in summaries]),
        )

    def _hindcast_part(self, unit: WorkUnit) -> AbstractContextManager[Write | None]:
        if self.tables is None or not self.tables.hindcasts:
            return nullcontext()
        return self.sink.part(self.tables.run_id, self.tables.part("hindcasts", unit))

    def _write_parts(self, unit: WorkUnit, results: Sequence[VariableResult]) -> tuple[str, ...]:
        """Write the scores of every batch; return the names of all parts of the unit."""
        if self.tables is None:
            return ()
        names = [self.tables.part("hindcasts", unit)] if self.tables.hindcasts else []
        if results:
            names.append(self.tables.part("scores", unit))
            with self.sink.part(self.tables.run_id, names[-1]) as write:
                write(score_columns(results, self.spec))
        return tuple(names)

    def _read(self, store: DataStore, variable: str) -> KnownRows:
        return resolve_known_at(store.read(variable), self.spec.known_at, self.spec.last_day).by(self.spec.last_day)

    def _beginning(self, store: DataStore) -> Callable[[str], _Begun]:
        """Return what begins a variable; predictors are read once for all of them."""
        read_once = cache(partial(self._read, store))
        return lambda variable: self._begin(
            self._read(store, variable), [read_once(name) for name in self.spec.predictors if name != variable]
        )

    def _begin(self, rows: KnownRows, predictors: Sequence[KnownRows]) -> _Begun:
        key = record_key(self.spec, self.roster, rows, predictors)
        # records hold no hindcasts: where they are asked for, they are made again
        anew = self.fresh or (self.tables is not None and self.tables.hindcasts)
        # what slices do for slow forecasters is their hindcasts; these are looked for when they are put together
        must = self.recorded_only and not self.roster.slow
        record = None if anew and not must else self.sink.recall(key)
        if must and not isinstance(record, VariableResult):
            raise NotRecorded(NOT_RECORDED, f"variable '{rows.known.variable}'", MEND_NOT_RECORDED)
        if isinstance(record, VariableResult) and not anew:
            return _Begun(rows, key, record)
        return _Begun(rows, key, point_in_time(rows.known, self.spec, [one.known for one in predictors]))

    def _compute(
        self, begun: Sequence[_Begun], failures: dict[str, Failure], write: Write | None
    ) -> Iterator[tuple[str, VariableResult]]:
        """Compute together as many as memory allows; where a forecaster fails, each alone: the failure is its own."""
        missing = [(one.rows, one.source) for one in begun if isinstance(one.source, PointInTime)]
        for company in _companies(missing):
            try:
                yield from self._evaluate(company, write)
            except ForecasterFailed as error:
                alone = {rows.known.variable: (rows, point) for rows, point in company}
                if len(alone) == 1:
                    failures.update((name, Failure.of(name, error)) for name in alone)
                    continue
                one_by_one = partial(self._evaluate_alone, alone, write)
                yield from _each(alone, one_by_one, failures)

    def _evaluate_alone(self, company: Mapping[str, Missing], write: Write | None, name: str) -> VariableResult:
        ((_, result),) = self._evaluate([company[name]], write)
        return result

    def _evaluate(self, company: Sequence[Missing], write: Write | None) -> list[tuple[str, VariableResult]]:
        slow = [SlowHindcasts(self.spec, self.sink, rows, point, self.recorded_only) for rows, point in company]
        given = {one.name: np.concatenate([each.all(one) for each in slow]) for one in self.roster.slow}
        results = evaluate([point for _, point in company], self.spec, self.roster, given, write)
        return [(result.variable, result) for result in results]

    def _hindcast(self, unit: WorkUnit, batch: Batch) -> UnitResult:
        """Make what slow forecasters say in one batch, and record it for the variable's own unit."""
        failures: dict[str, Failure] = {}
        with reading(self.store, unit.variables) as store:
            done = dict(_each(unit.variables, lambda name: self._hindcast_variable(store, name, batch), failures))
        recalled = sum(done.values())
        return UnitResult(failures=tuple(failures.values()), recalled=recalled, computed=len(done) - recalled)

    def _hindcast_variable(self, store: DataStore, variable: str, batch: Batch) -> bool:
        """Return whether everything was recorded already."""
        rows = self._read(store, variable)
        point = point_in_time(rows.known, self.spec)
        slow = SlowHindcasts(self.spec, self.sink, rows, point, self.recorded_only)
        recalled = [slow.in_batch(forecaster, batch, fresh=self.fresh)[1] for forecaster in self.roster.slow]
        return all(recalled)


def _companies(missing: Sequence[Missing]) -> Iterator[list[Missing]]:
    """Yield what is computed side by side: variables in order, as long as their origins are not too many."""
    company: list[Missing] = []
    origins = 0
    for rows, point in missing:
        origins += len(point.origin_step)
        if company and origins > MOST_ORIGINS:
            yield company
            company, origins = [], len(point.origin_step)
        company.append((rows, point))
    if company:
        yield company


def _each(
    variables: Iterable[str], action: Callable[[str], Made], failures: dict[str, Failure]
) -> Iterator[tuple[str, Made]]:
    """Yield what the action makes of each variable; note the failure of those it fails for."""
    for variable in variables:
        try:
            yield variable, action(variable)
        except PulseError as error:
            failures[variable] = Failure.of(variable, error)


def _facts(rows: KnownRows) -> DataFacts:
    known = rows.known
    first, last = ("", "")
    if len(known):
        first, last = (_iso(stamp) for stamp in (known.timestamps.min(), known.timestamps.max()))
    return DataFacts(f"sha256:{known.fingerprint()}", len(known), known.absent, first, last, rows.rule)


def _iso(moment: np.datetime64) -> str:
    """Return a day where the moment is midnight, else the time in UTC."""
    day = moment.astype("datetime64[D]")
    return str(day) if day == moment else f"{moment}Z"
