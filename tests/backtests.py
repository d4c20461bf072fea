"""The backtests behind recorded results, which are kept in memory only, with the sums of each of their batches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core import VariableBacktest
from pulse_core.backtest.batch_results import BatchResults
from pulse_core.backtest.learning import BatchBlock
from pulse_core.runs import units
from pulse_core.runs.inputs import VariableInput
from pulse_core.scores.sums import SUMS, BatchSums


@attrs.frozen
class KeptBacktest:
    """A variable's backtest with all its fields, and the sums of each batch."""

    result: VariableBacktest
    sums: BatchSums

    def __getattr__(self, name: str) -> Any:
        return getattr(self.result, name)


def by_batch(batches: NDArray[np.int64], rows: NDArray[Any], count: int | None = None) -> NDArray[Any]:
    """Rows of the batches that have an origin, with a row of zeros for each of the others; `count` in all."""
    every = np.zeros((max(batches, default=-1) + 1 if count is None else count, *rows.shape[1:]), dtype=rows.dtype)
    every[batches] = rows
    return every


@contextmanager
def kept_backtests() -> Iterator[dict[str, KeptBacktest]]:
    """Yield the backtests of the runs in this process, by variable, as they are made."""
    backtest, take = units.backtest_input, BatchResults.take
    kept: dict[str, KeptBacktest] = {}
    blocks: list[tuple[int, np.ndarray]] = []

    def keep_block(results: BatchResults, block: BatchBlock) -> None:
        blocks.append((block.first, block.sums.copy()))
        take(results, block)

    def keep(value: VariableInput, *arguments: Any) -> VariableBacktest:
        blocks.clear()
        result = backtest(value, *arguments)
        sums = np.zeros((*result.n.shape, len(SUMS)))
        has_rows = ~np.isnan(result.statistics).all(axis=(1, 2))
        for first, block in blocks:
            sums[first : first + len(block), has_rows] = block[:, : has_rows.sum()]
        kept[value.variable] = KeptBacktest(result, BatchSums(result.batches, sums))
        return result

    with patch.object(units, "backtest_input", keep), patch.object(BatchResults, "take", keep_block):
        yield kept
