"""One work unit, start to end: read, recall or compute, record, summarise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cache, partial
from typing import Final, TypeVar

import attrs
import numpy as np

from pulse_core.companies import companies
from pulse_core.errors import MEND_NOT_RECORDED, NOT_RECORDED, ForecasterFailed, NotRecorded, PulseError
from pulse_core.evaluation import evaluate
from pulse_core.folding import Fold
from pulse_core.forecasters import Roster
from pulse_core.identity import record_key
from pulse_core.plan import Batch, WorkUnit, batches
from pulse_core.point_in_time import PointInTime, point_in_time
from pulse_core.ports import DataStore, ResultSink, Write, reading
from pulse_core.results import DataFacts, Failure, UnitResult, VariableResult
from pulse_core.series import KnownRows, resolve_known_at
from pulse_core.slow import SlowHindcasts
from pulse_core.spec import RunSpec

MOST_ORIGINS: Final = 320_000
"""How many origins are computed side by side, shorter histories counted as long as the longest: some 600 MiB with all
built-in forecasters and five horizons."""

Made = TypeVar("Made")
Read = Callable[[str], KnownRows]
Missing = tuple[KnownRows, PointInTime]
"""A variable that is to be computed: its rows, and what was known when."""


@attrs.frozen
class _Begun:
    """A variable that was read and has no record: its rows, what is said of them, its key, and what was known when."""

    rows: KnownRows
    facts: DataFacts
    key: str
    point: PointInTime


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
        with ExitStack() as open_parts:
            fold = Fold(self.spec, self._scores_part(unit, open_parts), failures)
            write = self._hindcast_part(unit, open_parts)
            with reading(self.store, unit.variables) as store:
                read = partial(self._read, store)
                begun = dict(_each(unit.variables, partial(self._begin, read, cache(read), fold), failures))
            recalled = len(fold.summaries)
            missing = {name: one for name, one in begun.items() if one is not None}
            for name, result in self._compute(missing, failures, write):
                if self.fresh:
                    self.sink.remove_record(missing[name].key)
                self.sink.record(missing[name].key, result)
                fold.add(result, missing[name].facts)
            fold.flush()
        return UnitResult(
            summaries=fold.in_order(unit.variables),
            failures=tuple(failures[variable] for variable in unit.variables if variable in failures),
            recalled=recalled,
            computed=len(fold.summaries) - recalled,
            parts=self._parts(unit, scores=bool(fold.summaries)),
        )

    def _hindcast_part(self, unit: WorkUnit, open_parts: ExitStack) -> Write | None:
        if self.tables is None or not self.tables.hindcasts:
            return None
        return open_parts.enter_context(self.sink.part(self.tables.run_id, self.tables.part("hindcasts", unit)))

    def _scores_part(self, unit: WorkUnit, open_parts: ExitStack) -> Callable[[], Write] | None:
        """Return what opens the part of the scores when there is something to be written."""
        if self.tables is None:
            return None
        part = self.sink.part(self.tables.run_id, self.tables.part("scores", unit))
        return cache(lambda: open_parts.enter_context(part))

    def _parts(self, unit: WorkUnit, *, scores: bool) -> tuple[str, ...]:
        """Return the names of all parts of the unit."""
        if self.tables is None:
            return ()
        wanted = (("hindcasts", self.tables.hindcasts), ("scores", scores))
        return tuple(self.tables.part(table, unit) for table, there in wanted if there)

    def _read(self, store: DataStore, variable: str) -> KnownRows:
        return resolve_known_at(store.read(variable), self.spec.known_at, self.spec.last_day).by(self.spec.last_day)

    def _begin(self, read: Read, read_once: Read, fold: Fold, variable: str) -> _Begun | None:
        """Read a variable; fold its record at once, if there is one. Predictors are read once for all variables."""
        rows = read(variable)
        predictors = [read_once(name) for name in self.spec.predictors if name != variable]
        fingerprint = rows.known.fingerprint()
        key, facts = record_key(self.spec, self.roster, rows, predictors, fingerprint), _facts(rows, fingerprint)
        record = self._recall(key, variable)
        if record is not None:
            fold.add(record, facts)
            return None
        return _Begun(rows, facts, key, point_in_time(rows.known, self.spec, [one.known for one in predictors]))

    def _recall(self, key: str, variable: str) -> VariableResult | None:
        """Return the record that may be used. Raises NotRecorded where one must be there and is not."""
        # records hold no hindcasts: where they are asked for, they are made again
        anew = self.fresh or (self.tables is not None and self.tables.hindcasts)
        # what slices do for slow forecasters is their hindcasts; these are looked for when they are put together
        must = self.recorded_only and not self.roster.slow
        record = None if anew and not must else self.sink.recall(key)
        if must and not isinstance(record, VariableResult):
            raise NotRecorded(NOT_RECORDED, f"variable '{variable}'", MEND_NOT_RECORDED)
        return record if isinstance(record, VariableResult) and not anew else None

    def _compute(
        self, begun: Mapping[str, _Begun], failures: dict[str, Failure], write: Write | None
    ) -> Iterator[tuple[str, VariableResult]]:
        """Compute together as many as memory allows; where a forecaster fails, each alone: the failure is its own."""
        missing = [(one.rows, one.point) for one in begun.values()]
        for company in companies(missing, lambda one: len(one[1].origin_step), MOST_ORIGINS):
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
        given = {one.name: np.concatenate([each.all(one) for each in slow], axis=1) for one in self.roster.slow}
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


def _each(
    variables: Iterable[str], action: Callable[[str], Made], failures: dict[str, Failure]
) -> Iterator[tuple[str, Made]]:
    """Yield what the action makes of each variable; note the failure of those it fails for."""
    for variable in variables:
        try:
            yield variable, action(variable)
        except PulseError as error:
            failures[variable] = Failure.of(variable, error)


def _facts(rows: KnownRows, fingerprint: str) -> DataFacts:
    known = rows.known
    first, last = ("", "")
    if len(known):
        first, last = (_iso(stamp) for stamp in (known.timestamps.min(), known.timestamps.max()))
    return DataFacts(f"sha256:{fingerprint}", len(known), known.absent, first, last, rows.rule)


def _iso(moment: np.datetime64) -> str:
    """Return a day where the moment is midnight, else the time in UTC."""
    day = moment.astype("datetime64[D]")
    return str(day) if day == moment else f"{moment}Z"
