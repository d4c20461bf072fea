"""Sums per batch from which every mergeable score of a run of batches follows."""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import floats, integers
from pulse_core.kernel.bindings import total
from pulse_core.levels import INTERVALS, LEVELS

PINBALL: Final = tuple(f"pinball_{level}" for level in LEVELS)
COVERED: Final = tuple(f"covered_{interval}" for interval in INTERVALS)
WIDTH: Final = tuple(f"width_{interval}" for interval in INTERVALS)

SUMS: Final = (
    "count",
    "error",
    "absolute",
    "square",
    "scaled_absolute",
    "scaled_square",
    "percentage",
    "hits",
    "calls",
    "common_absolute",
    "benchmark_absolute",
    "common_square",
    "benchmark_square",
    "quantile_count",
    *PINBALL,
    *COVERED,
    *WIDTH,
    "scaled_interval",
    "common_crps",
    "benchmark_crps",
)
"""The sums that are kept, over the scored origins: of the point forecasts, then of the quantiles.

`common_*` and `benchmark_*` run over the origins scored for both.
"""

LOSSES: Final = {
    "absolute": ("common_absolute", "benchmark_absolute"),
    "crps": ("common_crps", "benchmark_crps"),
}
"""The sums of which the skill is made that a verdict is about, by the loss by which trust goes."""


@attrs.frozen(eq=False)
class BatchSums:
    """Sums of some batches, in batch order: `batches` (batch,), `values` (batch, forecaster, horizon, sum).

    Merging keeps the batches apart and the total is taken in their order, so any way of merging gives the same bits.
    """

    batches: NDArray[np.int64] = attrs.field(converter=integers)
    values: NDArray[np.float64] = attrs.field(converter=floats)

    def __attrs_post_init__(self) -> None:
        if self.values.ndim != 4 or self.values.shape[0] != len(self.batches) or self.values.shape[3] != len(SUMS):
            raise ValueError(f"expected (batch, forecaster, horizon, {len(SUMS)}), got {self.values.shape}")
        if (np.diff(self.batches) <= 0).any():
            raise ValueError("batches must be in order, each once")

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, BatchSums)
            and np.array_equal(self.batches, other.batches)
            and self.values.tobytes() == other.values.tobytes()
        )

    __hash__ = None  # type: ignore[assignment]  # equal by content, and arrays have no hash

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.batches, self.values)

    def merge(self, other: BatchSums) -> BatchSums:
        """Return the sums of both sets of batches. Raises ValueError where they share one."""
        batches = np.concatenate([self.batches, other.batches])
        order = np.argsort(batches, kind="stable")
        return BatchSums(batches[order], np.concatenate([self.values, other.values])[order])

    def total(self) -> NDArray[np.float64]:
        """Return the sums over all batches, added in batch order; shape (forecaster, horizon, sum)."""
        return total(self.values)
