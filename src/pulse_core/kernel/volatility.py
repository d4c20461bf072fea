"""The kernel's conditional scale of a variable as a typed Python function."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from pulse_core.kernel.bindings import Array, Positions, count, doubles, library, positions, whole_lanes
from pulse_core.kernel.hindcasts import LONGEST_STRETCH, stretches

DISTANCES: Final = 3
PERSISTENCES: Final = 2
"""As in volatility.c."""

_STATE: Final = 12
"""Numbers of a `struct volatility`."""


@attrs.frozen(eq=False)
class ConditionalScale:
    """What the origins of a path expect of the values to come.

    `scale` (origin, horizon): the root of the mean conditional variance of the steps to there; 0 before anything has
    moved. (origin,): `lean`, from -1 to 1, how far the scale one step ahead is below or above its slow mean; `excess`,
    the mean of squared steps so far over squares of the scale one step ahead as it stood before each; 0 while none was
    compared.
    """

    scale: Array
    lean: Array
    excess: Array


def conditional_scale(values: Array, lengths: Positions, horizon: int, grid: Array, decay: Array) -> ConditionalScale:
    """Return the conditional scale at the origins of a path (n,), each of which knows so many values.

    `grid` (4, points), `decay` (PERSISTENCES, 2, horizon): see volatility.c. The points of a persistence are a multiple
    of LANES. Raises ValueError for arrays that do not fit.
    """
    points, origins = grid.shape[-1], len(lengths)
    if not points or points != PERSISTENCES * whole_lanes(points // PERSISTENCES):
        raise ValueError(f"expected {PERSISTENCES} persistences of whole lanes of points each, got {points}")
    scale, lean, excess = np.empty((origins, horizon)), np.empty(origins), np.empty(origins)
    path, parameters = doubles(values, len(values)), doubles(grid, 4, points)
    means = doubles(decay, PERSISTENCES, 2, horizon)
    state = np.zeros(_STATE + 2 * DISTANCES * points)
    state[-DISTANCES * points :] = 1.0
    for first, last, known in stretches(values, lengths, LONGEST_STRETCH):
        number = known.stop - known.start
        library().pulse_volatility(
            path,
            count(first),
            count(last),
            positions(lengths[known], number),
            count(number),
            doubles(scale[known], number, horizon),
            count(horizon),
            doubles(lean[known], number),
            doubles(excess[known], number),
            parameters,
            means,
            doubles(state, len(state)),
            count(points),
        )
    return ConditionalScale(scale, lean, excess)
