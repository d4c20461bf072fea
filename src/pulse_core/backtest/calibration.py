"""What the calibrators of the kernel start from: their arrays before the first origin."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import frozen
from pulse_core.kernel.bindings import LANES, whole_lanes
from pulse_core.kernel.memory import Memory, on_lines
from pulse_core.kernel.special import log, student_t_quantile
from pulse_core.levels import LEVELS

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

CONFORMAL: Final = 0
"""The index of this calibration among those of a spec, and its number in the kernel."""

_QUEUE_FIELDS: Final = 4


def calibrator_arrays(
    kind: int,
    forecasters: int,
    known: Positions,
    memory: Memory,
    *,
    brings_spread: bool = False,
    leans: bool = False,
) -> dict[str, int | NDArray[Any]]:
    """Return the fields of a calibrator of so many forecasters, `struct calibrator` of learners.h.

    `known` (origin, horizon) says how many origins' errors are known at each origin; arrays come from `memory`. With
    `brings_spread` the scale of errors is brought along at each origin and not learned; if it `leans`, there is a
    conditional scale. Raises ValueError where an
    error is known before its origin.
    """
    origins, horizons = known.shape
    width, stride = whole_lanes(forecasters), whole_lanes(forecasters * horizons)
    fields: dict[str, int | NDArray[Any]] = {
        "kind": kind,
        "forecasters": forecasters,
        "horizons": horizons,
        "width": width,
        "stride": stride,
        "error": memory.full(horizons, width, value=np.nan),
        "offset": memory.full(len(LEVELS), stride),
        "size": memory.full(stride, value=np.nan),
        "capacity": 0 if kind == CONFORMAL else origins,
    }
    if kind == CONFORMAL:
        conformal = _conformal_arrays(forecasters, width, known, memory)
        slope = {"slope": memory.full(horizons, width // LANES, len(LEVELS), LANES)} if leans else {}
        return fields | conformal | slope | {"brings_spread": int(brings_spread)}
    cells = forecasters * horizons
    return fields | {"errors": np.empty((cells, origins)), "count": np.zeros(cells, dtype=np.int64)}


def _conformal_arrays(forecasters: int, width: int, known: Positions, memory: Memory) -> dict[str, int | NDArray[Any]]:
    horizons = known.shape[1]
    by_level = (width // LANES, len(LEVELS), LANES)
    start = memory.full(horizons, *by_level)
    start[...] = starting_quantiles(horizons)[:, None, :, None]
    queues = _queues(known)
    rows = int(queues[:, 1].sum())
    scaling = memory.full(3, width)
    scaling[2] = 1.0
    return {
        "asleep": forecasters,
        "raw": start,
        "fit": memory.full(horizons, *by_level),
        "crossed": memory.integers(horizons, width // LANES),
        "square": memory.full(horizons, width, value=np.nan),
        "history": memory.full(horizons, width),
        "start": memory.full(width),
        "scaling": scaling,
        "ratio": memory.full(horizons, width),
        "growth": memory.full(horizons, width, value=1.0),
        "learned": memory.full(horizons, width),
        "largest": memory.full(width),
        "steps": memory.full(width, value=np.nan),
        "scratch": memory.full(horizons + 2, width),
        "root": np.sqrt(np.arange(1.0, horizons + 1.0)),
        "exponent": growth_exponents(horizons),
        "queue": queues,
        "past_square": memory.full(rows, width, value=np.nan),
        "past": on_lines(rows, *by_level),
    }


@cache
def starting_quantiles(horizons: int) -> Array:
    """Return Student's t quantiles with 4 + 2h degrees of freedom over its standard deviation; (horizon, level).

    Few errors are known at first, and the scale is uncertain: tails are heavier than the normal's, the less the farther
    ahead, where errors are sums of more steps.
    """
    freedom = 4.0 + 2.0 * np.arange(1.0, horizons + 1.0)
    half = len(LEVELS) // 2
    below = student_t_quantile(freedom[:, None], np.array(LEVELS[:half])) / np.sqrt(freedom / (freedom - 2.0))[:, None]
    return frozen(np.concatenate([below, np.zeros((horizons, 1)), -below[:, ::-1]], axis=1))


@cache
def growth_exponents(horizons: int) -> Array:
    """Return by horizon the power of G_p/G_q that G_h/G_p is expected to be, p = ceil(h/2), q = ceil(p/2).

    It is log(h/p)/log(p/q), which makes G a power of h; 1 where h/p = p/q, and where p = q.
    """
    exponents = np.ones(horizons)
    for ahead in range(3, horizons + 1):
        near = (ahead + 1) // 2
        nearer = (near + 1) // 2
        if ahead * nearer != near * near:
            exponents[ahead - 1] = (log(ahead / near) / log(near / nearer)).item()
    return frozen(exponents)


def _queues(known: Positions) -> Positions:
    """Return the queue of each horizon, (horizon, field); it has a row for each origin that may wait for its error."""
    waiting = np.arange(len(known))[:, None] - known
    if waiting.min() < 0 or (np.diff(known, axis=0) < 0).any():
        raise ValueError("an error is known before its origin, or forgotten")
    depths = waiting.max(axis=0) + 1
    first = np.cumsum(depths) - depths
    queues = np.empty((len(depths), _QUEUE_FIELDS), dtype=np.int64)
    queues[:, 0], queues[:, 1], queues[:, 2], queues[:, 3] = first, depths, first, first
    return queues
