"""What statsforecast takes for the same work, and by how much its forecasts differ where the definitions coincide.

`python benchmarks/peers.py` compares cost and forecasts on synthetic series; with `--data FOLDER` it compares mean
absolute errors on the folder's CSV files (timestamp,value). How to read the figures: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

import _plain
import attrs
import numpy as np
from _accuracy import PAIRS, compare
from _statsforecast import Answer, Job, Windows, run_peer
from _synthetic import HORIZON, KINDS, MIN_HISTORY, SEASON, histories, series
from _timing import least
from numpy.typing import NDArray
from scale import Case, everything

from pulse_core import Forecaster
from pulse_core.forecasters.autoregression import AutoRegression
from pulse_core.forecasters.averages import Drift, Naive
from pulse_core.forecasters.seasonal import SeasonalNaive
from pulse_core.forecasters.smoothing import SimpleExponentialSmoothing
from pulse_core.forecasters.theta import Theta
from pulse_core.forecasters.trend import Holt, damped_holt

Array = NDArray[np.float64]

COUNTS: Final = (1, 100)
POINTS: Final = 1_250
ALPHA: Final = 0.3
ALL: Final = 10**9


@attrs.frozen
class Contest:
    """A forecaster of ours, the model it is held against, on how many series and origins, and the ratio to reach."""

    ours: Forecaster
    model: str
    must: int
    parameters: dict[str, Any] = attrs.field(factory=dict)
    series: int = ALL
    origins: int = ALL
    kind: str | None = None
    """Take the series of this kind alone; None takes all kinds."""

    def job(self, count: int, repeats: int) -> Job:
        """Return the peer's job, on some of `count` series."""
        if self.kind is None:
            values = series(min(self.series, count), POINTS)
        else:
            values = series(3 * count, POINTS)[:, KINDS.index(self.kind) :: len(KINDS)][:, : min(self.series, count)]
        windows = Windows.spread(self.origins, POINTS, MIN_HISTORY)
        return Job(self.model, np.ascontiguousarray(values), windows, self.parameters, repeats)


SLOW: Final = partial(Contest, series=9, origins=12)
CONTESTS: Final = (
    Contest(Naive(), "Naive", 100),
    Contest(SimpleExponentialSmoothing(), "SimpleExponentialSmoothingOptimized", 300, series=20),
    SLOW(Holt(), "Holt", 35_000),
    SLOW(Theta(), "Theta", 18_000),
    # on a random walk's levels the peer's likelihood may not be computable, and it raises
    SLOW(AutoRegression(), "AutoRegressive", 180_000, {"lags": 5}, kind="autoregression"),
)


def main() -> None:
    """Print the comparison that is called for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeats", type=int, default=3, help="how often each side is run; the least counts")
    options.add_argument("--data", type=Path, help="a folder of CSV files: compare mean absolute errors instead")
    options.add_argument("--models", nargs="+", default=list(PAIRS), choices=list(PAIRS), help="with --data")
    options.add_argument("--every", type=int, default=100, help="with --data: take every k-th origin of slow models")
    options.add_argument("--since", type=date.fromisoformat, help="with --data: begin histories at this day")
    arguments = options.parse_args()
    if arguments.data is not None:
        compare(arguments.data, arguments.models, arguments.every, arguments.since)
        return
    for count in COUNTS:
        print_costs(count, arguments.repeats)
    print_differences()


def print_costs(count: int, repeats: int) -> None:
    """Print both sides of every contest; ours before and after the peer's, the least counts."""
    case = Case(count, POINTS, repeats)
    before = everything(case)
    jobs = [contest.job(count, repeats) for contest in CONTESTS]
    versions, answers = run_peer(jobs)
    ours = min(before, everything(case))
    print(f"{count} series x {POINTS:,} points, h = 1..{HORIZON}, refitted at every origin; {versions}")
    print(f"ours, everything in process, per (variable x origin x forecaster): {ours:.3f} us of CPU")
    print(
        f"{'ours':>8} {'peer':>36} {'series x origins':>17} {'hindcast us':>12} {'peer us':>12} "
        f"{'hindcast x':>11} {'all-in x':>9} {'must':>9}"
    )
    for contest, job, answer in zip(CONTESTS, jobs, answers, strict=True):
        hindcast, peer = hindcast_microseconds(contest.ours, repeats), answer.seconds / job.origins * 1e6
        share = f"{job.values.shape[1]} x {job.windows.count}"
        print(
            f"{contest.ours.name:>8} {contest.model:>36} {share:>17} {hindcast:>12.3f} {peer:>12,.1f} "
            f"{peer / hindcast:>11,.0f} {peer / ours:>9,.0f} {contest.must:>9,}",
            flush=True,
        )
    print()


def hindcast_microseconds(forecaster: Forecaster, repeats: int) -> float:
    """Return what a forecaster takes alone per origin of one series."""
    lengths = np.arange(MIN_HISTORY, POINTS + 1)
    values = series(1, POINTS)[:, 0]
    seconds = least(lambda: forecaster.hindcast(histories(values, lengths), HORIZON), 10 * repeats)
    return seconds / len(lengths) * 1e6


def print_differences() -> None:
    print("largest difference of forecasts, every series moving by about 1 a step")
    print(f"{'ours':>18} {'compared with':>42} {'series x origins':>17} {'difference':>11}")
    for name, other, shape, difference in differences():
        print(f"{name:>18} {other:>42} {shape:>17} {difference:>11.1e}", flush=True)


def differences() -> Iterator[tuple[str, str, str, float]]:
    """Yield our forecaster, what it is compared with, on how much, and the largest difference."""
    fixed = SimpleExponentialSmoothing(alphas=(ALPHA,))
    theta, alpha, damped = Theta(ses=fixed), {"alpha": ALPHA}, damped_holt()
    every, few = Windows.spread(ALL, POINTS, MIN_HISTORY), Windows.spread(40, POINTS, MIN_HISTORY)
    ten, thirty = series(10, POINTS), series(30, POINTS)
    jobs = {
        Naive(): Job("Naive", ten, every),
        Drift(): Job("RandomWalkWithDrift", ten, every),
        SeasonalNaive(SEASON): Job("SeasonalNaive", ten, every, {"season_length": SEASON}),
        fixed: Job("SimpleExponentialSmoothing", ten, every, alpha),
        theta: Job("STM", thirty, few, alpha),
    }
    _, answers = run_peer(list(jobs.values()))
    for (ours, job), answer in zip(jobs.items(), answers, strict=True):
        yield against_peer(ours, job, answer)
    some = Windows.spread(10, POINTS, MIN_HISTORY)
    yield against(theta, f"plain formula, alpha {ALPHA}", partial(_plain.theta, alpha=ALPHA), thirty, few)
    yield against(AutoRegression(), "numpy lstsq, AICc", _plain.autoregression, thirty, few)
    yield against(Holt(), "plain loop over the grid", _plain.holt, series(3, POINTS), some)
    yield against(damped, "plain loop over the grid", partial(_plain.holt, phis=damped.phis), series(3, POINTS), some)


def our_forecasts(ours: Forecaster, values: Array, windows: Windows) -> Array:
    """Return our forecasts of series (time, variable); (variable, origin, horizon)."""
    lengths = windows.lengths(len(values))
    return np.array([ours.hindcast(histories(column, lengths), HORIZON) for column in values.T])


def against_peer(ours: Forecaster, job: Job, answer: Answer) -> tuple[str, str, str, float]:
    return difference(
        ours, f"statsforecast {job.model}", our_forecasts(ours, job.values, job.windows), answer.forecasts
    )


def against(
    ours: Forecaster, other: str, forecast: Callable[[Array, int], Array], values: Array, windows: Windows
) -> tuple[str, str, str, float]:
    """Compare with a function that sees one history, at some origins of some series."""
    lengths = windows.lengths(len(values))
    theirs = np.array([[forecast(column[:length].copy(), HORIZON) for length in lengths] for column in values.T])
    return difference(ours, other, our_forecasts(ours, values, windows), theirs)


def difference(ours: Forecaster, other: str, forecasts: Array, theirs: Array) -> tuple[str, str, str, float]:
    """Return the largest difference; NaN on either side alone shows as NaN."""
    shape = f"{forecasts.shape[0]} x {forecasts.shape[1]}"
    return ours.name, other, shape, float(np.max(np.abs(forecasts - theirs)))


if __name__ == "__main__":
    main()
