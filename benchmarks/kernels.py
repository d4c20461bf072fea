"""The C kernel beside numba and numpy: simple exponential smoothing over its grid of 20 alphas, at every origin.

All do the same work on one series, in one process, in turn, and must give the same bits. The figures are microseconds
of CPU per origin, the least of several runs. `python benchmarks/kernels.py [--points N ...]`. With `--forecasters`
nanoseconds per origin of every built-in forecaster instead.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import attrs
import numpy as np
from _synthetic import histories, series
from _timing import least
from numpy.typing import NDArray

from pulse_core import Forecaster, Histories
from pulse_core.forecasters.registry import BUILT_IN, SEASONAL, TWO_SEASONS
from pulse_core.forecasters.smoothing import SimpleExponentialSmoothing

Array = NDArray[np.float64]
Levels = Callable[[Array], Array]

SEASONS: Final = (12, 84)
FADE: Final = 1.0 - np.array(SimpleExponentialSmoothing().alphas)


def kernel(values: Array) -> Array:
    """What Pulse does: compiled C, called through ctypes."""
    every = histories(values, np.arange(1, len(values) + 1))
    return SimpleExponentialSmoothing().hindcast(every, 1)[:, 0]


def numpy_loop(values: Array) -> Array:
    """A loop over time, vectorised over the grid."""
    result, levels, squares = np.empty(len(values)), np.full(len(FADE), values[0]), np.zeros(len(FADE))
    for index, value in enumerate(values.tolist()):
        errors = value - levels
        levels = value - FADE * errors
        squares = squares + errors * errors
        result[index] = levels[np.argmin(squares)]
    return result


def numba_loop() -> Levels:
    """Return the definition, compiled by numba at its first call."""
    import numba

    @numba.njit(cache=False)
    def compiled(values: Array) -> Array:
        result, levels, squares = np.empty(len(values)), np.full(len(FADE), values[0]), np.zeros(len(FADE))
        for index in range(len(values)):
            best = 0
            for point in range(len(FADE)):
                error = values[index] - levels[point]
                levels[point] = values[index] - FADE[point] * error
                squares[point] += error * error
                if squares[point] < squares[best]:
                    best = point
            result[index] = levels[best]
        return result

    return compiled


def hindcast_anew(forecaster: Forecaster, every: Histories, horizon: int) -> None:
    """Forecast at all origins from histories of which no forecaster has learned anything."""
    forecaster.hindcast(attrs.evolve(every), horizon)


def forecasters(repeats: int, points: int = 10_000, horizons: tuple[int, ...] = (5, 18)) -> None:
    """Print what an origin costs of each built-in forecaster, of a positive series with two seasons."""
    days = 10.0 * np.sin(np.arange(points) * 2.0 * np.pi / SEASONS[0])
    every = attrs.evolve(histories(series(1, points)[:, 0] + days + 500.0, np.arange(1, points + 1)), seasons=SEASONS)
    roster = (*BUILT_IN, *(make(None) for make in SEASONAL.values()), *TWO_SEASONS)
    print(f"{'ns per origin':<26}" + "".join(f"{f'h = 1..{horizon}':>12}" for horizon in horizons))
    for forecaster in roster:
        # histories share what one forecaster has learned with the next: each takes them anew
        runs = (partial(hindcast_anew, forecaster, every, horizon) for horizon in horizons)
        costs = [least(run, repeats) / points * 1e9 for run in runs]
        print(f"{forecaster.name:<26}" + "".join(f"{cost:>12.0f}" for cost in costs), flush=True)


def main() -> None:
    """Print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--points", type=int, nargs="+", default=[500, 1_250, 20_000])
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--forecasters", action="store_true")
    arguments = options.parse_args()
    if arguments.forecasters:
        forecasters(arguments.repeats)
        return
    started = time.process_time()
    compiled = numba_loop()
    compiled(np.ones(3))
    print(f"numba: import and compilation took {time.process_time() - started:.2f} s of CPU")
    sides: dict[str, Levels] = {"C kernel": kernel, "numba": compiled, "numpy loop": numpy_loop}
    print(f"{'points':>7} " + " ".join(f"{name:>11}" for name in sides) + "   us per origin")
    for points in arguments.points:
        values = series(1, points)[:, 0]
        expected = kernel(values)
        if any(side(values).tobytes() != expected.tobytes() for side in sides.values()):
            raise SystemExit("the sides do not give the same bits")
        costs = [least(partial(side, values), arguments.repeats) / points * 1e6 for side in sides.values()]
        print(f"{points:>7,} " + " ".join(f"{cost:>11.3f}" for cost in costs), flush=True)


if __name__ == "__main__":
    main()
