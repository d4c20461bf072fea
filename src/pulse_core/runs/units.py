"""A work unit, start to end: inputs, each variable's result, recalled or computed, one pack of records, tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial

import attrs

from pulse_core.backtest.hindcasts import is_repeatable
from pulse_core.backtest.variable import backtest, histories_of
from pulse_core.data.point_in_time import PointInTime, point_in_time
from pulse_core.errors import HINT_NOT_RECORDED, NOT_RECORDED, NotRecorded, SinkUnavailable
from pulse_core.forecasters.base import InPlaceForecaster
from pulse_core.forecasters.registry import ForecasterSet
from pulse_core.plan import UNIT_BYTES, Workload, WorkUnit, variables_at_once
from pulse_core.ports import DataStore, PartWriter, ResultSink, Write, reading, storing
from pulse_core.results import Failure, UnitResult, VariableBacktest, VariableBatches, VariableScores
from pulse_core.runs.attempts import attempt
from pulse_core.runs.inputs import InputReader, ReadRows, VariableInput
from pulse_core.runs.keys import RecordKeys, content_key
from pulse_core.runs.per_origin_hindcasts import PerOriginHindcasts
from pulse_core.runs.records import Records
from pulse_core.runs.summary import aggregate, variable_batches
from pulse_core.runs.table_rows import VariableRows, batch_columns, score_columns
from pulse_core.runs.tables import BATCHES, HINDCASTS, SCORES, Tables
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns, PartFacts


class _PartFailed(Exception):
    """Rows could not be written: the part cannot be finished, whichever variable the rows were of."""

    def __init__(self, error: SinkUnavailable) -> None:
        super().__init__(error)
        self.error = error


@attrs.frozen
class UnitTask:
    """What a worker does with a unit. A variable that fails is reported and harms no other.

    When `fresh`, nothing is recalled, and what is computed takes the place of what is recorded.
    With `recorded_only` a variable without a record fails: the task collects and computes none.
    """

    spec: RunSpec
    store: DataStore
    sink: ResultSink
    forecasters: ForecasterSet
    tables: Tables | None = None
    fresh: bool = False
    recorded_only: bool = False

    def __call__(self, unit: WorkUnit) -> UnitResult:
        """Return the unit's summaries, one a variable that succeeded, and its failures. Raises SinkUnavailable."""
        if unit.batches:
            return self._per_origin(unit)
        try:
            with storing(self.sink) as sink:
                return _UnitRun(attrs.evolve(self, sink=sink), unit).result()
        except _PartFailed as failed:
            raise failed.error from failed

    @property
    def keys(self) -> RecordKeys:
        """What makes the keys of this task's records."""
        return RecordKeys(self.spec, self.forecasters)

    def reader(self, unit: WorkUnit) -> InputReader:
        """Return what reads the inputs of a unit."""
        keys = self.keys
        return InputReader(
            self.spec, self.store, keys, Records(self.spec, self.sink, keys.group, unit.first), self.fresh
        )

    def _per_origin(self, unit: WorkUnit) -> UnitResult:
        """Make the hindcasts of forecasters called origin by origin in some batches, for the variable's own unit."""
        reader = self.reader(unit)
        recognised = reader.recognised(unit.variables)
        unread = recognised.untried(unit.variables)
        with reading(self.store, unread) as store:
            made = attempt(unread, partial(self._hindcast_batches, partial(reader.read, store), unit.batches))
        recalled = sum(was_recalled for was_recalled, _ in made.values.values())
        return UnitResult(
            failures=(*recognised.failures.values(), *made.failures.values()),
            recalled=len(recognised.values) + recalled,
            computed=len(made.values) - recalled,
            unrepeatable=_in_order({name for _, names in made.values.values() for name in names}, self.forecasters),
        )

    def _hindcast_batches(
        self, read: Callable[[str], ReadRows], indexes: Sequence[int], variable: str
    ) -> tuple[bool, tuple[str, ...]]:
        """Return whether everything was recorded already, and which forecasters are not repeatable."""
        rows = read(variable).rows
        point = point_in_time(rows.known, self.spec)
        hindcasts = PerOriginHindcasts(self.spec, self.sink, rows, point, self.recorded_only)
        attempts = [
            hindcasts.in_batch(forecaster, batch, fresh=self.fresh)
            for batch in hindcasts.batches
            if batch.index in indexes
            for forecaster in self.forecasters.per_origin
        ]
        return all(recalled for _, recalled in attempts), tuple(hindcasts.unrepeatable)


class _UnitRun:
    """A unit under way.

    Results are packed before a table is written, so that whoever repeats an interrupted unit recalls them; the sink may
    store a table beside the pack.
    """

    def __init__(self, task: UnitTask, unit: WorkUnit) -> None:
        self._task, self._unit, self._tables = task, unit, task.tables
        self._reader = task.reader(unit)
        self._records = self._reader.records
        self._inputs: dict[str, VariableInput] = {}
        self._failures: dict[str, Failure] = {}
        self._scores: dict[str, VariableScores] = {}
        self._batches: dict[str, VariableBatches] = {}
        """Those of variables that were computed, as long as a pack may hold them all."""
        self._computed: set[str] = set()
        self._unrepeatable: set[str] = set()
        self._held = 0
        """Bytes of these batches."""
        self._at_once = variables_at_once(task.spec, workload(task.forecasters))

    def result(self) -> UnitResult:
        """Do the unit. Raises SinkUnavailable, _PartFailed."""
        inputs = self._reader.inputs(self._unit.variables)
        self._inputs, self._failures = dict(inputs.values), dict(inputs.failures)
        hindcasts = None if self._tables is None else self._hindcasts_part(self._tables)
        self._add_all(None)
        parts = () if self._tables is None else (hindcasts, *self._tables_parts(self._tables))
        summaries = tuple(
            self._scores[name].summary(self._inputs[name].facts)
            for name in self._unit.variables
            if name in self._scores
        )
        failures = tuple(self._failures[name] for name in self._unit.variables if name in self._failures)
        computed = len(self._computed & self._scores.keys())
        return UnitResult(
            summaries,
            failures,
            len(summaries) - computed,
            computed,
            tuple(part for part in parts if part is not None),
            _in_order(self._unrepeatable, self._task.forecasters),
            tuple(dict(facts for value in self._inputs.values() for facts in value.predictor_facts).items()),
        )

    def _hindcasts_part(self, tables: Tables) -> PartFacts | None:
        """Return the part of the table `hindcasts`; None where there is no such table."""
        if not tables.hindcasts:
            return None
        standing = tables.reusable(self._task.sink, HINDCASTS, self._unit, self._content())
        if standing is not None:
            return standing
        with tables.part(self._task.sink, HINDCASTS, self._unit) as writer:
            self._add_all(_write_of(writer))
        return self._facts(writer)

    def _add_all(self, hindcasts: Write | None) -> None:
        """Recall or compute every variable that is not done, and record what was computed."""
        remaining = [name for name in self._inputs if name not in self._scores and name not in self._failures]
        attempts = attempt(remaining, lambda name: self._add(self._inputs[name], hindcasts))
        self._drop(attempts.failures)
        self._records.pack()

    def _add(self, value: VariableInput, hindcasts: Write | None) -> None:
        """Recall or compute a variable, and keep no more of its input than the tables need.

        Raises NotRecorded where the record must exist and does not.
        """
        if value.scores is None and self._required:
            raise NotRecorded(NOT_RECORDED, f"variable '{value.variable}'", HINT_NOT_RECORDED)
        # records hold no hindcasts: where they are to be written, they are made again
        if value.scores is None or hindcasts is not None:
            self._compute(value, hindcasts)
        else:
            self._scores[value.variable] = value.scores
        self._inputs[value.variable] = value.without_rows()
        # what is done is not to be lost, nor held: a unit of the user's may be of any size
        if len(self._batches) > self._at_once or self._held > UNIT_BYTES:
            self._records.pack()
            self._batches.clear()
            self._held = 0

    @property
    def _required(self) -> bool:
        """Whether results must be recorded.

        Slices of forecasters called origin by origin record hindcasts, which are looked for when they are needed.
        """
        return self._task.recorded_only and not self._task.forecasters.per_origin

    def _compute(self, value: VariableInput, hindcasts: Write | None) -> None:
        """Compute a variable, and keep its result for the records unless it was recalled."""
        value = self._reader.with_point(value)
        result = backtest_input(value, self._task, hindcasts)
        self._unrepeatable.update(_unrepeatable(value.resolved()[1], self._task))
        scores, by_batch = aggregate(result, self._task.spec), variable_batches(result)
        if value.scores is None:
            self._records.keep_result(value.key, scores, by_batch)
        self._scores[value.variable], self._batches[value.variable] = scores, by_batch
        self._held += by_batch.bytes
        self._computed.add(value.variable)

    def _tables_parts(self, tables: Tables) -> tuple[PartFacts | None, PartFacts | None]:
        return self._batches_part(tables), self._scores_part(tables)  # in this order: see _batches_part

    def _batches_part(self, tables: Tables) -> PartFacts | None:
        """Return the part of the table `batches`, and drop the variables whose batches cannot be had."""
        standing = tables.reusable(self._task.sink, BATCHES, self._unit, self._content())
        if standing is not None:
            return standing
        recalled = [self._inputs[name].key for name in self._scores if name not in self._batches]
        with tables.part(self._task.sink, BATCHES, self._unit) as writer:
            rows = VariableRows(_write_of(writer), partial(batch_columns, spec=self._task.spec))
            with self._records.recalling_batches(recalled) as recall:
                attempts = attempt(list(self._scores), partial(self._add_batches, rows, recall))
            rows.flush()
        self._drop(attempts.failures)
        self._records.pack()
        return self._facts(writer)

    def _add_batches(
        self, rows: VariableRows[VariableBatches], recall: Callable[[str], VariableBatches | None], name: str
    ) -> None:
        by_batch = self._batches_of(name, recall)
        rows.add(by_batch, by_batch.n.size)

    def _batches_of(self, name: str, recall: Callable[[str], VariableBatches | None]) -> VariableBatches:
        """Return a variable's batches; computed where they are recorded no more."""
        if name in self._batches:
            return self._batches[name]
        value = self._inputs[name]
        record = recall(value.key)
        if record is not None:
            return record
        self._add(attrs.evolve(value, scores=None), None)
        return self._batches[name]

    def _scores_part(self, tables: Tables) -> PartFacts | None:
        standing = tables.reusable(self._task.sink, SCORES, self._unit, self._content())
        if standing is not None:
            return standing
        with tables.part(self._task.sink, SCORES, self._unit) as writer:
            rows = VariableRows(_write_of(writer), score_columns)
            for scores in self._scores.values():
                rows.add(scores, scores.verdicts.size)
            rows.flush()
        return self._facts(writer)

    def _drop(self, failures: Mapping[str, Failure]) -> None:
        self._failures |= failures
        for name in failures:
            self._scores.pop(name, None)

    def _content(self) -> str:
        """Return the hash of the unit's rows, without variables that failed."""
        return content_key([value.key for name, value in self._inputs.items() if name not in self._failures])

    def _facts(self, writer: PartWriter) -> PartFacts | None:
        """Return the facts of a part that was written, with its content; None without rows."""
        return None if writer.facts is None else attrs.evolve(writer.facts, content=self._content())


def _unrepeatable(point: PointInTime, task: UnitTask) -> Iterator[str]:
    """Yield the names of custom forecasters of all origins that make two forecasts of one history.

    Those that are called origin by origin are asked where their hindcasts are recorded. Raises ForecasterFailed.
    """
    histories = histories_of(point)
    for forecaster in task.forecasters.forecasters:
        is_built_in = isinstance(forecaster, InPlaceForecaster)
        if not (is_built_in or forecaster.per_origin or is_repeatable(forecaster, histories, task.spec.horizon)):
            yield forecaster.name


def _in_order(names: Collection[str], forecasters: ForecasterSet) -> tuple[str, ...]:
    return tuple(name for name in forecasters.names if name in names)


def _write_of(writer: PartWriter) -> Write:
    """Return how rows are added to a part. Raises _PartFailed, which is no failure of the variable of these rows."""

    def write(columns: Columns) -> None:
        try:
            writer.write(columns)
        except SinkUnavailable as error:
            raise _PartFailed(error) from error

    return write


def backtest_input(value: VariableInput, task: UnitTask, write: Write | None) -> VariableBacktest:
    """Return a variable's backtest. Raises ForecasterFailed."""
    rows, point = value.resolved()
    hindcasts = PerOriginHindcasts(task.spec, task.sink, rows, point, task.recorded_only)
    per_origin = {forecaster.name: hindcasts.all(forecaster) for forecaster in task.forecasters.per_origin}
    return backtest(point, task.spec, task.forecasters, per_origin, write).record


def workload(forecasters: ForecasterSet) -> Workload:
    """Return what forecasters cost at an origin, as they declare it."""
    per_origin = [forecaster.cost for forecaster in forecasters.per_origin]
    built_in = [forecaster.cost for forecaster in forecasters.forecasters if not forecaster.per_origin]
    return Workload(sum(built_in), sum(per_origin) if per_origin else None)
