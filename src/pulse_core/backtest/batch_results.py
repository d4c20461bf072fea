"""What is kept of a backtest's batches: sums over all of them, and of each what its table and the jackknife need."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import finite_or_nan
from pulse_core.backtest.learning import BatchBlock
from pulse_core.kernel.bindings import total
from pulse_core.scores.measures import MEASURES, write_measure_columns
from pulse_core.scores.sums import LOSSES, SUMS
from pulse_core.scores.trust import trust_probability

Array = NDArray[np.float64]

AT_ONCE: Final = 1 << 21
"""Sums that are kept at a time, or those of one batch."""

_COUNT: Final = SUMS.index("count")
_MAE, _MASE, _CRPS = (MEASURES.index(name) for name in ("mae", "mase", "crps"))


def batches_at_once(cells: int) -> int:
    """Return of how many batches the sums are kept at a time, of so many cells (forecaster x horizon) each."""
    return max(1, AT_ONCE // (cells * len(SUMS)))


class BatchResults:
    """Takes in a pass block by block, of the first `shown` forecasters.

    `total` (forecaster, horizon, sum), added in the order of batches; `losses` (2, batch, forecaster, horizon): a
    forecaster's and the benchmark's on common origins, by which trust goes. By (batch, forecaster, horizon): `n`,
    `mae`, `mase`, `crps`, `won` and `lost`; `trust` (mark, horizon, forecaster) and of the `counted` marks `ahead`.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        forecasters: int,
        exponent: int,
        trust_loss: str,
        span: int,
        marks: int,
        counted: NDArray[np.int64],
    ) -> None:
        _, self._shown, horizons = shape
        self._exponent, self._span, self._counted = exponent, span, counted
        self._loss_columns = [SUMS.index(name) for name in LOSSES[trust_loss]]
        self.total = np.zeros((self._shown, horizons, len(SUMS)))
        self._is_first = True
        self.losses = np.zeros((2, *shape))
        self.n = np.zeros(shape, dtype=np.int32)
        self.mae = np.full(shape, np.nan)
        self.mase, self.crps = np.full((2, *shape), np.nan, dtype=np.float32)
        self.won, self.lost = np.zeros((2, *shape), dtype=np.int32)
        self.trust = np.empty((marks, horizons, forecasters))
        self.ahead = np.empty((len(counted), horizons, forecasters))

    def take(self, block: BatchBlock) -> None:
        """Take in some batches; all in order."""
        batches = slice(block.first, block.first + len(block.sums))
        sums = np.ascontiguousarray(block.sums[:, : self._shown])
        self.total = total(sums if self._is_first else np.concatenate([self.total[None], sums]))
        self._is_first = False
        for losses, column in zip(self.losses, self._loss_columns, strict=True):
            losses[batches] = sums[..., column]
        measures = np.empty((len(MEASURES) - 1, *sums.shape[:-1]))
        write_measure_columns(sums, np.arange(measures[0].size), self._exponent, measures.reshape(len(measures), -1))
        self.n[batches] = sums[..., _COUNT]
        self.mae[batches] = measures[_MAE]
        self.mase[batches], self.crps[batches] = _single(measures[_MASE]), _single(measures[_CRPS])
        counts = block.counts.swapaxes(1, 2).swapaxes(2, 3)[..., : self._shown, :].swapaxes(0, 1)
        self.won[batches], self.lost[batches] = counts
        marks = slice(block.first_mark, block.first_mark + len(block.marked))
        self.trust[marks] = trust_probability(block.marked, self._span)
        counted = slice(*np.searchsorted(self._counted, [marks.start, marks.stop]))
        self.ahead[counted] = block.ahead[self._counted[counted] - marks.start]


def _single(values: Array) -> NDArray[np.float32]:
    """Return values in single precision; NaN for what is beyond its range."""
    with np.errstate(over="ignore"):
        return finite_or_nan(values.astype(np.float32))
