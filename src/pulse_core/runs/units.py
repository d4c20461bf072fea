"""One work unit, start to end: read, recall or compute, record, summarise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import Final

import attrs
import numpy as np

from pulse_core.backtest.companies import companies
from pulse_core.backtest.evaluation import evaluate
from pulse_core.data.observations import KnownRows
from pulse_core.data.point_in_time import PointInTime, point_in_time
from pulse_core.errors import HINT_NOT_RECORDED, NOT_RECORDED, ForecasterFailed, NotRecorded
from pulse_core.forecasters.registry import ForecasterSet
from pulse_core.plan import Batch, WorkUnit, batches
from pulse_core.ports import DataStore, ResultSink, Write, reading
from pulse_core.results import Failure, UnitResult, VariableResult
from pulse_core.runs.folding import Fold
from pulse_core.runs.inputs import Beginning, Begun, Read
from pulse_core.runs.keys import content_key
from pulse_core.runs.per_origin import SlowHindcasts
from pulse_core.runs.records import Ledger
from pulse_core.runs.tables import SCORES, Parts, Tables, unit_parts
from pulse_core.runs.variables import each
from pulse_core.spec import RunSpec

MOST_ORIGINS: Final = 320_000
"""How many origins are computed side by side, shorter histories counted as long as the longest: some 600 MiB with all
built-in forecasters and five horizons."""

Missing = tuple[KnownRows, PointInTime]
"""A variable that is to be computed: its rows, and what was known when."""


@attrs.frozen
class _Go:
    """What one go at a unit writes to, and the variables that it or an earlier go computed."""

    ledger: Ledger
    fold: Fold
    parts: Parts
    computed: set[str]


class _Incomplete(Exception):
    """A variable failed whose rows the parts that are open would have to hold."""


@attrs.frozen
class ReplayTask:
    """What a worker does with a unit. A variable that fails is reported and harms no other.

    When `fresh`, nothing is recalled, and what is computed takes the place of what is recorded.
    With `recorded_only` a variable that nobody has recorded fails: the task collects and computes none.
    """

    spec: RunSpec
    store: DataStore
    sink: ResultSink
    roster: ForecasterSet
    tables: Tables | None = None
    fresh: bool = False
    recorded_only: bool = False

    def __call__(self, unit: WorkUnit) -> UnitResult:
        """Return the unit's summaries, one a variable that succeeded, and its failures."""
        if unit.batch is not None:
            return self._hindcast(unit, batches(self.spec)[unit.batch])
        failures: dict[str, Failure] = {}
        beginning = self._beginning()
        begun = beginning.all(unit.variables, failures)
        result, computed = UnitResult(), set[str]()
        while begun:
            # parts are named by what is in them, so those that held a failure's rows too must be begun again without
            with suppress(_Incomplete):
                result = self._go(unit, beginning, begun, computed, failures)
                break
            begun = {name: one for name, one in begun.items() if name not in failures}
        return attrs.evolve(result, failures=tuple(failures[name] for name in unit.variables if name in failures))

    def _go(
        self,
        unit: WorkUnit,
        beginning: Beginning,
        begun: Mapping[str, Begun],
        computed: set[str],
        failures: dict[str, Failure],
    ) -> UnitResult:
        """Recall or compute these variables and write their parts; what is `computed` is noted.

        Raises _Incomplete when all that can be recorded is, and one of them has failed.
        """
        ledger = beginning.ledger
        with ExitStack() as open_parts:
            parts = self._parts(unit, ledger, begun.values(), open_parts)
            unfolded: dict[str, Failure] = {}
            fold = Fold(self.spec, parts.scores, unfolded)
            with ledger.results([one.key for one in begun.values() if one.scores is None or parts.scores]) as result_of:
                recall = partial(self._recall, _Go(ledger, fold, parts, computed), result_of)
                found = dict(each(begun, lambda name: recall(begun[name]), failures))
            missing = {name: begun[name] for name, there in found.items() if not there}
            for name, result in self._compute(beginning, missing, failures, parts.hindcasts):
                key = missing[name].key
                (ledger.replace if self.fresh and name not in computed else ledger.keep)(key, result)
                computed.add(name)
                scores = fold.add(result, missing[name].facts)
                if scores is not None:
                    ledger.keep_scores(key, scores)
            fold.flush()
            if not failures.keys().isdisjoint(begun):
                raise _Incomplete
        # a record that cannot be folded never can: parts named by it are whole
        failures |= unfolded
        made = len(computed & fold.summaries.keys())
        summaries = fold.in_order(unit.variables)
        names = tuple(name for name in parts.names if summaries or not name.startswith(f"{SCORES}/"))
        return UnitResult(summaries, recalled=len(summaries) - made, computed=made, parts=names)

    def _parts(self, unit: WorkUnit, ledger: Ledger, begun: Iterable[Begun], open_parts: ExitStack) -> Parts:
        if self.tables is None:
            return Parts()
        content = content_key(ledger.fold, [one.key for one in begun])
        return unit_parts(self.tables, unit, content, ledger, open_parts, fresh=self.fresh)

    def _recall(self, go: _Go, result_of: Callable[[str], VariableResult | None], one: Begun) -> bool:
        """Fold what is recorded, where it may be used; return whether it was.

        Raises NotRecorded where it must be there and is not.
        """
        # records hold no hindcasts: where they are to be written, they are made again
        anew = go.parts.hindcasts is not None or (self.fresh and one.variable not in go.computed)
        # what slices do for slow forecasters is their hindcasts; these are looked for when they are put together
        must = self.recorded_only and not self.roster.per_origin
        if one.scores is not None and go.parts.scores is None:
            if not anew:
                go.fold.add_scores(one.scores, one.facts)
            return not anew
        result = None if anew and not must else result_of(one.key)
        if must and result is None:
            raise NotRecorded(NOT_RECORDED, f"variable '{one.variable}'", HINT_NOT_RECORDED)
        if result is None or anew:
            return False
        scores = go.fold.add(result, one.facts, one.scores)
        if scores is not None and one.scores is None:
            go.ledger.keep_scores(one.key, scores)
        return True

    def _compute(
        self, beginning: Beginning, begun: Mapping[str, Begun], failures: dict[str, Failure], write: Write | None
    ) -> Iterator[tuple[str, VariableResult]]:
        """Compute together as many as memory allows; where a forecaster fails, each alone: the failure is its own."""
        missing = [one for _, one in each(begun, lambda name: beginning.missing(begun[name]), failures)]
        for company in companies(missing, lambda one: len(one[1].origin_step), MOST_ORIGINS):
            try:
                yield from self._evaluate(company, write)
            except ForecasterFailed as error:
                alone = {rows.known.variable: (rows, point) for rows, point in company}
                if len(alone) == 1:
                    failures.update((name, Failure.of(name, error)) for name in alone)
                    continue
                one_by_one = partial(self._evaluate_alone, alone, write)
                yield from each(alone, one_by_one, failures)

    def _evaluate_alone(self, company: Mapping[str, Missing], write: Write | None, name: str) -> VariableResult:
        ((_, result),) = self._evaluate([company[name]], write)
        return result

    def _evaluate(self, company: Sequence[Missing], write: Write | None) -> list[tuple[str, VariableResult]]:
        slow = [SlowHindcasts(self.spec, self.sink, rows, point, self.recorded_only) for rows, point in company]
        given = {one.name: np.concatenate([each.all(one) for each in slow], axis=1) for one in self.roster.per_origin}
        results = evaluate([point for _, point in company], self.spec, self.roster, given, write)
        return [(result.variable, result) for result in results]

    def _hindcast(self, unit: WorkUnit, batch: Batch) -> UnitResult:
        """Make what slow forecasters say in one batch, and record it for the variable's own unit."""
        failures: dict[str, Failure] = {}
        beginning = self._beginning()
        known, unknown = beginning.known(unit.variables, failures)
        with reading(self.store, unknown) as store:
            hindcast = partial(self._hindcast_variable, partial(beginning.read, store), batch)
            done = dict(each(unknown, hindcast, failures))
        recalled = sum(done.values())
        made = len(done) - recalled
        return UnitResult(failures=tuple(failures.values()), recalled=len(known) + recalled, computed=made)

    def _hindcast_variable(self, read: Callable[[str], Read], batch: Batch, variable: str) -> bool:
        """Return whether everything was recorded already."""
        rows = read(variable).rows
        point = point_in_time(rows.known, self.spec)
        slow = SlowHindcasts(self.spec, self.sink, rows, point, self.recorded_only)
        recalled = [slow.in_batch(forecaster, batch, fresh=self.fresh)[1] for forecaster in self.roster.per_origin]
        return all(recalled)

    def _beginning(self) -> Beginning:
        return Beginning(self.spec, self.store, self.roster, Ledger(self.spec, self.sink), self.fresh)
