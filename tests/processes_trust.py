"""Series for the truth tests of trust and evidence: many of a process at once, from a seeded generator.

Functions return (series, time); row i is a series of its own. For whole runs there are two series beside which a custom
forecaster is much better on few days, or much worse on few days.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pulse_core import PerOriginForecaster

Array = NDArray[np.float64]

ERRORS = ("normal", "t3", "garch")
GARCH = (0.05, 0.1, 0.85)
"""omega, alpha, beta: variance 1 in the long run."""

JUMP_EVERY = 5
JUMP, ORDINARY_STEP = 8.0, -2.0
"""The mean changes of the jump series."""

SMALL, OVERSHOT = 1.0, 1.8
"""The size of the changes of the over series, and the change that its forecaster always expects."""


def shocks(count: int, length: int, generator: Generator, errors: str = "normal") -> Array:
    """Independent errors, `normal` or Student's `t3`, or those of a GARCH(1,1)."""
    normal = generator.normal(size=(count, length))
    if errors == "garch":
        return _garch(normal)
    if errors == "t3":
        return np.asarray(generator.standard_t(3, size=(count, length)))
    return normal


def _garch(normal: Array) -> Array:
    omega, alpha, beta = GARCH
    result, variance = np.empty_like(normal), np.full(len(normal), omega / (1 - alpha - beta))
    for time in range(normal.shape[1]):
        result[:, time] = np.sqrt(variance) * normal[:, time]
        variance = omega + alpha * result[:, time] ** 2 + beta * variance
    return result


def walks(count: int, length: int, generator: Generator, errors: str = "normal") -> Array:
    """Random walks: nothing forecasts them better than naive."""
    return np.cumsum(shocks(count, length, generator, errors), axis=1)


def autoregressions(count: int, length: int, generator: Generator, phi: float | Array) -> Array:
    """AR(1) in levels from a start of 0; `phi` is one coefficient, or one for each series."""
    return _filtered(shocks(count, length, generator), phi)


def autoregressive_changes(count: int, length: int, generator: Generator, phi: float | Array) -> Array:
    """Series whose changes are an AR(1)."""
    return np.cumsum(autoregressions(count, length, generator, phi), axis=1)


def near_walks(count: int, length: int, generator: Generator, largest: float = 0.15) -> Array:
    """Walks whose changes have a coefficient in -`largest` .. `largest`: even rows AR(1), odd ones ARMA(0, 1)."""
    coefficients = generator.uniform(-largest, largest, size=(count, 1))
    errors = shocks(count, length, generator)
    moving = errors.copy()
    moving[:, 1:] += coefficients * errors[:, :-1]
    autoregressive = _filtered(errors, coefficients[:, 0])
    changes = np.where(np.arange(count)[:, None] % 2, moving, autoregressive)
    return np.cumsum(changes, axis=1)


def local_levels(count: int, length: int, generator: Generator, noise: float | Array) -> Array:
    """Walks seen through noise that is so many times as large as their steps (one number, or one for each series)."""
    level = walks(count, length, generator)
    return level + np.reshape(noise, (-1, 1)) * generator.normal(size=(count, length))


def _filtered(errors: Array, phi: float | Array) -> Array:
    """x_t = phi x_(t-1) + error."""
    result, value = np.empty_like(errors), np.zeros(len(errors))
    for time in range(errors.shape[1]):
        value = phi * value + errors[:, time]
        result[:, time] = value
    return result


def jump_series(count: int, length: int, generator: Generator) -> Array:
    """Every fifth day rises by some 8, the others fall by some 2: KnowsJumps has a skill of 20 %."""
    means = np.where(_jumps(np.arange(length)), JUMP, ORDINARY_STEP)
    return np.cumsum(means + generator.normal(size=(count, length)), axis=1)


def over_series(count: int, length: int, generator: Generator) -> Array:
    """Steps of hardly more than 1, three in five upwards: Overshoots loses 60 % to naive, but wins more often."""
    direction = np.where(generator.random((count, length)) < 0.6, SMALL, -SMALL)
    return np.cumsum(direction * (1 + 0.01 * generator.random((count, length))), axis=1)


def _jumps(day: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray(day % JUMP_EVERY == JUMP_EVERY - 1)


class KnowsJumps:
    """Knows when the jump series jumps, expects a step of 1 where it falls by 2: better by much on few days."""

    name: ClassVar = "knows-jumps"
    version: ClassVar = "1"

    def forecast(self, history: Sequence[float] | Array, horizon: int) -> Array:
        days = np.arange(len(history), len(history) + horizon)
        return np.asarray(history[-1] + np.cumsum(self.steps(days)))

    @staticmethod
    def steps(days: NDArray[np.int64]) -> Array:
        """The changes that it expects on these days, counted from the first value's."""
        return np.where(_jumps(days), JUMP, ORDINARY_STEP + 3.0)


class Overshoots:
    """Expects the over series to rise by 1.8: it comes closer on three days in five by little, and loses by much."""

    name: ClassVar = "overshoots"
    version: ClassVar = "1"

    def forecast(self, history: Sequence[float] | Array, horizon: int) -> Array:
        return np.full(horizon, history[-1] + OVERSHOT)


KNOWS_JUMPS = PerOriginForecaster(KnowsJumps.name, KnowsJumps.version, KnowsJumps())
OVERSHOOTS = PerOriginForecaster(Overshoots.name, Overshoots.version, Overshoots())
"""As a run takes them: among the `forecasters` of RetrodictionTraining, and their names among those of RunSpec."""


def jump_losses(count: int, length: int, generator: Generator) -> tuple[Array, Array]:
    """One-step absolute errors of KnowsJumps and of naive on jump series, from the second value on."""
    changes = np.diff(jump_series(count, length, generator))
    return np.abs(changes - KnowsJumps.steps(np.arange(1, length))), np.abs(changes)


def over_losses(count: int, length: int, generator: Generator) -> tuple[Array, Array]:
    """One-step absolute errors of Overshoots and of naive on over series, from the second value on."""
    changes = np.diff(over_series(count, length, generator))
    return np.abs(changes - OVERSHOT), np.abs(changes)
