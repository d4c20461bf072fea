"""What else could run the recursive filters: SES over a grid of 20 alphas, the level at every origin.

Each way does the same work on the same data, in one process, in turn; the figures are microseconds of CPU time per
(variable x origin), the least of several goes. `python benchmarks/kernels.py [--points N] [--variables N ...]`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pulse_core.forecasters.base import Histories
from pulse_core.forecasters.smoothing import SimpleExponentialSmoothing

ALPHAS = np.arange(1, 21) / 20
Array = NDArray[np.float64]


def plain_python(values: Array) -> Array:
    """The definition, number by number."""
    result = np.empty(values.shape)
    for path in range(values.shape[1]):
        levels, squares = [values[0, path]] * 20, [0.0] * 20
        for time_, value in enumerate(values[:, path].tolist()):
            for place, alpha in enumerate(ALPHAS.tolist()):
                error = value - levels[place]
                levels[place] = value - (1 - alpha) * error
                squares[place] += error * error
            result[time_, path] = levels[squares.index(min(squares))]
    return result


def numpy_passes(values: Array) -> Array:
    """What Pulse does: one pass over time, vectorised over grid points and variables."""
    length, paths = values.shape
    histories = Histories(
        values,
        np.full(paths, length),
        np.repeat(np.arange(paths), length),
        np.tile(np.arange(1, length + 1), paths),
        np.zeros(paths, dtype=np.int64),
    )
    return SimpleExponentialSmoothing().hindcast(histories, 1).reshape(paths, length).T


def scipy_filter(values: Array) -> Array:
    """scipy.signal.lfilter, one call a grid point; its rounding is its own."""
    from scipy.signal import lfilter

    levels = np.empty((20, *values.shape))
    for place, alpha in enumerate(ALPHAS):
        start = (1 - alpha) * values[:1]
        levels[place], _ = lfilter([alpha], [1.0, alpha - 1.0], values, axis=0, zi=start)
    errors = np.zeros_like(levels)
    errors[:, 1:] = values[1:] - levels[:, :-1]
    best = np.argmin(np.cumsum(errors * errors, axis=1), axis=0)
    return np.take_along_axis(levels, best[None], axis=0)[0]


def numba_kernel() -> Callable[[Array], Array]:
    """The definition, compiled; the first call's compilation is not counted below, but printed."""
    import numba

    @numba.njit(cache=False)  # type: ignore[untyped-decorator]  # numba has no types
    def compiled(values: Array) -> Array:
        result = np.empty(values.shape)
        for path in range(values.shape[1]):
            levels, squares = np.full(20, values[0, path]), np.zeros(20)
            for moment in range(values.shape[0]):
                best = 0
                for place in range(20):
                    error = values[moment, path] - levels[place]
                    levels[place] = values[moment, path] - (1 - ALPHAS[place]) * error
                    squares[place] += error * error
                    if squares[place] < squares[best]:
                        best = place
                result[moment, path] = levels[best]
        return result

    return compiled  # type: ignore[no-any-return]


def cost(way: Callable[[Array], Array], values: Array, goes: int) -> float:
    """Return the least CPU time of several goes, in microseconds per (variable x origin)."""
    best = float("inf")
    for _ in range(goes):
        begun = time.process_time()
        way(values)
        best = min(best, time.process_time() - begun)
    return best / values.size * 1e6


def main() -> None:
    """Print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--points", type=int, default=1250)
    options.add_argument("--variables", type=int, nargs="+", default=[1, 2, 10, 100])
    given = options.parse_args()
    begun = time.perf_counter()
    compiled = numba_kernel()
    compiled(np.ones((3, 1)))
    print(f"numba: import and compilation took {time.perf_counter() - begun:.2f} s")
    ways = {
        "numpy passes": numpy_passes,
        "numba": compiled,
        "scipy lfilter": scipy_filter,
        "plain python": plain_python,
    }
    print(f"{'variables':>9}  " + "  ".join(f"{name:>14}" for name in ways) + "   us per variable x origin")
    for count in given.variables:
        values = np.cumsum(np.random.default_rng(count).normal(size=(given.points, count)), axis=0)
        expected = numpy_passes(values)
        row = []
        for name, way in ways.items():
            if name == "plain python" and count > 2:
                row.append("-")
                continue
            # at the second value all grid points tie, and another rounding picks another of them
            if not np.allclose(way(values)[2:], expected[2:], rtol=1e-9, atol=1e-9):
                raise SystemExit(f"{name} does other work than the numpy passes")
            row.append(f"{cost(way, values, 5):.3f}")
        print(f"{count:>9}  " + "  ".join(f"{figure:>14}" for figure in row))
    same = np.array_equal(compiled(values), expected)
    print(f"numba's bits are {'those' if same else 'not those'} of the numpy passes")


if __name__ == "__main__":
    main()
