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
from _accuracy import compare, pairs
from _statsforecast import Windows, cross_validate, standard_theta
from _synthetic import KINDS, MIN_HISTORY, SEASON, SyntheticStore, histories, series
from _timing import in_turn, least
from numpy.typing import NDArray

from pulse_core import Forecaster
from pulse_core.backtest.evaluation import evaluate
from pulse_core.data.point_in_time import point_in_time
from pulse_core.forecasters.autoregression import AutoRegression
from pulse_core.forecasters.averages import Drift, Naive
from pulse_core.forecasters.registry import resolve
from pulse_core.forecasters.seasonal import SeasonalNaive
from pulse_core.forecasters.smoothing import SimpleExponentialSmoothing
from pulse_core.forecasters.theta import Theta
from pulse_core.forecasters.trend import Holt, damped_holt
from pulse_core.plan import work_units

Array = NDArray[np.float64]
Lengths = NDArray[np.int64]

HORIZON: Final = 5
ALPHA: Final = 0.3
ALL: Final = 10**9


@attrs.frozen
class Contest:
    """A forecaster of ours, what it is held against, and on how many series and origins the peer is run."""

    ours: Forecaster
    peer: Any
    series: int = ALL
    origins: int = ALL
    kind: str | None = None
    """Take the series of this kind alone; None takes all kinds."""

    def columns(self, values: Array) -> Array:
        """Return the series the peer is run on; (time, variable)."""
        chosen = values if self.kind is None else values[:, KINDS.index(self.kind) :: len(KINDS)]
        return np.ascontiguousarray(chosen[:, : self.series])


def contests() -> tuple[Contest, ...]:
    """Return what is timed."""
    from statsforecast import models

    few = partial(Contest, series=9, origins=12)
    return (
        Contest(Naive(), models.Naive()),
        Contest(Drift(), models.RandomWalkWithDrift()),
        Contest(SeasonalNaive(SEASON), models.SeasonalNaive(SEASON)),
        Contest(SimpleExponentialSmoothing(), models.SimpleExponentialSmoothingOptimized(), series=20),
        few(Holt(), models.Holt()),
        few(damped_holt(), models.AutoETS(season_length=1, model="AAN", damped=True, alias="ETS(A,Ad,N)")),
        few(Theta(), models.Theta()),
        few(Theta(), models.OptimizedTheta()),
        # on a random walk's levels the peer's likelihood may not be computable, and it raises
        few(AutoRegression(), models.AutoRegressive(lags=5), kind="autoregression"),
        few(Holt(), models.AutoETS(season_length=1)),
    )


def main() -> None:
    """Print the comparison that was asked for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--series", type=int, default=100)
    options.add_argument("--points", type=int, default=1250)
    options.add_argument("--goes", type=int, default=2, help="how often each side is run, in turn; the least counts")
    options.add_argument("--data", type=Path, help="a folder of CSV files: compare mean absolute errors instead")
    options.add_argument("--models", nargs="+", default=list(pairs()), choices=list(pairs()), help="with --data")
    options.add_argument("--every", type=int, default=100, help="with --data: take every k-th origin of slow models")
    options.add_argument("--since", type=date.fromisoformat, help="with --data: begin histories at this day")
    given = options.parse_args()
    if given.data is not None:
        compare(given.data, given.models, given.every, given.since)
        return
    values = series(given.series, given.points)
    _print_costs(values, given.goes)
    _print_differences(values)


def _print_costs(values: Array, goes: int) -> None:
    points, count = values.shape
    all_in = _all_in(count, points, goes)
    print(f"CPU per origin, {count} series x {points} points, h = 1..{HORIZON}, every origin refitted, one process")
    print(f"all-in (hindcast, quantiles, scores, trust, ensemble), per forecaster: {all_in * 1e6:.2f} us\n")
    print(
        f"{'ours':>18} {'peer':>22} {'series x origins':>17} "
        f"{'ours us':>9} {'peer us':>11} {'hindcast x':>11} {'all-in x':>9}"
    )
    for contest in contests():
        mine, other, share = _cost(contest, values, goes)
        print(
            f"{contest.ours.name:>18} {contest.peer!r:>22} {share:>17} "
            f"{mine * 1e6:>9.3f} {other * 1e6:>11.1f} {other / mine:>11,.0f} {other / all_in:>9,.0f}",
            flush=True,
        )


def _cost(contest: Contest, values: Array, goes: int) -> tuple[float, float, str]:
    """Return seconds per origin of our hindcast and of the peer, and the peer's series x origins."""
    points = len(values)
    chosen = contest.columns(values)
    windows = Windows.spread(contest.origins, points, MIN_HISTORY, HORIZON)
    every = histories(values, np.arange(MIN_HISTORY, points + 1))
    cross_validate(contest.peer, chosen[: 3 * MIN_HISTORY, :1], Windows(2, 1, HORIZON))  # compiles or loads
    mine, other = in_turn(
        lambda: contest.ours.hindcast(attrs.evolve(every), HORIZON),  # afresh: forecasters share what they made
        lambda: cross_validate(contest.peer, chosen, windows),
        goes,
    )
    peer_origins = chosen.shape[1] * windows.count
    return mine / len(every.origin_length), other / peer_origins, f"{chosen.shape[1]} x {windows.count}"


def _all_in(count: int, points: int, goes: int) -> float:
    """Return seconds per (variable x origin x forecaster) of everything a run computes, in units of default size."""
    store = SyntheticStore(count, points)
    spec = store.spec()
    forecasters = resolve(spec.forecasters)
    units = [[point_in_time(store.read(variable), spec) for variable in unit.variables] for unit in work_units(spec)]

    def compute() -> None:
        for unit in units:
            evaluate(unit, spec, forecasters)

    return least(compute, goes) / (count * store.origins * len(spec.forecasters))


def _print_differences(values: Array) -> None:
    print("\nlargest difference of forecasts, every series moving by about 1 a step")
    print(f"{'ours':>18} {'compared with':>42} {'series x origins':>17} {'difference':>11}")
    for name, other, shape, difference in _differences(values):
        print(f"{name:>18} {other:>42} {shape:>17} {difference:>11.1e}", flush=True)


def _differences(values: Array) -> Iterator[tuple[str, str, str, float]]:
    from statsforecast import models

    fixed = SimpleExponentialSmoothing(alphas=(ALPHA,))
    peers = (
        (Naive(), models.Naive()),
        (Drift(), models.RandomWalkWithDrift()),
        (SeasonalNaive(SEASON), models.SeasonalNaive(SEASON)),
        (fixed, models.SimpleExponentialSmoothing(ALPHA)),
    )
    for ours, peer in peers:
        yield _against_cross_validation(ours, peer, values[:, :10])
    few, some = (30, 40), (3, 10)
    theta = Theta(ses=fixed)
    alpha = f"alpha {ALPHA}"
    yield _against(theta, f"statsforecast STM, {alpha}", lambda y: standard_theta(y, HORIZON, ALPHA), values, few)
    yield _against(theta, f"plain formula, {alpha}", lambda y: _plain.theta(y, HORIZON, ALPHA), values, few)
    yield _against(AutoRegression(), "numpy lstsq, AICc", lambda y: _plain.autoregression(y, HORIZON), values, few)
    yield _against(Holt(), "plain loop over the grid", lambda y: _plain.holt(y, HORIZON), values, some)
    damped = damped_holt()
    yield _against(damped, "plain loop over the grid", lambda y: _plain.holt(y, HORIZON, damped.phis), values, some)


def _against_cross_validation(ours: Forecaster, peer: Any, values: Array) -> tuple[str, str, str, float]:
    windows = Windows.spread(ALL, len(values), MIN_HISTORY, HORIZON)
    lengths = windows.lengths(len(values))
    _, theirs = cross_validate(peer, values, windows)
    mine = ours.hindcast(histories(values, lengths), HORIZON).reshape(theirs.shape)
    return _difference(ours, f"statsforecast {type(peer).__name__}", mine, theirs)


def _against(
    ours: Forecaster, other: str, forecast: Callable[[Array], Array], values: Array, size: tuple[int, int]
) -> tuple[str, str, str, float]:
    """Compare with a function that sees one history, at some origins of some series."""
    count, origins = min(size[0], values.shape[1]), size[1]
    lengths = Windows.spread(origins, len(values), MIN_HISTORY, HORIZON).lengths(len(values))
    mine = ours.hindcast(histories(values[:, :count], lengths), HORIZON).reshape(count, -1, HORIZON)
    theirs = np.array([[forecast(values[:length, column].copy()) for length in lengths] for column in range(count)])
    return _difference(ours, other, mine, theirs)


def _difference(ours: Forecaster, other: str, mine: Array, theirs: Array) -> tuple[str, str, str, float]:
    """Return the largest difference; NaN on either side alone would show as NaN."""
    return ours.name, other, f"{mine.shape[0]} x {mine.shape[1]}", float(np.max(np.abs(mine - theirs)))


if __name__ == "__main__":
    main()
