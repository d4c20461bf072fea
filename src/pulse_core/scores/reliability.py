"""Reliability: how often the trusts that a run has quoted came true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.kernel.special import student_t_quantile

Array = NDArray[np.float64]

LEAST_PAIRS: Final = 30
"""With fewer pairs of variable and block a bin is never called bad."""

CONFIDENCE: Final = 0.99
"""The confidence of the bands."""

_NORMAL_QUANTILE: Final = 2.5758293035489004
"""The deviations of a normal law within which that confidence lies."""


@attrs.frozen
class ReliabilityBin:
    """The trusts at a `horizon` from `low` up to `high` that have come of age.

    There are `count` of them, on so many `pairs` of a variable and a block of origins. Their mean is `trust`; the share
    `true` of them came true. `band` is the 99 % interval of that share less the mean trust, by leaving out variables,
    NaN with fewer than two; `bad` where it excludes 0.
    """

    horizon: int
    low: float
    high: float
    count: int
    pairs: int
    trust: float
    true: float
    band: tuple[float, float]
    bad: bool


@attrs.frozen
class Reliability:
    """The bins that hold a trust, by horizon, then from low to high."""

    bins: tuple[ReliabilityBin, ...] = ()

    @property
    def bad(self) -> tuple[ReliabilityBin, ...]:
        """The bins whose trusts came true too seldom or too often to be luck."""
        return tuple(each for each in self.bins if each.bad)


def reliability_of(counts: Sequence[Array]) -> Reliability:
    """Return the table of the counts (horizon, bin, RELIABILITY) of variables.

    The band is that of the delete-one-variable jackknife of the ratio, with Student's t; it allows for the dependence
    of forecasters on one another within a variable. Source: Efron & Stein (1981), The jackknife estimate of variance,
    Annals of Statistics 9. It is no narrower than trusts that are right would make it if all of a variable and a block
    came true together: near 0 and 1 all outcomes are often alike, and the jackknife then sees no chance at all.
    """
    if not counts:
        return Reliability()
    table = np.stack(list(counts))  # (variable, horizon, bin, number)
    _, horizons, bins, _ = table.shape
    return Reliability(
        tuple(
            _bin(table[:, horizon, index], horizon + 1, index / bins, (index + 1) / bins)
            for horizon in range(horizons)
            for index in range(bins)
            if table[:, horizon, index, 0].any()
        )
    )


def _bin(rows: Array, horizon: int, low: float, high: float) -> ReliabilityBin:
    """Return the bin of the counts (variable, number)."""
    count, trust, true, blocks = np.cumsum(rows, axis=0)[-1].tolist()
    band = _band(rows[rows[:, 0] > 0])
    bad = blocks >= LEAST_PAIRS and (band[0] > 0 or band[1] < 0)
    return ReliabilityBin(horizon, low, high, int(count), int(blocks), trust / count, true / count, band, bool(bad))


def _band(rows: Array) -> tuple[float, float]:
    """Return the interval of the share that came true less the mean trust; rows of the variables that have any."""
    size = len(rows)
    if size < 2:
        return np.nan, np.nan
    count, said, blocks = rows[:, 0], rows[:, 1], rows[:, 3]
    excess, total = rows[:, 2] - said, count.sum()
    ratio = excess.sum() / total
    left_out = (excess.sum() - excess) / (total - count)
    variance = (size - 1) / size * ((left_out - left_out.mean()) ** 2).sum()
    margin = float(student_t_quantile(size - 1, (1 + CONFIDENCE) / 2)) * float(np.sqrt(variance))
    variance_of_right_trusts = (said * np.maximum(count - said, 0.0) / np.maximum(blocks, 1.0)).sum() / (total * total)
    margin = max(margin, _NORMAL_QUANTILE * float(np.sqrt(variance_of_right_trusts)))
    return max(float(ratio) - margin, -1.0), min(float(ratio) + margin, 1.0)
