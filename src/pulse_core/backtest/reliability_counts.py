"""Counts of how often a variable's trusts came true, at origins that lie as far apart as trust looks ahead."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

FIRST_COUNTED: Final = 39
"""The first origin of the period, from 0, whose trust is counted: the fortieth."""

BINS: Final = 10
"""Bins of trust, of equal width."""


def counted_origins(origins: int, span: int) -> Positions:
    """Return the origins of the period (of so many) whose trusts are counted, from 0; the last only ends a block."""
    return np.arange(FIRST_COUNTED, origins, span)


def reliability_counts(trust: Array, ahead: Array, known: Positions, ends: Positions) -> Array:
    """Return the counts (horizon, bin, RELIABILITY) of the trusts quoted at the beginnings of blocks of origins.

    `trust` and `ahead` (block + 1, horizon, forecaster) at the beginnings and at the end of the last block: the trust,
    and the sum of what was lost less than by the benchmark until then. `ends` (block,) are the numbers of origins
    before the ends of the blocks, `known` (horizon,) how many of these have a known actual. A trust came true where the
    sum rose over the block.
    """
    horizons = trust.shape[1]
    blocks = len(ends)
    counts = np.zeros((horizons, BINS, 4))
    if not blocks:
        return counts
    is_counted = np.isfinite(trust[:-1]) & (ends[:, None] <= known)[..., None]
    block, horizon, _ = np.nonzero(is_counted)
    said = trust[:-1][is_counted]
    came_true = (ahead[1:] > ahead[:-1])[is_counted]
    cell = horizon * BINS + np.minimum((said * BINS).astype(np.int64), BINS - 1)
    size = horizons * BINS
    for index, weights in enumerate((None, said, came_true)):
        counts[..., index] = np.bincount(cell, weights, size).reshape(horizons, BINS)
    is_in_block = np.zeros((blocks, size), dtype=np.bool_)
    is_in_block[block, cell] = True
    counts[..., 3] = is_in_block.sum(axis=0).reshape(horizons, BINS)
    return counts
