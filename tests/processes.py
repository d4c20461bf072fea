"""Simulated series whose dynamics are known, for tests of what is promised and for benchmarks; (time, series)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Generator = np.random.Generator
Process = Callable[[Generator, int, int], Array]
"""Makes so many points of so many series."""


def walk(generator: Generator, points: int, count: int) -> Array:
    """A random walk with normal steps."""
    return np.cumsum(generator.normal(size=(points, count)), axis=0)


def heavy_walk(generator: Generator, points: int, count: int) -> Array:
    """A random walk whose steps are Student's t with 3 degrees of freedom."""
    return np.cumsum(generator.standard_t(3, size=(points, count)), axis=0)


def garch_walk(generator: Generator, points: int, count: int) -> Array:
    """A random walk whose steps are GARCH(1, 1), their variance .05 + .1 last step^2 + .85 last variance."""
    noise, variance, steps = generator.normal(size=(points, count)), np.ones(count), np.empty((points, count))
    for time in range(points):
        steps[time] = np.sqrt(variance) * noise[time]
        variance = 0.05 + 0.1 * steps[time] ** 2 + 0.85 * variance
    return np.cumsum(steps, axis=0)


def autoregression(coefficient: float) -> Process:
    """An AR(1), from its stationary distribution on."""

    def process(generator: Generator, points: int, count: int) -> Array:
        values = generator.normal(size=(points, count))
        values[0] /= np.sqrt(1 - coefficient**2)
        for time in range(1, points):
            values[time] += coefficient * values[time - 1]
        return values

    return process


def broken_walk(factor: float, after: int) -> Process:
    """A random walk whose steps are so many times as large from some time on."""

    def process(generator: Generator, points: int, count: int) -> Array:
        steps = generator.normal(size=(points, count))
        steps[after:] *= factor
        return np.cumsum(steps, axis=0)

    return process


def growth(rate: float, deviation: float) -> Process:
    """A series that grows by so much a step: the logarithm is a walk with normal steps."""

    def process(generator: Generator, points: int, count: int) -> Array:
        return 100 * np.exp(np.cumsum(generator.normal(rate, deviation, size=(points, count)), axis=0))

    return process


def stairs(share: float) -> Process:
    """A random walk that rests at most steps: it moves at this share of them."""

    def process(generator: Generator, points: int, count: int) -> Array:
        moves = generator.random((points, count)) < share
        return np.cumsum(np.where(moves, generator.normal(size=(points, count)), 0.0), axis=0)

    return process


PROCESSES: Final[dict[str, Process]] = {
    "random walk": walk,
    "AR(.5)": autoregression(0.5),
    "AR(.9)": autoregression(0.9),
    "GARCH(1,1) walk": garch_walk,
    "t(3) walk": heavy_walk,
}
"""Those whose dynamics stay as they are."""
