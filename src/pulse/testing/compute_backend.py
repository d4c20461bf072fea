"""The contract of ComputeBackend: one outcome a unit, whatever becomes of the others."""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from pulse.testing.tasks import ScriptedTask, count_variables, units
from pulse_core import ComputeBackend, Done, Failed, MalformedData, Task, UnitFailed, UnitOutcome, UnitResult, WorkUnit


class ComputeBackendContract(ABC):
    """Subclass it, and say in `open` how a backend comes to be. Its workers must see the files of this machine."""

    workers: int = 2
    """How many units the backend does side by side, at most."""

    @abstractmethod
    def open(self) -> AbstractContextManager[ComputeBackend]:
        """Open a new backend of `workers` workers; the context's end closes it."""

    @pytest.fixture
    def backend(self) -> Iterator[ComputeBackend]:
        """Open a backend for a test."""
        with self.open() as backend:
            yield backend

    def test_every_unit_has_exactly_one_outcome(self, backend: ComputeBackend) -> None:
        outcomes = run(backend, count_variables, 7)
        assert sorted(outcome.unit.index for outcome in outcomes) == list(range(7))

    def test_an_outcome_brings_what_its_own_unit_gave(self, backend: ComputeBackend) -> None:
        work = [WorkUnit(index, [f"v{n}" for n in range(index + 1)]) for index in range(4)]
        outcomes = sorted(backend.run(count_variables, work), key=lambda outcome: outcome.unit.index)
        assert outcomes == [Done(unit, UnitResult(computed=len(unit.variables))) for unit in work]

    def test_no_units_give_no_outcomes(self, backend: ComputeBackend) -> None:
        assert run(backend, count_variables, 0) == []

    def test_each_unit_is_done_once(self, backend: ComputeBackend, tmp_path: Path) -> None:
        task = ScriptedTask(tmp_path, {})
        run(backend, task, 4)
        assert [task.calls(index) for index in range(4)] == [1, 1, 1, 1]

    def test_a_unit_that_fails_leaves_the_others_standing(self, backend: ComputeBackend, tmp_path: Path) -> None:
        outcomes = run(backend, ScriptedTask(tmp_path, {1: ("raise",)}), 4)
        assert sorted(outcome.unit.index for outcome in outcomes if isinstance(outcome, Done)) == [0, 2, 3]

    def test_a_foreign_exception_becomes_unit_failed_and_names_it(
        self, backend: ComputeBackend, tmp_path: Path
    ) -> None:
        outcome = failure(run(backend, ScriptedTask(tmp_path, {0: ("raise",)}), 2), 0)
        assert type(outcome.error) is UnitFailed
        assert "KeyError: 'a key nobody has'" in outcome.error.message

    def test_an_exception_that_does_not_survive_pickling_is_named_all_the_same(
        self, backend: ComputeBackend, tmp_path: Path
    ) -> None:
        outcome = failure(run(backend, ScriptedTask(tmp_path, {0: ("raise badly",)}), 2), 0)
        assert "RebuildsBadly: one" in outcome.error.message

    def test_an_error_of_ours_stays_what_it_is(self, backend: ComputeBackend, tmp_path: Path) -> None:
        error = failure(run(backend, ScriptedTask(tmp_path, {1: ("raise ours",)}), 2), 1).error
        assert type(error) is MalformedData
        assert (error.message, error.context, error.hint) == ("row 3 has no value", "v.csv", "Fill it in")

    def test_a_backend_can_be_used_again(self, backend: ComputeBackend) -> None:
        assert len(run(backend, count_variables, 2)) == len(run(backend, count_variables, 2)) == 2

    def test_an_iterator_closed_early_does_no_more(self, backend: ComputeBackend, tmp_path: Path) -> None:
        task = ScriptedTask(tmp_path, dict.fromkeys(range(1, 40), ("linger",)))
        outcomes = backend.run(task, units(40))
        next(outcomes)
        outcomes.close()
        calls = sum(task.calls(index) for index in range(40))
        # those under way when the first ended, and those that took their places before the iterator was closed
        assert calls <= 1 + 2 * self.workers
        assert len(run(backend, count_variables, 3)) == 3


def run(backend: ComputeBackend, task: Task, count: int) -> list[UnitOutcome]:
    """Run the copies of the task and the units that arrive after a journey through pickle."""
    copies: tuple[Task, Sequence[WorkUnit]] = pickle.loads(pickle.dumps((task, units(count))))
    return list(backend.run(*copies))


def failure(outcomes: Sequence[UnitOutcome], index: int) -> Failed:
    """Return the outcome of a unit, which must be the only one, and a failure."""
    (outcome,) = (outcome for outcome in outcomes if outcome.unit.index == index)
    assert isinstance(outcome, Failed)
    return outcome
