"""A work unit, start to end: inputs, then for each variable its record, recalled or computed, and its summary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial

import attrs

from pulse_core.backtest.variable import backtest
from pulse_core.data.point_in_time import point_in_time
from pulse_core.errors import HINT_NOT_RECORDED, NOT_RECORDED, NotRecorded
from pulse_core.forecasters.registry import ForecasterSet
from pulse_core.plan import Batch, WorkUnit, batches
from pulse_core.ports import DataStore, ResultSink, Write, reading
from pulse_core.results import Failure, UnitResult, VariableRecord
from pulse_core.runs.attempts import attempt
from pulse_core.runs.inputs import InputReader, ReadRows, VariableInput
from pulse_core.runs.keys import content_key
from pulse_core.runs.per_origin_hindcasts import PerOriginHindcasts
from pulse_core.runs.records import Records
from pulse_core.runs.tables import SCORES, Parts, Tables, unit_parts
from pulse_core.runs.unit_summary import UnitSummary
from pulse_core.spec import RunSpec

Recall = Callable[[str], VariableRecord | None]


class _Incomplete(Exception):
    """Variables failed whose rows the parts that are open would have to hold; their failures."""

    def __init__(self, failures: Mapping[str, Failure]) -> None:
        super().__init__(failures)
        self.failures = failures


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
        """Return the unit's summaries, one a variable that succeeded, and its failures."""
        if unit.batch is not None:
            return self._per_origin(unit, batches(self.spec)[unit.batch])
        return _UnitRun(self, unit).result()

    def reader(self) -> InputReader:
        """Return what reads inputs for this task."""
        records = Records(self.spec, self.sink)
        return InputReader(self.spec, self.store, self.forecasters, records, self.fresh)

    def _per_origin(self, unit: WorkUnit, batch: Batch) -> UnitResult:
        """Make the hindcasts of forecasters called origin by origin in one batch, for the variable's own unit."""
        reader = self.reader()
        recognised = reader.recognised(unit.variables)
        unread = recognised.untried(unit.variables)
        with reading(self.store, unread) as store:
            recalled = attempt(unread, partial(self._hindcast_batch, partial(reader.read, store), batch))
        count = sum(recalled.values.values())
        return UnitResult(
            failures=(*recognised.failures.values(), *recalled.failures.values()),
            recalled=len(recognised.values) + count,
            computed=len(recalled.values) - count,
        )

    def _hindcast_batch(self, read: Callable[[str], ReadRows], batch: Batch, variable: str) -> bool:
        """Return whether everything was recorded already."""
        rows = read(variable).rows
        point = point_in_time(rows.known, self.spec)
        hindcasts = PerOriginHindcasts(self.spec, self.sink, rows, point, self.recorded_only)
        attempts = [
            hindcasts.in_batch(forecaster, batch, fresh=self.fresh) for forecaster in self.forecasters.per_origin
        ]
        return all(recalled for _, recalled in attempts)


class _UnitRun:
    """A unit under way: what reads its inputs, and which variables this or an earlier attempt computed."""

    def __init__(self, task: UnitTask, unit: WorkUnit) -> None:
        self._task, self._unit = task, unit
        self._reader = task.reader()
        self._records = self._reader.records
        self._computed: set[str] = set()

    def result(self) -> UnitResult:
        """Do the unit; parts are named by their content, so without a variable that failed they are begun again."""
        inputs = self._reader.inputs(self._unit.variables)
        values, failures = dict(inputs.values), dict(inputs.failures)
        result = UnitResult()
        while values:
            try:
                result = self._attempt(values)
                failures |= {failure.variable: failure for failure in result.failures}
                break
            except _Incomplete as incomplete:
                failures |= incomplete.failures
                values = {name: value for name, value in values.items() if name not in failures}
        ordered = tuple(failures[name] for name in self._unit.variables if name in failures)
        return attrs.evolve(result, failures=ordered)

    def _attempt(self, values: dict[str, VariableInput]) -> UnitResult:
        """Recall or compute these variables and write their parts; lets go of each one's rows when it is done.

        Raises _Incomplete when all that can be recorded is, and a variable has failed.
        """
        with ExitStack() as open_parts:
            parts = self._parts(values, open_parts)
            summary = UnitSummary(self._task.spec, parts.scores)
            keys = [value.key for value in values.values() if value.scores is None or parts.scores]
            with self._records.recalling_results(keys) as recall:
                attempts = attempt(list(values), lambda name: self._add_and_free(name, values, recall, parts, summary))
            summary.flush()
            if attempts.failures:
                raise _Incomplete(attempts.failures)
        summaries = summary.in_order(self._unit.variables)
        computed = len(self._computed & summary.summaries.keys())
        names = tuple(name for name in parts.names if summaries or not name.startswith(f"{SCORES}/"))
        # a record that cannot be aggregated never can: parts named by it are whole
        failures = tuple(summary.failures.values())
        return UnitResult(summaries, failures, len(summaries) - computed, computed, names)

    def _parts(self, values: Mapping[str, VariableInput], open_parts: ExitStack) -> Parts:
        if self._task.tables is None:
            return Parts()
        content = content_key(self._records.aggregation, [value.key for value in values.values()])
        return unit_parts(self._task.tables, self._unit, content, self._records, open_parts, fresh=self._task.fresh)

    def _add_and_free(
        self, name: str, values: dict[str, VariableInput], recall: Recall, parts: Parts, summary: UnitSummary
    ) -> None:
        """Add a variable, and keep no more of its input than another attempt needs."""
        self._add(values[name], recall, parts, summary)
        values[name] = values[name].without_rows()

    def _add(self, value: VariableInput, recall: Recall, parts: Parts, summary: UnitSummary) -> None:
        """Add a variable to the unit's summary: by its recorded scores, its record, or computed.

        Raises NotRecorded where the record must exist and does not.
        """
        # records hold no hindcasts: where they are to be written, they are made again
        anew = parts.hindcasts is not None or (self._task.fresh and value.variable not in self._computed)
        # slices of forecasters called origin by origin record hindcasts, which are looked for when they are needed
        required = self._task.recorded_only and not self._task.forecasters.per_origin
        if value.scores is not None and parts.scores is None and not anew:
            summary.add_scores(value.scores, value.facts)
            return
        record = None if anew and not required else recall(value.key)
        if required and record is None:
            raise NotRecorded(NOT_RECORDED, f"variable '{value.variable}'", HINT_NOT_RECORDED)
        compute = record is None or anew
        if record is None or anew:
            record = self._computed_record(value, parts.hindcasts)
        scores = summary.add(record, value.facts, None if compute else value.scores)
        if scores is not None and (compute or value.scores is None):
            self._records.keep_scores(value.key, scores)

    def _computed_record(self, value: VariableInput, write: Write | None) -> VariableRecord:
        """Compute a variable, and record it."""
        value = self._reader.with_point(value)
        record = backtest_input(value, self._task, write)
        replace = self._task.fresh and value.variable not in self._computed
        (self._records.replace if replace else self._records.keep)(value.key, record)
        self._computed.add(value.variable)
        return record


def backtest_input(value: VariableInput, task: UnitTask, write: Write | None) -> VariableRecord:
    """Return a variable's record. Raises ForecasterFailed."""
    rows, point = value.resolved()
    hindcasts = PerOriginHindcasts(task.spec, task.sink, rows, point, task.recorded_only)
    per_origin = {forecaster.name: hindcasts.all(forecaster) for forecaster in task.forecasters.per_origin}
    return backtest(point, task.spec, task.forecasters, per_origin, write).record
