"""Cost of the backends: beside a bare loop or the serial backend, when all is recalled, and when a worker is killed.

    python benchmarks/backends.py [processes] [dask] [recall] [killed]

Seconds by the clock, and of CPU where that is said, the sides in turn. Processes: a whole run beside a bare loop that
does the same UnitTask on the same units, of their default size, with the same sink; the run plans, dispatches,
aggregates and publishes besides. Dask: whole runs on a cluster that is up beside whole runs on the serial backend, and
the start of the cluster apart. Empty units tell what it costs to hand out a unit, and how much that is of a default
unit. Units that take little go to Dask in bundles; `alone` is with each unit in a bundle by itself, as default units
are. The loky line is the executor that ships in joblib.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from unittest import mock

import numpy as np
from _pairs import CLOCK, CPU, Pairs, Side, seconds, spent
from _synthetic import FIRST_DAY, series
from _timing import seconds as cpu_seconds
from _units import NAP_SECONDS, NapAndDieOnce, nap, nothing, units

from pulse_adapters.backends.dask import dispatch
from pulse_adapters.backends.dask.backend import DaskBackend
from pulse_adapters.backends.dask.cluster import LocalWorkers, Scheduler
from pulse_adapters.backends.host.cores import usable_cores
from pulse_adapters.backends.processes.backend import ProcessesBackend
from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.sinks.folder import FolderSink
from pulse_adapters.stores.folder import FolderStore
from pulse_core import RetrodictionTraining, RunSpec, WorkUnit
from pulse_core.forecasters.registry import resolve
from pulse_core.plan import work_units
from pulse_core.ports import ComputeBackend, Done, Task
from pulse_core.runs.tables import Tables
from pulse_core.runs.units import UnitTask, workload

RECALLED = ((24, 300), (24, 1_250), (300, 1_250), (24, 5_000), (24, 20_000))
WORKERS = max(2, usable_cores())
REPEATS = 2
RECALLS = 7
MANY, MANY_POINTS = 256, 800
PAIRS = 5
KILLS = 5
EMPTY = (500, 3_500)


def write_data(folder: Path, points: int, variables: int) -> None:
    days = [(FIRST_DAY + timedelta(days=day)).isoformat() for day in range(points)]
    for number, column in enumerate(np.asarray(series(variables, points)).T):
        rows = [f"{day},{value:.6f}" for day, value in zip(days, column, strict=True)]
        (folder / f"v{number:03}.csv").write_text("\n".join(["timestamp,value", *rows, ""]))


def spec(points: int, variables: int) -> RunSpec:
    end = FIRST_DAY + timedelta(days=points)
    return RunSpec(variables=[f"v{number:03}" for number in range(variables)], start=FIRST_DAY, end=end)


def train_many(data: Path, results: Path, backend: ComputeBackend) -> None:
    """Train so many variables that several units of the default size come of them."""
    RetrodictionTraining(store=FolderStore(data), backend=backend, sink=FolderSink(results)).execute(
        spec(MANY_POINTS, MANY)
    )


def task_and_units(data: Path, results: Path) -> tuple[UnitTask, Sequence[WorkUnit]]:
    """Return what train_many dispatches."""
    message = spec(MANY_POINTS, MANY)
    forecasters = resolve(message.forecasters)
    cut = work_units(message, workload(forecasters))
    tables = Tables(message.run_id, len(cut))
    return UnitTask(message, FolderStore(data), FolderSink(results), forecasters, tables), cut


def futures_loop(task: Task, units: Sequence[WorkUnit], executor: Executor) -> None:
    for future in as_completed([executor.submit(task, unit) for unit in units]):
        future.result()


def bare_futures(task: Task, units: Sequence[WorkUnit]) -> None:
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as executor:
        futures_loop(task, units, executor)


def bare_loky(task: Task, units: Sequence[WorkUnit]) -> None:
    from joblib.externals.loky import ProcessPoolExecutor as LokyExecutor

    with LokyExecutor(WORKERS) as executor:
        futures_loop(task, units, executor)


def report(title: str, times: dict[str, float]) -> None:
    first = next(iter(times.values()))
    print(title)
    for name, value in times.items():
        print(f"  {name:32} {value * 1e3:7.1f} ms  {value / first:5.2f} x")


def processes(data: Path, folder: Path) -> None:
    backend = ProcessesBackend(max_workers=WORKERS, worth_seconds=0)
    print(f"{WORKERS} processes, their start included, over a bare loop")

    def bare(results: Path) -> None:
        bare_futures(*task_and_units(data, results))

    bare_futures(nothing, units(WORKERS))  # whatever is started once
    unit = whole_runs(bare, backend, data, folder / "processes")
    loky = seconds(lambda results: bare_loky(*task_and_units(data, results)), folder / "loky")
    print(f"  bare loky, one run: {loky:.2f} s")
    print_empty_unit("bare", empty_unit_seconds(lambda empty: bare_futures(nothing, empty)), unit)
    print_empty_unit("ours", empty_unit_seconds(lambda empty: list(backend.run(nothing, empty))), unit)


def dask(data: Path, folder: Path) -> None:
    """Tell what Dask costs beside the serial backend."""
    print(f"Dask cluster of {WORKERS} processes, over the serial backend")
    starts = [spent(lambda _: start_and_end_cluster(), folder) for _ in range(REPEATS)]
    clock, cpu = (min(start[side] for start in starts) for side in (CLOCK, CPU))
    print(f"  start and end: {clock:.1f} s, CPU {cpu:.1f} s")
    with LocalWorkers(workers=WORKERS).client() as client:
        backend = DaskBackend(Scheduler(client.scheduler.address))
        list(backend.run(nothing, units(WORKERS)))  # whatever is started once
        unit = whole_runs(lambda results: train_many(data, results, SerialBackend()), backend, data, folder / "dask")
        print_empty_unit("bundled", empty_unit_seconds(lambda empty: list(backend.run(nothing, empty))), unit)
        with mock.patch.object(dispatch, "BUNDLE_SECONDS", 0.0):
            print_empty_unit("alone", empty_unit_seconds(lambda empty: list(backend.run(nothing, empty))), unit)


def start_and_end_cluster() -> None:
    with LocalWorkers(workers=WORKERS).client():
        pass


def whole_runs(base: Side, backend: ComputeBackend, data: Path, folder: Path) -> float:
    """Print what whole runs cost beside the base; return the CPU seconds of a default unit."""
    pairs = Pairs.of(base, lambda results: train_many(data, results, backend), PAIRS, folder)
    count = len(task_and_units(data, folder)[1])
    unit = pairs.least(CPU)[0] / count
    print(f"  {MANY} variables in {count} units of {unit:.1f} s")
    print(f"    clock {pairs.summary(CLOCK)}")
    print(f"    CPU   {pairs.summary(CPU)}")
    return unit


def empty_unit_seconds(loop: Callable[[Sequence[WorkUnit]], object]) -> float:
    """Return the seconds that an empty unit takes, apart from what is started once; the least of several runs."""
    few, many = (
        min(seconds(lambda _, count=count: loop(units(count)), Path()) for _ in range(REPEATS))  # type: ignore[misc]
        for count in EMPTY
    )
    return (many - few) / (EMPTY[1] - EMPTY[0])


def print_empty_unit(name: str, empty: float, unit: float) -> None:
    print(f"  an empty unit, {name}: {empty * 1e3:.3f} ms, {empty * WORKERS / unit:.3%} of a default unit")


def recall(folder: Path) -> None:
    """Print the CPU seconds of a recall: it waits for little else than the disk."""
    for variables, points in RECALLED:
        (data := folder / f"data-{variables}-{points}").mkdir()
        write_data(data, points, variables)
        message, store, nights = spec(points, variables), FolderStore(data), count()
        train = partial(train_here, store, FolderSink(folder / f"recorded-{variables}-{points}"), message)
        computing = cpu_seconds(train)
        sides: dict[str, Callable[[], object]] = {
            "reading the data": partial(read, store, message),
            "the same run again": train,
            "another run of the same": lambda train=train, nights=nights: train(f"night-{next(nights)}"),  # type: ignore[misc]
        }
        runs = [{name: cpu_seconds(action) for name, action in sides.items()} for _ in range(RECALLS)]
        least = {name: min(run[name] for run in runs) for name in sides}
        report(f"all of {variables} variables x {points:,} recalled, in one process, CPU", least)
        print(f"  {'computing them':32} {computing * 1e3:7.0f} ms")


def read(store: FolderStore, message: RunSpec) -> None:
    for name in message.variables:
        store.read(name)


def train_here(store: FolderStore, sink: FolderSink, message: RunSpec, run_id: str | None = None) -> None:
    RetrodictionTraining(store=store, backend=SerialBackend(), sink=sink, run_id=run_id).execute(message)


def killed_worker(folder: Path) -> None:
    """Print what a killed worker costs: it dies at the end of the sixth of 20 units, so that the unit is lost whole."""
    with LocalWorkers(workers=2).client() as client:
        backends: dict[str, ComputeBackend] = {
            "processes": ProcessesBackend(max_workers=2),
            "dask": DaskBackend(Scheduler(client.scheduler.address)),
        }
        for name, backend in backends.items():
            pairs = Pairs.of(
                partial(finish, backend, lambda _: nap),
                partial(finish, backend, NapAndDieOnce),
                KILLS,
                folder / f"killed-{name}",
            )
            losses = pairs.differences()
            costs = f"median {statistics.median(losses):+.2f} s ({', '.join(f'{loss:+.2f}' for loss in losses)})"
            print(f"20 units of {NAP_SECONDS} s on {name}: {pairs.least()[0]:.2f} s; with a worker killed {costs}")


def finish(backend: ComputeBackend, task: Callable[[Path], Task], folder: Path) -> None:
    outcomes = list(backend.run(task(folder), units(20)))
    if not all(isinstance(outcome, Done) for outcome in outcomes):
        raise RuntimeError("a unit was lost")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pulse-backends-") as path:
        folder = Path(path)
        (data := folder / "data").mkdir()
        write_data(data, MANY_POINTS, MANY)
        parts: dict[str, Callable[[], None]] = {
            "processes": partial(processes, data, folder),
            "dask": partial(dask, data, folder),
            "recall": partial(recall, folder),
            "killed": partial(killed_worker, folder),
        }
        for name in sys.argv[1:] or parts:
            parts[name]()


if __name__ == "__main__":
    main()
