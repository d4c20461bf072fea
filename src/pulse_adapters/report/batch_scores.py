"""Scores of a variable batch by batch, read from the run's table of scores."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.published.archive import Archive
from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.published.table_reader import Rows, RunTable, joined
from pulse_core.scores.jackknife import SkillInterval, skill_interval
from pulse_core.scores.trust import batch_decay, trust_path

Array = NDArray[np.float64]

_MEASURES = ("mae", "mase", "common_absolute", "benchmark_absolute", "won", "lost")
_COLUMNS = ("variable", "forecaster", "horizon", "batch", *_MEASURES)


@attrs.frozen(eq=False)
class BatchScores:
    """Scores of a variable; every array (batch, forecaster, horizon), NaN where nothing was scored."""

    variable: str
    forecasters: tuple[str, ...]
    decay: float
    mae: Array
    mase: Array
    common_absolute: Array
    benchmark_absolute: Array
    won: Array
    lost: Array

    def skill(self, forecaster: str, horizon: int) -> SkillInterval:
        """Return the skill for MAE with its jackknife interval."""
        cell = self.forecasters.index(forecaster), horizon - 1
        return skill_interval(self.common_absolute[:, *cell], self.benchmark_absolute[:, *cell])

    def trust_path(self, forecaster: str, horizon: int) -> Array:
        """Return mean, low, high and number of trials of the trust at the end of each batch; (batch, 4)."""
        cell = self.forecasters.index(forecaster), horizon - 1
        won, lost = (np.nan_to_num(side[:, *cell]) for side in (self.won, self.lost))
        return trust_path(won, lost, self.decay)


def read_batch_scores(
    archive: Archive, run: PublishedRun, variables: Collection[str] | None = None
) -> Iterator[BatchScores]:
    """Yield the scores of each of `variables` (None: of all), part by part: one part is in memory at a time."""
    table = RunTable(archive, run.run_id, run.scores, _COLUMNS)
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
    return BatchScores(variable, spec.forecasters, batch_decay(spec.trust_decay, spec.batch_size_days), **arrays)
