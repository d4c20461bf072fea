"""ProcessesBackend with processes that are killed, hang, lose their parent, or are started in odd places."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from pulse.testing.tasks import count_variables, units
from pulse_adapters.backends.host.deaths import MemoryKills
from pulse_adapters.backends.processes.backend import ProcessesBackend
from pulse_adapters.backends.stopping import Stop
from pulse_core.errors import RunInterrupted, UnitFailed
from pulse_core.plan import WorkUnit
from pulse_core.ports import Done, Failed, Task
from tests.tasks import (
    KilledAtFirst,
    Scripted,
    alive,
    environment_word,
    oom_score,
    process_id,
    threads_per_library,
)

pytestmark = pytest.mark.integration

TWO = ProcessesBackend(max_workers=2, worth_seconds=0)
HERE = Path(__file__).parents[2]


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def answers(task: Task, work: Sequence[WorkUnit]) -> list[int]:
    return [outcome.result.computed for outcome in TWO.run(task, work) if isinstance(outcome, Done)]


def start_script(folder: Path, code: str) -> subprocess.Popen[str]:
    script = folder / "script.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONPATH": f"{HERE / 'src'}{os.pathsep}{HERE}"}
    return subprocess.Popen(
        [sys.executable, script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_units_are_done_by_the_workers():
    done_by = set(answers(process_id, units(20)))
    assert os.getpid() not in done_by
    assert len(done_by) <= 2


def test_each_library_has_one_thread_in_a_worker_and_the_parent_keeps_its_environment(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = dict(os.environ)
    assert answers(threads_per_library, units(2)) == [4, 4]
    assert dict(os.environ) == before


def test_workers_see_the_environment_of_now_not_of_the_first_run(monkeypatch):
    for length in (3, 5):
        monkeypatch.setenv("PULSE_TEST_WORD", "x" * length)
        assert answers(environment_word, units(2)) == [length, length]


@pytest.mark.parametrize("death", ["kill", "vanish"])
def test_a_unit_whose_worker_dies_once_is_done_again_and_only_it(tmp_path, death):
    task = Scripted(tmp_path, {2: (death, "succeed")})
    outcomes = list(TWO.run(task, units(8)))
    assert sorted(outcome.unit.index for outcome in outcomes if isinstance(outcome, Done)) == list(range(8))
    assert [task.calls(index) for index in range(8)] == [1, 1, 2, 1, 1, 1, 1, 1]


def test_a_unit_that_is_tried_again_is_not_said_to_be_the_first_attempt():
    outcomes = TWO.run(KilledAtFirst(), units(4))
    firsts = {outcome.unit.index: outcome.result.computed for outcome in outcomes if isinstance(outcome, Done)}
    assert firsts == {0: 1, 1: 0, 2: 1, 3: 1}


@pytest.mark.parametrize(
    ("death", "words"), [("kill", "SIGKILL from outside; memory had not run out"), ("vanish", "exit status 3")]
)
def test_a_poison_unit_is_set_aside_and_the_others_are_done(tmp_path, death, words):
    task = Scripted(tmp_path, {0: (death,)})
    outcomes = list(TWO.run(task, units(6)))
    (failed,) = (outcome for outcome in outcomes if isinstance(outcome, Failed))
    assert failed.unit.index == 0
    assert type(failed.error) is UnitFailed
    assert words in failed.error.message
    assert "tried 3 times" in failed.error.message
    assert len(outcomes) == 6
    assert [task.calls(index) for index in range(6)] == [3, 1, 1, 1, 1, 1]


@attrs.frozen
class CountsWithUnits(MemoryKills):
    """Stands for the kernel's count, which only root can make rise (as benchmarks/chaos.py does): the attempts."""

    def now(self) -> MemoryKills:
        return attrs.evolve(self, count=len(list(self.file.glob("0-*"))))


def test_a_poison_unit_whose_kills_the_kernel_counts_is_said_to_have_run_out_of_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(MemoryKills, "near", lambda process: CountsWithUnits(tmp_path, machine=False, count=0))
    outcomes = list(TWO.run(Scripted(tmp_path, {0: ("kill",), 1: ("linger",)}), units(4)))
    (failed,) = (outcome for outcome in outcomes if isinstance(outcome, Failed))
    assert failed.error.message == "its process was killed because memory ran out; tried 3 times"
    assert len(outcomes) == 4


def test_a_worker_is_killed_before_the_coordinator_where_memory_runs_out():
    own = int(Path("/proc/self/oom_score_adj").read_text())
    assert min(answers(oom_score, units(2))) == min(1000, own + 500)


def test_two_poison_units_are_told_apart_from_their_neighbours(tmp_path):
    outcomes = list(TWO.run(Scripted(tmp_path, {1: ("kill",), 2: ("vanish",)}), units(9)))
    assert {outcome.unit.index for outcome in outcomes if isinstance(outcome, Failed)} == {1, 2}
    assert len(outcomes) == 9


def test_retries_can_be_turned_off(tmp_path):
    backend = ProcessesBackend(max_workers=2, worth_seconds=0, unit_retries=0)
    task = Scripted(tmp_path, {0: ("kill",)})
    outcomes = list(backend.run(task, units(3)))
    assert [outcome.unit.index for outcome in outcomes if isinstance(outcome, Failed)] == [0]
    assert task.calls(0) == 1


def test_a_unit_dead_twice_is_tried_while_nothing_else_runs(tmp_path):
    script = {0: ("kill", "kill", "succeed"), 1: ("linger",), 2: ("linger",), 3: ("linger",)}
    task = Scripted(tmp_path, script)
    outcomes = list(TWO.run(task, units(4)))
    assert (outcomes[-1].unit.index, type(outcomes[-1])) == (0, Done)
    begun = {path.name.rsplit("-", 1)[0]: path.stat().st_mtime for path in tmp_path.iterdir()}
    assert begun["0-1"] < begun["3-0"] + 0.29 <= begun["0-2"]


def test_an_iterator_closed_early_leaves_no_worker(tmp_path):
    task = Scripted(tmp_path, {1: ("hang",)})
    outcomes: Any = TWO.run(task, units(2))
    assert next(outcomes).unit.index == 0
    started = time.monotonic()
    outcomes.close()
    assert time.monotonic() - started < 3
    assert not any(alive(process) for process in task.process_ids())
    assert multiprocessing.active_children() == []


def test_what_the_caller_raises_ends_the_workers(tmp_path):
    task = Scripted(tmp_path, {1: ("hang",)})

    def consume() -> None:
        for _ in TWO.run(task, units(2)):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        consume()
    assert wait_until(lambda: not any(alive(process) for process in task.process_ids()))


def test_asked_to_stop_it_ends_a_worker_that_hears_nothing(tmp_path):
    stop, task = Stop(), Scripted(tmp_path, {1: ("freeze",)})
    outcomes = ProcessesBackend(max_workers=2, worth_seconds=0, stop=stop).run(task, units(2))
    assert next(outcomes).unit.index == 0
    assert wait_until(lambda: task.calls(1) == 1)
    stop.ask("SIGTERM")
    started = time.monotonic()
    with pytest.raises(RunInterrupted, match="asked to stop by SIGTERM, and what was under way was dropped"):
        list(outcomes)
    assert 0.9 < time.monotonic() - started < 2
    assert not any(alive(process) for process in task.process_ids())


def test_many_units_are_handed_out_one_by_one():
    assert sum(1 for _ in TWO.run(count_variables, units(3000))) == 3000


def test_services_run_it_from_threads_at_once():
    counts: list[int] = []

    def run() -> None:
        counts.append(sum(1 for _ in TWO.run(count_variables, units(10))))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [10, 10, 10]


SCRIPT = """
import sys
from pathlib import Path
from pulse_adapters.backends.processes.backend import ProcessesBackend
from pulse.testing.tasks import units
from tests.tasks import Scripted

{guard}
    task = Scripted(Path({folder!r}), {script!r})
    for outcome in ProcessesBackend(max_workers=2, worth_seconds=0).run(task, units(4)):
        print("finished", outcome.unit.index, flush=True)
"""
GUARD = "if __name__ == '__main__':"


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    (tmp_path / "calls").mkdir()
    return tmp_path / "calls"


def test_a_script_can_run_it(tmp_path, calls):
    code = SCRIPT.format(guard=GUARD, folder=str(calls), script={})
    out, err = start_script(tmp_path, code).communicate(timeout=60)
    assert (sorted(out.split("\n")), err) == (["", *(f"finished {index}" for index in range(4))], "")


def test_a_script_needs_no_guard(tmp_path, calls):
    process = start_script(tmp_path, SCRIPT.format(guard="if True:", folder=str(calls), script={}))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err


@pytest.mark.parametrize(
    ("how", "act"), [(signal.SIGKILL, "hang"), (signal.SIGINT, "hang"), (signal.SIGKILL, "freeze")]
)
def test_the_workers_end_with_their_parent_even_in_the_middle_of_a_unit(tmp_path, calls, how, act):
    script = dict.fromkeys(range(4), (act,))
    process = start_script(tmp_path, SCRIPT.format(guard=GUARD, folder=str(calls), script=script))
    task = Scripted(calls, {})
    assert wait_until(lambda: len(task.process_ids()) == 2)
    process.send_signal(how)
    process.communicate(timeout=60)
    assert wait_until(lambda: not any(alive(worker) for worker in task.process_ids()), 2)


def test_a_worker_killed_from_outside_costs_its_unit_alone(tmp_path):
    task = Scripted(tmp_path, {0: ("hang", "succeed"), 1: ("linger",)})
    outcomes = TWO.run(task, units(4))
    killer = threading.Thread(target=_kill_first_of, args=(tmp_path,))
    killer.start()
    assert len(list(outcomes)) == 4
    killer.join()
    assert [task.calls(index) for index in range(4)] == [2, 1, 1, 1]


def _kill_first_of(folder: Path) -> None:
    wait_until(lambda: any(folder.glob("0-0-*")))
    (path,) = folder.glob("0-0-*")
    os.kill(int(path.name.rsplit("-", 1)[1]), signal.SIGKILL)
