"""What the engines cost: over bare loops on the same units, when all is recalled, and when a worker is killed.

Wall-clock seconds (CPU where that is said), the least of some goes, the sides in turn; `python
benchmarks/engines.py`. Each side of the first three lines does the same ReplayTask on the same units with the same
sink; ours plans, dispatches, folds and publishes besides. The loky line is the executor that ships in joblib.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
from _synthetic import FIRST_DAY, series

from pulse_adapters.backends.cores import usable_cores
from pulse_adapters.backends.dask import DaskBackend
from pulse_adapters.backends.dask_cluster import LocalWorkers, Scheduler
from pulse_adapters.backends.processes import ProcessesBackend
from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.sinks.filesystem import FilesystemSink
from pulse_adapters.stores.filesystem import FilesystemStore
from pulse_core import RetrodictionTraining, RunSpec, UnitResult, WorkUnit
from pulse_core.forecasters import resolve
from pulse_core.plan import work_units
from pulse_core.ports import ComputeBackend
from pulse_core.replay import ReplayTask, Tables

VARIABLES = 24
POINTS = 1_250
LENGTHS = (1_250, 5_000, 20_000)
UNIT_SIZE = 2
WORKERS = max(2, usable_cores())
GOES = 2


def write_data(folder: Path, points: int = POINTS) -> None:
    days = [(FIRST_DAY + timedelta(days=day)).isoformat() for day in range(points)]
    for number, column in enumerate(np.asarray(series(VARIABLES, points)).T):
        rows = [f"{day},{value:.6f}" for day, value in zip(days, column, strict=True)]
        (folder / f"v{number:03}.csv").write_text("\n".join(["timestamp,value", *rows, ""]))


def spec(points: int = POINTS) -> RunSpec:
    end = FIRST_DAY + timedelta(days=points)
    return RunSpec(variables=[f"v{number:03}" for number in range(VARIABLES)], start=FIRST_DAY, end=end)


def train(
    data: Path, results: Path, backend: ComputeBackend, *, points: int = POINTS, run_id: str | None = None
) -> None:
    RetrodictionTraining(
        store=FilesystemStore(data),
        backend=backend,
        sink=FilesystemSink(results),
        unit_size=UNIT_SIZE,
        run_id=run_id,
    ).execute(spec(points))


def task_and_units(data: Path, results: Path) -> tuple[ReplayTask, Sequence[WorkUnit]]:
    what, units = spec(), work_units(spec(), UNIT_SIZE)
    tables = Tables(what.run_id, len(units))
    return ReplayTask(what, FilesystemStore(data), FilesystemSink(results), resolve(what.roster), tables), units


def futures_loop(data: Path, results: Path, executor: Executor) -> None:
    task, units = task_and_units(data, results)
    for future in as_completed([executor.submit(task, unit) for unit in units]):
        future.result()


def bare_futures(data: Path, results: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as executor:
        futures_loop(data, results, executor)


def bare_loky(data: Path, results: Path) -> None:
    from joblib.externals.loky import ProcessPoolExecutor as LokyExecutor

    with LokyExecutor(WORKERS) as executor:
        futures_loop(data, results, executor)


def nap(unit: WorkUnit) -> UnitResult:
    del unit
    time.sleep(0.2)
    return UnitResult()


def nap_and_die_once(unit: WorkUnit) -> UnitResult:
    marker = Path(os.environ["PULSE_BENCH_MARKER"])
    if unit.index == 5 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return nap(unit)


def seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def cpu_seconds(action: Callable[[], object]) -> float:
    begun = time.process_time()
    action()
    return time.process_time() - begun


def in_turn(sides: dict[str, Callable[[Path], object]], folder: Path) -> dict[str, float]:
    """Return the least of some goes by side; each go gets a folder of its own."""
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for go in range(GOES):
        for name, action in sides.items():
            results = folder / f"{name.replace(' ', '-')}-{go}"
            taken[name].append(seconds(lambda action=action, results=results: action(results)))  # type: ignore[misc]
    return {name: min(times) for name, times in taken.items()}


def report(title: str, taken: dict[str, float]) -> None:
    first = next(iter(taken.values()))
    print(title)
    for name, value in taken.items():
        print(f"  {name:32} {value:7.2f} s   {value / first:5.2f} x")


def processes(data: Path, folder: Path) -> None:
    backend = ProcessesBackend(max_workers=WORKERS, worth_seconds=0)
    sides: dict[str, Callable[[Path], object]] = {
        "bare concurrent.futures": lambda results: bare_futures(data, results),
        "ours, processes": lambda results: train(data, results, backend),
    }
    taken = in_turn(sides, folder)
    # once: the second executor that a process makes was seen to hang, with loky 3.6 on two busy cores
    taken["bare loky"] = seconds(lambda: bare_loky(data, folder / "loky"))
    report(f"{VARIABLES} variables, {WORKERS} processes, their start included", taken)


def dask(data: Path, folder: Path) -> None:
    with LocalWorkers(workers=WORKERS).client() as client:
        backend = DaskBackend(Scheduler(client.scheduler.address))

        def bare(results: Path) -> None:
            task, units = task_and_units(data, results)
            client.gather(client.map(task, units, pure=False))

        sides: dict[str, Callable[[Path], object]] = {
            "bare client.map": bare,
            "ours, dask": lambda results: train(data, results, backend),
        }
        train(data, folder / "warm", backend)
        report(f"the same on a Dask cluster of {WORKERS} that is up", in_turn(sides, folder))


def recall(folder: Path) -> None:
    """Seconds of CPU: what is recalled waits for little else than a disk, and that is the place's own."""
    for points in LENGTHS:
        (data := folder / f"data-{points}").mkdir()
        write_data(data, points)
        recorded, store, nights = folder / f"recorded-{points}", FilesystemStore(data), count()
        train(data, recorded, SerialBackend(), points=points)
        sides: dict[str, Callable[[], object]] = {
            "reading the data": lambda store=store: [store.read(name) for name in spec().variables],  # type: ignore[misc]
            "the same run again": partial(train, data, recorded, SerialBackend(), points=points),
            "another run of the same": lambda data=data, recorded=recorded, points=points, nights=nights: train(  # type: ignore[misc]
                data, recorded, SerialBackend(), points=points, run_id=f"night-{next(nights)}"
            ),
        }
        taken = {name: min(cpu_seconds(action) for _ in range(GOES)) for name, action in sides.items()}
        report(f"all of {VARIABLES} variables x {points:,} recalled, in one process, CPU", taken)


def killed_worker(folder: Path) -> None:
    units = [WorkUnit(number, (f"v{number}",), 1.0) for number in range(20)]
    backend = ProcessesBackend(max_workers=2)
    whole = seconds(lambda: list(backend.run(nap, units)))
    os.environ["PULSE_BENCH_MARKER"] = str(folder / "killed")
    killed = seconds(lambda: list(backend.run(nap_and_die_once, units)))
    print(f"20 units of 0.2 s: {whole:.2f} s; with a worker killed once {killed:.2f} s, {killed - whole:+.2f} s")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pulse-engines-") as place:
        folder = Path(place)
        (data := folder / "data").mkdir()
        write_data(data)
        processes(data, folder)
        dask(data, folder)
        recall(folder)
        killed_worker(folder)


if __name__ == "__main__":
    main()
