"""What a run costs as it grows: everything in process, by stage, and the peak memory of a worker.

Everything in process is RetrodictionTraining(...).execute(spec) with the default forecasters that a series without a
season can use, horizon 5, data in memory, the serial backend, a sink in memory and every origin from 30 observations
on; imports are left out. Each line is a process of its own. `python benchmarks/scale.py [--large]`; how to read it:
benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Final, TypeVar

import attrs
import numpy as np
from _silent import SilentSink
from _synthetic import HORIZON, MemoryStore, SyntheticStore
from _timing import least

from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.sinks.memory import MemorySink
from pulse_core import DataStore, Forecaster, Observations, RetrodictionTraining, RunSpec, WorkUnit
from pulse_core.backtest.hindcasts import hindcast
from pulse_core.backtest.learning import LearningPass
from pulse_core.backtest.origins import origins_of
from pulse_core.backtest.variable import backtest, histories_of
from pulse_core.data.known_at import resolve_known_at
from pulse_core.data.point_in_time import PointInTime, point_in_time
from pulse_core.forecasters.registry import resolve
from pulse_core.runs.summary import aggregate, variable_batches
from pulse_core.runs.table_rows import batch_columns, score_columns
from pulse_core.runs.tables import Tables
from pulse_core.runs.units import UnitTask

POINTS: Final = 1_250
CASES: Final = ((1, POINTS), (2, POINTS), (100, POINTS), (4, 500), (4, POINTS), (4, 5_000), (4, 20_000))
STAGES_OF: Final = (500, POINTS, 20_000)
WORKERS_OF: Final = (100, 1_000)
LARGE: Final = 10_000
UNIT: Final = 64
"""Variables of a unit, at most, as they are cut by default."""

Argument = TypeVar("Argument")
Answer = TypeVar("Answer")


@attrs.frozen
class Case:
    """A run over so many variables of so many points; the least time of several runs counts."""

    variables: int
    points: int
    repeats: int

    def runs(self) -> int:
        """Return how many runs there are: more of what is short."""
        return max(3, min(10 * self.repeats, self.repeats * 100_000 // (self.variables * self.points)))


def train(store: DataStore, spec: RunSpec) -> None:
    RetrodictionTraining(store=store, backend=SerialBackend(), sink=MemorySink()).execute(spec)


def everything(case: Case) -> float:
    """Return the microseconds of CPU of a run per (variable x origin x forecaster)."""
    synthetic = SyntheticStore(case.variables, case.points)
    spec, store = synthetic.spec(), MemoryStore.of(synthetic)
    cells = case.variables * synthetic.origins * len(resolve(spec.forecasters).of_variable(()).names)
    train(MemoryStore.of(SyntheticStore(1, 100)), SyntheticStore(1, 100).spec())  # imports, tables that are kept
    return least(lambda: train(store, spec), case.runs()) / cells * 1e6


def worker_memory(variables: int) -> float:
    """Return the peak memory, in MiB, of a process that does a run's variables unit by unit, as a worker does."""
    synthetic = SyntheticStore(variables, POINTS)
    spec = synthetic.spec()
    count = -(-variables // UNIT)
    task = UnitTask(spec, synthetic, SilentSink(), resolve(spec.forecasters), Tables(spec.run_id, count))
    for index in range(count):
        task(WorkUnit(index, spec.variables[index * UNIT : (index + 1) * UNIT]))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@attrs.frozen
class Stage:
    """A stage of a variable's way, and its CPU seconds."""

    name: str
    cpu: float


@attrs.frozen
class Way:
    """One variable's way through a run, stage by stage."""

    spec: RunSpec
    observations: Observations
    repeats: int

    def timed(self, name: str, action: Callable[[], object]) -> Stage:
        return Stage(name, least(action, self.repeats))

    def rows(self) -> Observations:
        return resolve_known_at(self.observations, self.spec.known_at, self.spec.last_day).by(self.spec.last_day).known

    def stages(self) -> list[Stage]:
        """Time the stages, each on its own, and what is left of the whole."""
        spec, forecasters, rows = self.spec, resolve(self.spec.forecasters).of_variable(()), self.rows()
        point = point_in_time(rows, spec)
        with np.errstate(all="ignore"):  # as a backtest does
            origins, histories = origins_of(point, spec), histories_of(point)
            hindcasts = hindcast(forecasters, histories, HORIZON, {})
            forecasts = self.timed("hindcasts", lambda: hindcast(forecasters, histories_of(point), HORIZON, {}))
            alone = [self._forecaster(forecaster, point) for forecaster in forecasters.forecasters]

            def learn() -> None:
                no_marks = np.empty(0, dtype=np.int64)
                LearningPass(hindcasts, origins, forecasters, spec, spec.benchmark, no_marks).run(0, len(origins))

            learning = self.timed("learning pass", learn)
        before = [
            self.timed("rows known when", self.rows),
            self.timed("point in time", lambda: point_in_time(rows, spec)),
        ]
        laid_out = self.timed("origins", lambda: origins_of(point, spec))
        whole = self.timed("backtest", lambda: backtest(point, spec, forecasters))
        tests = Stage("trust and tests", whole.cpu - laid_out.cpu - forecasts.cpu - learning.cpu)
        record = backtest(point, spec, forecasters).record
        scores, by_batch = aggregate(record, spec), variable_batches(record)
        after = [
            self.timed("scores", lambda: aggregate(record, spec)),
            self.timed("rows of tables", lambda: (score_columns([scores]), batch_columns([by_batch], spec))),
        ]
        run = self.timed("everything", lambda: train(MemoryStore({rows.variable: self.observations}), spec))
        remainder = Stage("plan, keys, sink", run.cpu - whole.cpu - sum(stage.cpu for stage in (*before, *after)))
        return [*before, laid_out, forecasts, *alone, learning, tests, *after, remainder, run]

    def _forecaster(self, forecaster: Forecaster, point: PointInTime) -> Stage:
        return self.timed(f"- {forecaster.name}", lambda: forecaster.hindcast(histories_of(point), HORIZON))


def stages(case: Case) -> list[Stage]:
    """Time the stages of one variable of a case."""
    store = SyntheticStore(1, case.points)
    spec = store.spec()
    return Way(spec, store.read(spec.variables[0]), case.runs()).stages()


def apart(action: Callable[[Argument], Answer], argument: Argument) -> Answer:
    """Do something in a fresh process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(action, argument).result()


def print_everything(repeats: int) -> None:
    print("everything in process, us of CPU per (variable x origin x forecaster)")
    print(f"{'variables':>9} {'points':>7} {'us':>8}")
    for variables, points in CASES:
        print(f"{variables:>9,} {points:>7,} {apart(everything, Case(variables, points, repeats)):>8.3f}", flush=True)


def print_stages(repeats: int) -> None:
    """Print a table: each column's figures add up to its last one."""
    columns = [apart(stages, Case(1, points, repeats)) for points in STAGES_OF]
    store = SyntheticStore(1, STAGES_OF[0])
    forecasters = len(resolve(store.spec().forecasters).of_variable(()).names)
    cells = [SyntheticStore(1, points).origins * forecasters for points in STAGES_OF]
    print("\nby stage, one variable, ns of CPU per (origin x forecaster); a forecaster's own line is part of hindcasts")
    print(f"{'points':>20} " + " ".join(f"{points:>9,}" for points in STAGES_OF))
    for row in zip(*columns, strict=True):
        figures = (stage.cpu / count * 1e9 for stage, count in zip(row, cells, strict=True))
        print(f"{row[0].name:>20} " + " ".join(f"{figure:>9.1f}" for figure in figures), flush=True)


def print_memory(*, large: bool) -> None:
    print(f"\npeak memory of a worker, {POINTS:,} points, units of {UNIT}")
    for variables in (*WORKERS_OF, *([LARGE] if large else [])):
        print(f"{variables:>9,} variables {apart(worker_memory, variables):>6.0f} MiB", flush=True)


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--large", action="store_true", help=f"the memory of {LARGE} variables too, some minutes")
    options.add_argument("--repeats", type=int, default=5, help="how often a run is repeated; the least counts")
    arguments = options.parse_args()
    print_everything(arguments.repeats)
    print_stages(arguments.repeats)
    print_memory(large=arguments.large)


if __name__ == "__main__":
    main()
