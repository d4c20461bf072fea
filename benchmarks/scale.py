"""What a run costs as it grows: CPU per (variable x origin x forecaster) and peak memory, all-in and by stage.

Each line is a process of its own that trains synthetic series through RetrodictionTraining, in units of the default
size, with a sink that keeps nothing, or with the results in a folder. `python benchmarks/scale.py [--large]
[--results FOLDER]`; how to read it: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import numpy as np
from _synthetic import SyntheticStore
from _timing import least

from pulse_adapters.sinks.folder import FolderSink
from pulse_core import Done, Forecaster, Histories, RetrodictionTraining, RunResult, Slice, Task, UnitOutcome, WorkUnit
from pulse_core.backtest.evaluation import evaluate
from pulse_core.backtest.hindcasting import hindcast
from pulse_core.backtest.histories import stretches
from pulse_core.backtest.learning import lessons
from pulse_core.backtest.origins import Stretches, gather
from pulse_core.backtest.scoring import score
from pulse_core.data.point_in_time import point_in_time
from pulse_core.forecasters.registry import resolve
from pulse_core.plan import take, work_units
from pulse_core.ports import Write
from pulse_core.results import Record

HORIZON: Final = 5
POINTS: Final = 1250
VARIABLES: Final = (1, 2, 10, 100)
SAMPLED: Final = 16
"""Of the large run, every so-manieth unit is done, unless all of it is asked for."""
LENGTHS: Final = (500, 5_000, 20_000)
VARIABLES_OF_LENGTHS: Final = 4
LARGE: Final = 10_000
COLUMNS: Final = ["variable", "forecaster", "horizon", "batch", "mae", "crps", "trust"]


@attrs.frozen
class Case:
    """One line: a store, the share of its units this process does, and how often (the least time counts)."""

    variables: int
    points: int
    goes: int = 1
    index: int = 0
    slices: int = 1
    results: Path | None = None

    @property
    def share(self) -> Slice | None:
        """The share of the units, or None for all."""
        return Slice(self.index, self.slices) if self.slices > 1 else None

    def done(self) -> int:
        """Return how many (variable x origin x forecaster) this process does."""
        store = SyntheticStore(self.variables, self.points)
        spec = store.spec()
        variables = sum(len(unit.variables) for unit in take(work_units(spec), self.share))
        return variables * store.origins * len(spec.forecasters)


@attrs.frozen
class Cost:
    """CPU and wall-clock seconds, and the process's peak memory in MiB."""

    cpu: float
    wall: float
    peak: float


class InThisProcess:
    """A ComputeBackend that does one unit after another and lets every error through."""

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        for unit in units:
            yield Done(unit, task(unit))


class NoSink:
    """A ResultSink that keeps nothing."""

    def recall(self, key: str) -> Record | None:
        del key
        return None

    def record(self, key: str, result: Record) -> None:
        """Forget the result."""

    def remove_record(self, key: str) -> None:
        """There is none."""

    def has_part(self, run_id: str, name: str) -> bool:
        del run_id, name
        return False

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        del run_id, name
        yield lambda columns: None  # noqa: ARG005  the columns are made and dropped

    def publish(self, result: RunResult) -> Sequence[str]:
        del result
        return ()


def train(case: Case) -> Cost:
    """Run a case in this process."""
    store = SyntheticStore(case.variables, case.points)
    sink = NoSink() if case.results is None else FolderSink(case.results)
    training = RetrodictionTraining(store=store, backend=InThisProcess(), sink=sink, slice=case.share)
    _warm_up()
    begun = time.perf_counter()
    cpu = least(lambda: training.execute(store.spec()), case.goes)
    wall = (time.perf_counter() - begun) / case.goes
    return Cost(cpu, wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _warm_up() -> None:
    """Import what is imported on first use, and fill the tables that are kept."""
    small = SyntheticStore(1, 100)
    RetrodictionTraining(store=small, backend=InThisProcess(), sink=NoSink()).execute(small.spec())


@attrs.frozen
class Stage:
    """A stage of a unit, and its CPU seconds."""

    name: str
    cpu: float


def stages(case: Case) -> list[Stage]:
    """Time the stages of one unit of the default size, each on its own, and what is left of the whole."""
    store = SyntheticStore(case.variables, case.points)
    spec = store.spec()
    forecasters = resolve(spec.forecasters)
    unit = work_units(spec)[0]
    points = [point_in_time(store.read(variable), spec) for variable in unit.variables]
    with np.errstate(all="ignore"):  # as evaluate does
        laid_out = list(stretches(points))
        origins, taught = gather(points, spec, laid_out), lessons(points, spec.horizon)
        alone = [
            Stage(one.name, least(partial(_hindcast_all, one, [each for _, each in laid_out]), case.goes))
            for one in forecasters.forecasters
        ]
        made = hindcast(forecasters, laid_out, origins, taught, {})
        hindcasts = least(lambda: hindcast(forecasters, _afresh(laid_out), origins, taught, {}), case.goes)
        scored = least(lambda: score(made.forecasts, origins, taught, spec), case.goes)
    whole = least(lambda: evaluate(points, spec, forecasters), case.goes)
    run = least(lambda: _train_one(store, unit), case.goes)
    return [
        *alone,
        Stage("combinations, ensemble", hindcasts - sum(stage.cpu for stage in alone)),
        Stage("quantiles, scores", scored),
        Stage("layout, trust, tests", whole - hindcasts - scored),
        Stage("data, keys, summaries", run - whole),
    ]


def _hindcast_all(forecaster: Forecaster, laid_out: Sequence[Histories]) -> None:
    for each in laid_out:
        forecaster.hindcast(attrs.evolve(each), HORIZON)


def _afresh(laid_out: Stretches) -> Stretches:
    """Forget what forecasters have shared of earlier goes."""
    return [(places, attrs.evolve(histories)) for places, histories in laid_out]


def _train_one(store: SyntheticStore, unit: WorkUnit) -> None:
    spec = attrs.evolve(store.spec(), variables=unit.variables)
    RetrodictionTraining(store=store, backend=InThisProcess(), sink=NoSink()).execute(spec)


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--large", action="store_true", help=f"all of {LARGE} variables, which takes minutes")
    options.add_argument("--processes", type=int, default=2, help="for --large: each takes a slice of the units")
    options.add_argument("--results", type=Path, help="for --large: a new folder for records and tables")
    options.add_argument("--goes", type=int, default=2, help="how often each line is run; the least counts")
    given = options.parse_args()
    print(f"{'variables':>9} {'points':>7} {'us per var x origin x forecaster':>33} {'wall s':>8} {'peak MiB':>9}")
    for count in VARIABLES:
        _line([Case(count, POINTS, given.goes)])
    for points in LENGTHS:
        _line([Case(VARIABLES_OF_LENGTHS, points, given.goes)])
    slices = given.processes if given.large else SAMPLED
    shares = range(given.processes if given.large else 1)
    _line([Case(LARGE, POINTS, 1, index, slices, given.results if given.large else None) for index in shares])
    if given.large and given.results is not None:
        _print_reading(given.results)
    print("\nby stage, us per var x origin (the sum over the forecasters; one unit)")
    _print_stages([Case(count, POINTS, given.goes) for count in (1, 2, 64)])


def _line(cases: Sequence[Case]) -> None:
    """Run cases side by side, each in a fresh process, and print them as one line."""
    spawning = multiprocessing.get_context("spawn")
    with spawning.Pool(len(cases), maxtasksperchild=1) as pool:
        costs = pool.map(train, cases, chunksize=1)
    first = cases[0]
    cpu = sum(cost.cpu for cost in costs) / sum(case.done() for case in cases) * 1e6
    wall, peak = max(cost.wall for cost in costs), max(cost.peak for cost in costs)
    print(f"{first.variables:>9,} {first.points:>7,} {cpu:>33.2f} {wall:>8.1f} {peak:>9.0f}", flush=True)


def _print_reading(folder: Path) -> None:
    """Say how long pandas takes to read some columns of all scores."""
    import pandas as pd

    begun = time.perf_counter()
    (scores,) = (pd.read_parquet(path, columns=COLUMNS) for path in folder.glob("*/scores"))
    print(
        f"{len(scores):,} rows of scores, {len(COLUMNS)} columns, read by pandas in {time.perf_counter() - begun:.1f} s"
    )


def _print_stages(cases: Sequence[Case]) -> None:
    columns = [stages(case) for case in cases]
    print(f"{'variables':>24} " + " ".join(f"{case.variables:>10}" for case in cases))
    for row in zip(*columns, strict=True):
        _print_row(row[0].name, [stage.cpu for stage in row], cases)
    _print_row("all", [sum(stage.cpu for stage in column) for column in columns], cases)


def _print_row(name: str, cpu: Sequence[float], cases: Sequence[Case]) -> None:
    cells = [case.variables * SyntheticStore(case.variables, case.points).origins for case in cases]
    figures = (one / count * 1e6 for one, count in zip(cpu, cells, strict=True))
    print(f"{name:>24} " + " ".join(f"{figure:>10.3f}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
