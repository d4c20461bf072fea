"""Scores of a variable batch by batch, read from the run's table of batches."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.published.archive import Archive
from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.published.table_reader import Rows, RunTable, joined

Array = NDArray[np.float64]

_MEASURES = ("mae", "mase", "trust")
_COLUMNS = ("variable", "forecaster", "horizon", "batch", *_MEASURES)


@attrs.frozen(eq=False)
class BatchScores:
    """Scores of a variable; every array (batch, forecaster, horizon), NaN where nothing was scored.

    `trust` is the one at the end of the batch.
    """

    variable: str
    forecasters: tuple[str, ...]
    mae: Array
    mase: Array
    trust: Array


def read_batch_scores(
    archive: Archive, run: PublishedRun, variables: Collection[str] | None = None
) -> Iterator[BatchScores]:
    """Yield the scores of each of `variables` (None: of all), part by part: one part is in memory at a time."""
    table = RunTable(archive, run.run_id, run.parts("batches"), _COLUMNS)
    for part in table.parts:
        pieces = list(table.row_groups(part, variables))
        if pieces:
            yield from _variables(joined(pieces), run)


def _variables(rows: Rows, run: PublishedRun) -> Iterator[BatchScores]:
    order = np.argsort(rows["variable"], kind="stable")
    codes = rows["variable"][order]
    for code in np.unique(codes).tolist():
        first, last = np.searchsorted(codes, [code, code + 1])
        yield _variable(rows.select(order[first:last]), rows.names("variable")[code], run)


def _variable(rows: Rows, variable: str, run: PublishedRun) -> BatchScores:
    spec = run.spec
    forecaster = np.array([spec.forecasters.index(name) for name in rows.names("forecaster")])[rows["forecaster"]]
    numbers = {batch.id: number for number, batch in enumerate(run.batches)}
    batch = np.array([numbers[name] for name in rows.names("batch")])[rows["batch"]]
    cells = batch, forecaster, rows["horizon"].astype(np.int64) - 1
    arrays = {}
    for name in _MEASURES:
        array = np.full((len(numbers), len(spec.forecasters), spec.horizon), np.nan)
        array[cells] = rows[name]
        arrays[name] = array
    return BatchScores(variable, spec.forecasters, **arrays)
