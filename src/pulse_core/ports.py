"""Ports of the domain: DataStore, ComputeBackend and ResultSink for adapters to implement, TrainingRun to call."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, runtime_checkable

import attrs

from pulse_core.data.observations import Observations
from pulse_core.errors import PulseError
from pulse_core.plan import WorkUnit
from pulse_core.results import Record, RunResult, UnitResult
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns

Write = Callable[[Columns], None]
"""Add rows to a part; all calls have the same columns."""

Recall = Callable[[str], Record | None]
"""Return what was recorded under a key, or None. Raises SinkUnavailable."""

Task = Callable[[WorkUnit], UnitResult]
"""What is done with a unit, wherever the worker is. It can be pickled."""


@attrs.frozen
class Done:
    """A unit that came to its end, and what it sent back."""

    unit: WorkUnit
    result: UnitResult


@attrs.frozen
class Failed:
    """A unit that did not, and why."""

    unit: WorkUnit
    error: PulseError


UnitOutcome = Done | Failed
"""How a unit ended."""


class DataStore(Protocol):
    """Where variables come from. Survives pickling; opens whatever it needs on first use, in each process."""

    def names(self) -> Iterator[str]:
        """Yield the name of every variable there is, sorted, each once. Raises MalformedData or StoreUnavailable."""

    def read(self, variable: str) -> Observations:
        """Return all rows of a variable. Raises VariableNotFound, MalformedData, DataError or StoreUnavailable."""


@runtime_checkable
class ReadsAhead(Protocol):
    """What a DataStore may do besides, where reading is mostly waiting: read some while others are made use of."""

    def ahead(self, variables: Sequence[str]) -> AbstractContextManager[DataStore]:
        """Open the store for reading these variables one after another; others can be read as well.

        It reads what the store reads, and fails where it does, for the variable that is read. What it holds does not
        grow with the number of variables.
        """


@runtime_checkable
class TellsVersions(Protocol):
    """What a DataStore may do besides: tell versions of the data apart for less than reading them costs."""

    def version(self, variable: str) -> str:
        """Return a text that is another one whenever `read` would return other rows, of this store or any other.

        Observations bear that of what was read. It may raise what `read` raises, or not notice.
        """


def reading(store: DataStore, variables: Sequence[str]) -> AbstractContextManager[DataStore]:
    """Open a store for reading these variables, ahead of time where it can."""
    return store.ahead(variables) if isinstance(store, ReadsAhead) else nullcontext(store)


class ComputeBackend(Protocol):
    """What carries a task to the units."""

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        """Yield one outcome a unit, as they complete; never raise for one unit. Closing it ends the work.

        Raises BackendUnavailable, and RunInterrupted where it was asked to stop or lost its workers under way.
        """


class ResultSink(Protocol):
    """Where results go. Survives pickling; used by workers (recall, record) and the coordinator (publish)."""

    def recall(self, key: str) -> Record | None:
        """Return what was recorded under the key, or None. Raises SinkUnavailable."""

    def record(self, key: str, result: Record) -> None:
        """Store atomically under the key unless something is there already. Raises SinkUnavailable."""

    def remove_record(self, key: str) -> None:
        """Remove what is recorded under the key, if anything is. Raises SinkUnavailable."""

    def part(self, run_id: str, name: str) -> AbstractContextManager[Write]:
        """Open a part of a run's tables, such as `scores/part-00001`, for rows in any number of calls.

        It stands there whole once the context has ended well, replacing one of that name and those of the same unit
        with other content (see tables.same_unit), and not at all otherwise.
        Raises SinkUnavailable.
        """

    def has_part(self, run_id: str, name: str) -> bool:
        """Whether a part of this name stands there. Raises SinkUnavailable."""

    def copy_part(self, name: str, source: str, run_id: str) -> bool:
        """Let a run have the part of this name that the run `source` has; return whether it has it now.

        It replaces those of the same unit with other content. Raises SinkUnavailable.
        """

    def publish(self, result: RunResult) -> Sequence[str]:
        """Store the run's own files whole, replacing those of an earlier run of this id; return their addresses.

        Parts that the result does not name are of an earlier run, and are removed.
        Raises SinkUnavailable, and RunIdTaken where the run id holds the result of another spec.
        """


@runtime_checkable
class RecallsAhead(Protocol):
    """What a ResultSink may do besides, where recalling is mostly waiting: fetch some while others are made use of."""

    def recalling(self, keys: Sequence[str]) -> AbstractContextManager[Recall]:
        """Open the sink for recalling these keys one after another; others can be recalled as well.

        It fails where `recall` does, for the key that is recalled. What it holds does not grow with their number.
        """


def recalling(sink: ResultSink, keys: Sequence[str]) -> AbstractContextManager[Recall]:
    """Open a sink for recalling these keys, ahead of time where it can."""
    return sink.recalling(keys) if isinstance(sink, RecallsAhead) else nullcontext(sink.recall)


class TrainingRun(Protocol):
    """The use case: what an entry point or an embedding service calls."""

    def execute(self, spec: RunSpec) -> RunResult:
        """Train what the spec says. Raises RunFailed where a variable failed and that was not allowed."""
