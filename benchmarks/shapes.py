"""What data and specs of unusual shape cost as they grow: CPU time and peak memory, and how they grow with the size.

Predictors whose values are released three times, batches of one day, 20,000 points, a horizon of 1,000. Each line is a
process of its own that backtests one variable and aggregates it; `python benchmarks/shapes.py [--large]`; how to read
it: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from typing import Any, Final

import attrs
import numpy as np
from _synthetic import FIRST_DAY, series

from pulse_core import Observations, RunSpec
from pulse_core.backtest.variable import backtest
from pulse_core.data.point_in_time import point_in_time
from pulse_core.forecasters.registry import resolve
from pulse_core.runs.summary import aggregate, variable_batches

DAY: Final = np.timedelta64(1, "D")
PREDICTORS: Final = tuple(f"p{number}" for number in range(8))
RELEASES: Final = 3
EVERY: Final = 5
"""Days between two releases of a value."""


@attrs.frozen
class Cost:
    """CPU seconds of a case, its peak memory in MiB, and what the process had before it began."""

    seconds: float
    peak: float
    before: float


def released(variable: str, points: int, number: int, releases: int = 1) -> Observations:
    """A daily series whose values are known at once, and revised by a tenth of a step at each further release."""
    values = series(1, points, number)[:, 0]
    noise = np.random.default_rng(number).normal(0.0, 0.1, (releases, points))
    noise[0] = 0.0
    stamps = np.datetime64(FIRST_DAY, "us") + np.arange(points) * DAY
    known = [stamps + EVERY * release * DAY for release in range(releases)]
    return Observations(variable, np.tile(stamps, releases), (values + noise).ravel(), np.concatenate(known))


def spec_of(points: int, **fields: Any) -> RunSpec:
    start = FIRST_DAY + timedelta(days=min(points // 4, 300))
    return RunSpec(variables=("x",), start=start, end=FIRST_DAY + timedelta(days=points), **fields)


def vintages(points: int) -> None:
    spec = spec_of(points, forecasters=("naive", "ridge"), predictors=PREDICTORS)
    predictors = [released(name, points, number + 1, RELEASES) for number, name in enumerate(PREDICTORS)]
    _run(released("x", points, 0, RELEASES), spec, predictors)


def one_day_batches(points: int) -> None:
    _run(released("x", points, 0), spec_of(points, batch_size_days=1))


def many_points(points: int) -> None:
    _run(released("x", points, 0), spec_of(points))


def horizon(steps: int) -> None:
    _run(released("x", 2_500, 0), spec_of(2_500, horizon=steps))


def far_horizon(points: int) -> None:
    _run(released("x", points, 0), spec_of(points, horizon=1_000))


def _run(observations: Observations, spec: RunSpec, predictors: list[Observations] | None = None) -> None:
    point = point_in_time(observations, spec, predictors or ())
    record = backtest(point, spec, resolve(spec.forecasters, simple=spec.simple)).record
    aggregate(record, spec)
    variable_batches(record)


SHAPES: Final[Mapping[str, tuple[Callable[[int], None], tuple[int, ...]]]] = {
    "8 predictors and the variable released 3 times, ridge: points": (vintages, (182, 365, 730, 1_460)),
    "batches of one day: days": (one_day_batches, (6_392, 12_784, 25_568)),
    "points": (many_points, (5_000, 10_000, 20_000)),
    "horizon, 2,500 points: steps": (horizon, (125, 250, 500)),
}
LARGE: Final[Mapping[str, tuple[Callable[[int], None], tuple[int, ...]]]] = {
    "horizon 1,000: points": (far_horizon, (2_740, 5_480, 10_960)),
}
"""Some two minutes of CPU and 4 GB of memory."""


def cost(shape: Callable[[int], None], size: int) -> Cost:
    """Return what a case costs, in a process that has done a small one."""
    many_points(400)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.process_time()
    shape(size)
    return Cost(time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="with a horizon of 1,000 over 30 years")
    arguments = parser.parse_args()
    print("CPU seconds, and MiB beside what the process had before; x: over the line before")
    for title, (shape, sizes) in {**SHAPES, **(LARGE if arguments.large else {})}.items():
        print(f"\n{title}\n{'size':>8} {'x':>5} {'CPU s':>8} {'x':>6} {'MiB':>7} {'x':>6}")
        previous: tuple[int, Cost] | None = None
        for size in sizes:
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
                one = pool.submit(cost, shape, size).result()
            print(_line(size, one, previous))
            previous = size, one


def _line(size: int, one: Cost, previous: tuple[int, Cost] | None) -> str:
    memory = one.peak - one.before
    if previous is None:
        return f"{size:>8,} {'':>5} {one.seconds:>8.2f} {'':>6} {memory:>7.0f}"
    before, other = previous
    ratios = size / before, one.seconds / other.seconds, memory / (other.peak - other.before)
    return f"{size:>8,} {ratios[0]:>5.1f} {one.seconds:>8.2f} {ratios[1]:>6.1f} {memory:>7.0f} {ratios[2]:>6.1f}"


if __name__ == "__main__":
    main()
