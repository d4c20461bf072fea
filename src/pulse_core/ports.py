"""Ports of the domain: DataStore, ComputeBackend and ResultSink for adapters to implement, TrainingRun to call."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, runtime_checkable

import attrs

from pulse_core.data.observations import Observations
from pulse_core.errors import PulseError
from pulse_core.plan import WorkUnit
from pulse_core.results import Record, RunResult, UnitResult
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns, PartFacts

Write = Callable[[Columns], None]
"""Add rows to a table; all calls have the same columns."""

Recall = Callable[[str], Record | None]
"""Return what is packed under a key, or None. Raises SinkUnavailable."""

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


class PartWriter(Protocol):
    """A part of a run's tables that is being written."""

    def write(self, columns: Columns) -> None:
        """Add rows; all calls have the same columns. Raises SinkUnavailable."""

    @property
    def facts(self) -> PartFacts | None:
        """What was written, once the context of the part has ended well; None without rows."""


class RunClaim(Protocol):
    """The right to publish under a run id, held by one process at a time."""

    @property
    def parts(self) -> tuple[PartFacts, ...]:
        """The parts of the result that stands under the run id now; none where there is no result."""

    def use(self, group: str) -> None:
        """Note that the run uses a group of packed records, which nobody shall remove meanwhile."""

    def publish(self, result: RunResult) -> Sequence[str]:
        """Store the run's own files whole, in place of those of an earlier result; return their addresses.

        All that the result names is made durable first; what it does not name is removed last.
        Raises SinkUnavailable, and RunInterrupted where another process has taken the run id over.
        """


class ResultSink(Protocol):
    """Where results go. Survives pickling; workers record, recall, pack and write parts, the coordinator publishes.

    Every method may raise SinkUnavailable. A key is 64 hexadecimal digits, a group 32.
    """

    def recall(self, key: str) -> Record | None:
        """Return what was recorded under the key, or None."""

    def record(self, key: str, result: Record) -> None:
        """Store atomically under the key unless something is there already."""

    def remove_record(self, key: str) -> None:
        """Remove what is recorded under the key, if anything is."""

    def pack(self, group: str, records: Mapping[str, Record]) -> None:
        """Store records of a group together, by key: all of them or none. They hide what was packed under their keys.

        They are recalled by `recalling` alone.
        """

    def recalling(self, group: str, keys: Sequence[str]) -> AbstractContextManager[Recall]:
        """Open a group for recalling these keys, in any order: what was packed last under each.

        A record that is damaged or bound to another key is None. What another process packs while the sink, or what it
        was copied from, is in use may be found late, but before one of these keys is said to hold nothing. Any other
        key is found where its pack was found before.
        """

    def index(self, group: str, *, packed: bool = True) -> None:
        """Make what is packed in a group quicker to find; a sink may do nothing. Called once its results stand.

        `packed` says whether the run has packed anything.
        """

    def part(self, run_id: str, name: str) -> AbstractContextManager[PartWriter]:
        """Open a part of a run's tables, such as `scores/part-00001-of-00003`, for rows in any number of calls.

        Once the context has ended well the part stands there whole, under its name and the hash of its bytes; not at
        all otherwise. No other part is touched.
        """

    def has_part(self, run_id: str, part: PartFacts) -> bool:
        """Whether the part stands there with these bytes: their size and SHA-256 are checked."""

    def claim(self, run_id: str, spec: RunSpec, waiting: Callable[[str], None]) -> AbstractContextManager[RunClaim]:
        """Open a run id for publishing the result of a spec.

        While another process has a run of the same spec under way, it waits, and calls `waiting` once with a sentence
        that says for what. Raises RunIdTaken at once where the run id holds the result of another spec, or a run of
        another spec is under way.
        """


@runtime_checkable
class StoresAhead(Protocol):
    """What a ResultSink may do besides, where storing is mostly waiting: go on while it stores."""

    def storing(self) -> AbstractContextManager[ResultSink]:
        """Open the sink for a unit's work: what it packs and the parts it writes may be stored later than they return.

        Once the context has ended well all of it is stored; what fails raises at the end, or before. What is recalled
        meanwhile is as if all had been stored at once.
        """


def storing(sink: ResultSink) -> AbstractContextManager[ResultSink]:
    """Open a sink for a unit's work, which goes on while the sink stores, where that can."""
    return sink.storing() if isinstance(sink, StoresAhead) else nullcontext(sink)


class TrainingRun(Protocol):
    """The use case: what an entry point or an embedding service calls."""

    def execute(self, spec: RunSpec) -> RunResult:
        """Train what the spec says. Raises RunFailed where a variable failed and that was not allowed."""
