"""Workers that something ends while they are started: they are started again, or the message says what happened."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest

from pulse.testing.tasks import count_variables, units
from pulse_adapters.backends.dask.backend import DaskBackend
from pulse_adapters.backends.dask.cluster import LocalWorkers
from pulse_adapters.backends.processes.backend import ProcessesBackend
from pulse_adapters.backends.stopping import Stop
from pulse_core.errors import BackendUnavailable, RunInterrupted
from pulse_core.ports import Done
from tests.integration.cli import PERIOD, command, environment, write_series

pytestmark = pytest.mark.integration

IN_TIME = 60.0


def with_kills(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Kill the fork server while it starts a worker, so many times: before it has told the worker's number."""
    left = iter(range(count))
    server: Any = forkserver._forkserver
    connect = server.connect_to_new_process

    def connect_and_kill(descriptors: Any) -> Any:
        if next(left, None) is None:
            return connect(descriptors)
        server.ensure_running()
        os.kill(server._forkserver_pid, signal.SIGSTOP)
        connection = connect(descriptors)
        os.kill(server._forkserver_pid, signal.SIGKILL)
        return connection

    monkeypatch.setattr("multiprocessing.forkserver.connect_to_new_process", connect_and_kill)


@pytest.mark.parametrize("count", [1, 2])
def test_a_fork_server_that_is_killed_is_started_again(monkeypatch, count) -> None:
    with_kills(monkeypatch, count)
    outcomes = list(ProcessesBackend(max_workers=2, worth_seconds=0).run(count_variables, units(8)))
    assert len([outcome for outcome in outcomes if isinstance(outcome, Done)]) == 8


def test_a_fork_server_that_is_always_killed_is_an_honest_message(monkeypatch) -> None:
    with_kills(monkeypatch, 100)
    with pytest.raises(BackendUnavailable, match="the fork server has ended") as caught:
        list(ProcessesBackend(max_workers=2, worth_seconds=0).run(count_variables, units(8)))
    assert "__main__" not in caught.value.hint
    assert "limits on memory" in caught.value.hint


def test_a_stop_that_arrives_with_the_death_of_the_fork_server_is_an_interruption(monkeypatch) -> None:
    with_kills(monkeypatch, 100)
    stop = Stop()
    stop.reason = "SIGTERM"
    with pytest.raises(RunInterrupted):
        list(ProcessesBackend(max_workers=2, worth_seconds=0, stop=stop).run(count_variables, units(8)))


@pytest.mark.parametrize(("failures", "starts"), [(1, 2), (2, 3)])
def test_a_cluster_of_our_own_is_started_again(monkeypatch, failures, starts) -> None:
    import distributed

    begun: list[int] = []
    real = distributed.LocalCluster

    def failing(**options: Any) -> Any:
        begun.append(1)
        if len(begun) <= failures:
            raise RuntimeError("Nanny failed to start.")
        return real(**options)

    monkeypatch.setattr(distributed, "LocalCluster", failing)
    outcomes = list(DaskBackend(LocalWorkers(workers=1, processes=False)).run(count_variables, units(3)))
    assert (len(outcomes), len(begun)) == (3, starts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, level in (("a", 100.0), ("b", 1000.0)):
        write_series(tmp_path / "data", name, level)
    (tmp_path / "own.py").write_text(
        "class Own:\n    def forecast(self, history, horizon):\n        return [history[-1]] * horizon\n"
    )
    return tmp_path


BACKENDS = {
    "processes": ("--backend", "processes", "--max-workers", 2),
    "dask": ("--use-dask", "--dask-local", "--dask-workers", 2, "--dask-dashboard-port", 0),
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    ("backend", "delays"),
    [("processes", (0.6, 0.8, 1.0, 1.2)), ("dask", (1.2, 1.8, 2.4, 3.0))],
    ids=["processes", "dask"],
)
def test_a_signal_to_the_whole_group_while_workers_start_is_an_interruption(folder, backend, delays, number) -> None:
    own = ("--forecasters", "own:Own", "drift", "--unit-size", 1, "--fresh")
    for delay in delays:
        process = subprocess.Popen(
            command("train", "--variables", "a", "b", *PERIOD, *own, *BACKENDS[backend]),
            cwd=folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        time.sleep(delay)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        _, err = process.communicate(timeout=IN_TIME)
        assert process.returncode in {0, 75}, err
        assert "Traceback" not in err
