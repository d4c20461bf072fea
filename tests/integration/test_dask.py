"""DaskBackend with workers that die, threads side by side, other software, no workers, and lost schedulers."""

from __future__ import annotations

import multiprocessing
import threading
import time
from datetime import date
from pathlib import Path
from unittest.mock import Mock

import attrs
import pytest
from distributed import Client, KilledWorker, LocalCluster, Security

from pulse.testing.tasks import count_variables, units
from pulse_adapters.backends.dask.backend import DaskBackend
from pulse_adapters.backends.dask.cluster import LocalWorkers, Scheduler, Tls, scheduler_address
from pulse_adapters.backends.dask.deaths import DeathObserver
from pulse_adapters.backends.dask.dispatch import Pace
from pulse_adapters.backends.dask.worker_task import perform
from pulse_adapters.backends.host.deaths import MemoryKills
from pulse_adapters.backends.host.software import Software
from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.backends.stopping import Stop
from pulse_adapters.sinks.memory import MemorySink
from pulse_adapters.stores.folder import FolderStore
from pulse_core import RetrodictionTraining, RunSpec
from pulse_core.errors import BackendUnavailable, RunInterrupted, SettingsError, UnitFailed
from pulse_core.ports import Done, Failed
from tests.integration.cli import write_series
from tests.tasks import Scripted, alive, oom_score, process_id, profiler_enabled

pytestmark = pytest.mark.integration

OTHER = Software({**Software.here().versions, "numpy": "1.0"})


@pytest.fixture(scope="module")
def processes():
    """Two worker processes, of which tests may kill some."""
    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=":0") as cluster:
        yield DaskBackend(Scheduler(cluster.scheduler_address))


def test_units_are_done_by_the_workers(processes):
    done_by = {outcome.result.computed for outcome in processes.run(process_id, units(200))}
    assert len(done_by) == 2


def test_a_worker_that_dies_once_costs_no_unit(processes, tmp_path):
    task = Scripted(tmp_path, {2: ("kill", "succeed")})
    outcomes = list(processes.run(task, units(8)))
    assert sorted(outcome.unit.index for outcome in outcomes if isinstance(outcome, Done)) == list(range(8))
    assert task.calls(2) == 2


def test_a_poison_unit_is_set_aside_and_the_others_are_done(tmp_path):
    before = multiprocessing.active_children()
    backend = DaskBackend(LocalWorkers(workers=2, deaths_allowed=0))
    outcomes = list(backend.run(Scripted(tmp_path, {0: ("kill",)}), units(6)))
    (failed,) = (outcome for outcome in outcomes if isinstance(outcome, Failed))
    assert failed.unit.index == 0
    assert type(failed.error) is UnitFailed
    assert "the workers that did it died, 1 of them, also when nothing else ran" in failed.error.message
    assert "though memory had not run out" in failed.error.message
    assert len(outcomes) == 6
    assert set(multiprocessing.active_children()) <= set(before)


def test_a_unit_that_takes_more_memory_than_its_worker_may_have_is_said_to(tmp_path):
    backend = DaskBackend(LocalWorkers(workers=1, memory_limit="400MiB", deaths_allowed=0))
    (failed,) = backend.run(Scripted(tmp_path, {0: ("devour",)}), units(1))
    assert isinstance(failed, Failed)
    assert "was ended by its nanny because memory ran out: it held" in failed.error.message
    assert "and may hold 400 MiB" in failed.error.message


def test_a_worker_is_killed_before_its_nanny_where_memory_runs_out(processes):
    own = int(Path("/proc/self/oom_score_adj").read_text())
    (done,) = processes.run(oom_score, units(1))
    assert done.result.computed == min(1000, own + 500)


@pytest.mark.parametrize(
    ("count", "machine", "words"),
    [
        (5, False, "was killed because memory ran out"),
        (4, False, "though memory had not run out; its log"),
        (5, True, "while memory ran out for some process of its machine, which may have been another; its log"),
    ],
)
def test_what_the_kernel_counts_beside_the_nanny_of_a_dead_worker_is_told(count, machine, words):
    before = MemoryKills(Path("counted"), machine, 4)
    worker = Mock(address="tcp://w:1", nanny="tcp://n:1")
    client = Mock(run=lambda *_, **__: {"w": ("tcp://n:1", attrs.evolve(before, count=count))}, get_events=lambda _: ())
    words_of_death = DeathObserver({"tcp://n:1": before}).words(client, KilledWorker("unit-0", worker, 3), Stop())
    assert f"died, 4 of them, also when nothing else ran; the last, at tcp://w:1, {words}" in words_of_death


def test_closed_early_it_leaves_no_process(tmp_path):
    before = multiprocessing.active_children()
    outcomes = DaskBackend(LocalWorkers(workers=2)).run(Scripted(tmp_path, {1: ("hang",)}), units(2))
    next(outcomes)
    outcomes.close()
    assert set(multiprocessing.active_children()) <= set(before)


@pytest.mark.parametrize("first", ["linger", "freeze"])
def test_asked_to_stop_it_ends_workers_that_hear_nothing(tmp_path, first):
    # "linger": its result is there, and the worker that holds it is at the second unit already
    stop, task = Stop(), Scripted(tmp_path, {0: (first,), 1: ("freeze",), 2: ("freeze",)})
    backend = DaskBackend(LocalWorkers(workers=1 if first == "linger" else 2), stop)
    asker = threading.Thread(target=ask_at, args=(stop, task))
    asker.start()
    with pytest.raises(RunInterrupted, match="asked to stop by SIGTERM, and what was under way was dropped"):
        list(backend.run(task, units(3)))
    asker.join()
    assert time.time() - max(path.stat().st_mtime for path in tmp_path.iterdir()) < 3
    assert not any(alive(process) for process in task.process_ids())


def ask_at(stop: Stop, task: Scripted) -> None:
    """Ask to stop once the second unit is under way."""
    while not task.calls(1):
        time.sleep(0.02)
    time.sleep(0.5)
    stop.ask("SIGTERM")


def test_dask_s_sampling_profiler_is_off_on_workers_of_our_own():
    (done,) = DaskBackend(LocalWorkers(workers=1)).run(profiler_enabled, units(1))
    assert isinstance(done, Done)
    assert done.result.computed == 0


def test_two_threads_of_a_worker_give_the_same_bits(tmp_path):
    names = [f"v{number}" for number in range(6)]
    for number, name in enumerate(names):
        write_series(tmp_path, name, 100.0 * number)
    spec = RunSpec(variables=names, start=date(2020, 3, 1), end=date(2020, 5, 31), horizon=2)
    threads = DaskBackend(LocalWorkers(workers=1, threads=2, processes=False))
    digests = [
        RetrodictionTraining(store=FolderStore(tmp_path), backend=backend, sink=MemorySink(), unit_size=1)
        .execute(spec)
        .digest
        for backend in (SerialBackend(), threads)
    ]
    assert digests[0] == digests[1]


def test_workers_with_other_software_are_refused_before_a_unit_is_done(monkeypatch, tmp_path):
    monkeypatch.setattr(Software, "reported", lambda packages: OTHER)
    task = Scripted(tmp_path, {})
    with pytest.raises(BackendUnavailable, match=r"other software: numpy 1\.0 where .* is expected.*Install"):
        list(DaskBackend(LocalWorkers(workers=1, processes=False)).run(task, units(2)))
    assert sum(task.calls(index) for index in range(2)) == 0


def test_a_worker_that_came_later_refuses_by_itself(tmp_path):
    result = perform(units(1), b"never unpickled", OTHER)
    assert (result.outcomes, "numpy" in result.refusal) == ((), True)


def test_software_that_is_missing_is_told():
    reported = Software.reported({"python": "3.11.7.final.0", "numpy": None})
    assert "pulse not installed where" in " ".join(Software.here().differences(reported))
    assert Software.here().differences(Software.here()) == []


def test_a_cluster_without_workers_is_an_error():
    with LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=":0") as cluster:
        backend = DaskBackend(Scheduler(cluster.scheduler_address), patience=0.2)
        with pytest.raises(BackendUnavailable, match=r"there is no worker.*dask worker"):
            list(backend.run(count_variables, units(2)))


def test_a_cluster_whose_workers_all_leave_interrupts_the_run(tmp_path):
    with LocalCluster(
        n_workers=1, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=":0"
    ) as cluster:
        backend = DaskBackend(Scheduler(cluster.scheduler_address), patience=0.2)
        outcomes = backend.run(Scripted(tmp_path, dict.fromkeys(range(1, 30), ("linger",))), units(30))
        next(outcomes)
        cluster.scale(0)
        with pytest.raises(RunInterrupted, match="there is no worker"):
            list(outcomes)


def test_a_scheduler_that_ends_interrupts_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr("pulse_adapters.backends.dask.cluster.CONNECT_SECONDS", 1.0)
    cluster = LocalCluster(n_workers=1, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=":0")
    outcomes = DaskBackend(Scheduler(cluster.scheduler_address)).run(
        Scripted(tmp_path, dict.fromkeys(range(1, 30), ("linger",))), units(30)
    )
    next(outcomes)
    threading.Thread(target=cluster.close).start()
    with pytest.raises(RunInterrupted, match="the Dask scheduler was lost"):
        list(outcomes)


def test_a_scheduler_with_tls_is_reached_with_certificates_only(tmp_path):
    security = Security.temporary()
    paths = Tls(tmp_path / "ca.pem", tmp_path / "cert.pem", tmp_path / "key.pem")
    paths.ca.write_text(security.tls_ca_file)
    paths.cert.write_text(security.tls_client_cert)
    paths.key.write_text(security.tls_client_key)
    with LocalCluster(
        n_workers=1, processes=False, protocol="tls", host="127.0.0.1", security=security, dashboard_address=":0"
    ) as cluster:
        address = cluster.scheduler_address
        assert len(list(DaskBackend(Scheduler(address, paths)).run(count_variables, units(3)))) == 3


def test_where_the_run_is_done_is_announced():
    told: list[tuple[str, str]] = []
    backend = DaskBackend(
        LocalWorkers(workers=1, processes=False),
        announce=lambda scheduler, dashboard: told.append((scheduler, dashboard)),
    )
    list(backend.run(count_variables, units(1)))
    ((scheduler, dashboard),) = told
    assert "://" in scheduler
    assert dashboard.startswith("http://")


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:8786", "tcp://127.0.0.1:8786"), ("tcp://h:1", "tcp://h:1"), ("tls://h:8786", "tls://h:8786")],
)
def test_an_address_without_scheme_is_tcp(text, address):
    assert scheduler_address(text) == address


@pytest.mark.parametrize("text", ["", "host", "host:", ":8786", "http://host:8786", "host:99999", "host:x"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(SettingsError, match="is no scheduler's address"):
        scheduler_address(text)


def test_certificates_and_tls_go_together(tmp_path):
    with pytest.raises(SettingsError, match="go together"):
        Scheduler("tls://h:1")
    with pytest.raises(SettingsError, match="go together"):
        Scheduler("tcp://h:1", Tls(tmp_path, tmp_path, tmp_path))


def test_a_run_that_waits_does_not_ask_for_nothing_a_hundred_times_a_second(processes, tmp_path, monkeypatch):
    asked: list[int] = []
    gather = Client.gather

    def counted(client: Client, futures: list[object], **how: object) -> object:
        asked.append(len(futures))
        return gather(client, futures, **how)

    monkeypatch.setattr(Client, "gather", counted)
    list(processes.run(Scripted(tmp_path, dict.fromkeys(range(2), ("linger",))), units(2)))
    assert asked
    assert 0 not in asked


def test_bundles_are_cut_by_what_units_have_taken():
    pace = Pace()
    assert pace.size(waiting=1000, threads=2) == 1  # nothing is known yet
    pace.record(units=10, seconds=0.01)
    assert pace.size(waiting=10_000, threads=2) == 500
    assert pace.size(waiting=40, threads=2) == 10  # enough is left for all to the end
    pace.record(units=10, seconds=100.0)
    assert pace.size(waiting=1000, threads=2) == 1
