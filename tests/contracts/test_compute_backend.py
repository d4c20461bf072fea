"""Every ComputeBackend keeps the contract, and the contract catches every broken one.

A new backend is one line in BACKENDS.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import attrs
import pytest

from pulse.testing import ComputeBackendContract
from pulse.testing.compute_backend import failure, run
from pulse.testing.tasks import units
from pulse_adapters.backends.dask.backend import DaskBackend
from pulse_adapters.backends.dask.cluster import LocalWorkers
from pulse_adapters.backends.processes.backend import ProcessesBackend
from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.backends.stopping import Stop
from pulse_core.errors import RunInterrupted, UnitFailed
from pulse_core.plan import WorkUnit
from pulse_core.ports import ComputeBackend, Done, Failed, Task, UnitOutcome
from tests.fakes import FakeBackend
from tests.tasks import Scripted, UnloadableTask

BACKENDS: dict[str, Callable[[], AbstractContextManager[ComputeBackend]]] = {
    "fake": lambda: nullcontext(FakeBackend()),
    "serial": lambda: nullcontext(SerialBackend()),
    "processes": lambda: nullcontext(ProcessesBackend(max_workers=2, worth_seconds=0)),
    "dask": lambda: nullcontext(DaskBackend(LocalWorkers(workers=2, processes=False))),
    "processes, in one": lambda: nullcontext(ProcessesBackend(max_workers=1)),
}


class TestBackends(ComputeBackendContract):
    @pytest.fixture(autouse=True, params=BACKENDS)
    def choose(self, request):
        self.opener = BACKENDS[request.param]

    def open(self):
        return self.opener()


class FakeBackends(ComputeBackendContract):
    def open(self):
        return nullcontext(FakeBackend())


@pytest.fixture(params=[name for name in BACKENDS if name != "fake"])
def adapter(request: pytest.FixtureRequest) -> Iterator[ComputeBackend]:
    with BACKENDS[request.param]() as opened:
        yield opened


class TestAdapters:
    """What the adapters promise beyond the port, because it is foreign code that they run."""

    def test_a_unit_that_calls_exit_is_a_failure_of_that_unit(self, adapter, tmp_path):
        outcomes = run(adapter, Scripted(tmp_path, {0: ("exit",)}), 3)
        assert "SystemExit: 4" in failure(outcomes, 0).error.message
        assert len(outcomes) == 3

    def test_a_failure_shows_the_last_frames(self, adapter, tmp_path):
        failed = failure(run(adapter, Scripted(tmp_path, {0: ("raise",)}), 2), 0)
        assert "tasks.py" in failed.error.message
        assert "_raise_foreign" in failed.error.message
        assert failed.error.context == "unit 0 (v0)"


STOPPABLE: dict[str, Callable[[Stop], ComputeBackend]] = {
    "serial": SerialBackend,
    "processes": lambda stop: ProcessesBackend(max_workers=2, worth_seconds=0, stop=stop),
    "processes, in one": lambda stop: ProcessesBackend(max_workers=1, stop=stop),
    "dask": lambda stop: DaskBackend(LocalWorkers(workers=2, processes=False), stop),
}


@pytest.mark.parametrize("name", STOPPABLE)
class TestStopping:
    """What every adapter does when it is asked to stop."""

    def test_it_begins_no_unit_any_more_and_finishes_those_under_way(self, name, tmp_path):
        stop, task = Stop(), Scripted(tmp_path, dict.fromkeys(range(30), ("linger",)))
        outcomes = STOPPABLE[name](stop).run(task, units(30))
        finished = [next(outcomes)]
        assert stop.ask("SIGTERM")
        with pytest.raises(RunInterrupted, match="asked to stop by SIGTERM"):
            finished.extend(outcomes)
        begun = sum(task.calls(index) for index in range(30))
        assert all(isinstance(outcome, Done) for outcome in finished)
        # Dask may begin one a worker before it hears that it should not
        assert len(finished) <= begun <= len(finished) + (2 if name == "dask" else 0) <= 8

    def test_asked_before_it_does_nothing(self, name, tmp_path):
        stop, task = Stop(), Scripted(tmp_path, {})
        assert not stop.ask("SIGINT")
        with pytest.raises(RunInterrupted, match="SIGINT"):
            next(STOPPABLE[name](stop).run(task, units(3)))
        assert sum(task.calls(index) for index in range(3)) == 0

    def test_asked_after_the_last_unit_it_has_come_to_its_end(self, name, tmp_path):
        stop = Stop()
        outcomes = list(STOPPABLE[name](stop).run(Scripted(tmp_path, {}), units(3)))
        assert not stop.ask("SIGTERM")
        assert len(outcomes) == 3


@pytest.fixture(params=["processes", "dask"])
def remote(request: pytest.FixtureRequest) -> Iterator[ComputeBackend]:
    with BACKENDS[request.param]() as opened:
        yield opened


class TestRemoteBackends:
    """What holds where units are done in other processes."""

    def test_a_task_that_cannot_be_loaded_there_fails_every_unit(self, remote):
        outcomes = list(remote.run(UnloadableTask(), units(3)))
        assert ["only_at_home" in failure(outcomes, index).error.message for index in range(3)] == [True] * 3

    def test_a_result_that_cannot_be_sent_fails_its_unit(self, remote, tmp_path):
        outcomes = run(remote, Scripted(tmp_path, {1: ("return unpicklable",)}), 3)
        assert "this object stays where it is" in failure(outcomes, 1).error.message
        assert len(outcomes) == 3


@attrs.frozen
class DropsTheLast:
    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        yield from FakeBackend().run(task, units[:-1])


@attrs.frozen
class Repeats:
    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        yield from FakeBackend().run(task, [*units, *units[:1]])


@attrs.frozen
class DoesTwice:
    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        list(FakeBackend().run(task, units))
        yield from FakeBackend().run(task, units)


@attrs.frozen
class RaisesForOne:
    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        for unit in units:
            yield Done(unit, task(unit))


@attrs.frozen
class StopsAtAFailure:
    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        for outcome in FakeBackend().run(task, units):
            yield outcome
            if isinstance(outcome, Failed):
                return


@attrs.frozen
class MixesUp:
    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        results = [task(unit) for unit in units]
        yield from map(Done, units, results[1:] + results[:1])


@attrs.frozen
class HidesTheKind:
    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        for outcome in FakeBackend().run(task, units):
            error = UnitFailed(str(outcome.error)) if isinstance(outcome, Failed) else None
            yield outcome if error is None else Failed(outcome.unit, error)


@pytest.mark.parametrize(
    ("broken", "caught_by"),
    [
        (DropsTheLast(), "test_every_unit_has_exactly_one_outcome"),
        (Repeats(), "test_every_unit_has_exactly_one_outcome"),
        (DoesTwice(), "test_each_unit_is_done_once"),
        (RaisesForOne(), "test_a_unit_that_fails_leaves_the_others_standing"),
        (StopsAtAFailure(), "test_a_unit_that_fails_leaves_the_others_standing"),
        (MixesUp(), "test_an_outcome_brings_what_its_own_unit_gave"),
        (HidesTheKind(), "test_an_error_of_ours_stays_what_it_is"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_the_contract_bites(broken: ComputeBackend, caught_by: str, tmp_path: Path):
    contract: Callable[..., None] = getattr(FakeBackends(), caught_by)
    folder = (tmp_path,) if "tmp_path" in contract.__code__.co_varnames else ()
    contract(FakeBackend(), *folder)
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises((AssertionError, KeyError)):
        contract(broken, *folder)


def test_the_table_names_every_backend_there_is():
    folder = Path(__file__).parents[2] / "src/pulse_adapters/backends"
    named = {name.split(",")[0] for name in BACKENDS} - {"fake"}
    assert STOPPABLE.keys() == BACKENDS.keys() - {"fake"}
    classes = [path.relative_to(folder) for path in folder.rglob("*.py") if "Backend:\n" in path.read_text()]
    adapters = {path.parts[0].removesuffix(".py") for path in classes}
    assert named == adapters
