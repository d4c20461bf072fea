"""Rows of the table of scores: one for each variable, forecaster, horizon and batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import frozen, in_units
from pulse_core.plan import batches
from pulse_core.results import VariableRecord
from pulse_core.scores.measures import MEASURES, write_measure_columns
from pulse_core.scores.sums import SUMS
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns, Labels

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

COMMON: Final = ("common_absolute", "benchmark_absolute")
"""The sums that the table gives beside the measures."""

NUMBERS: Final = (*COMMON, "won", "lost", "trust")
"""The table's last columns."""


def score_columns(records: Sequence[VariableRecord], spec: RunSpec) -> Columns:
    """Return a row for each variable, forecaster, horizon and batch in which something was scored or became known.

    Columns: `variable`, `forecaster`, `horizon`, `batch`, its first day `start`; the measures of the batch's own
    origins; `common_absolute` and `benchmark_absolute`, the sums of absolute errors on the origins scored for both, of
    which skills over any batches follow; `won` and `lost`, how many outcomes that became known in it were wins and
    losses, and the `trust` at its end.
    """
    parts = [_Part.of(record) for record in records]
    ends = np.cumsum([len(part.rows) for part in parts]).tolist()
    # a table's columns are filled record by record: so many numbers are not copied again
    scores = np.empty((len(MEASURES) - 1, ends[-1]))
    for part, end in zip(parts, ends, strict=True):
        part.write_measures(scores[:, end - len(part.rows) : end])
    windows = batches(spec)
    starts = np.array([batch.start for batch in windows], dtype="datetime64[us]")
    variable = np.repeat(np.arange(len(parts), dtype=np.int32), np.diff(ends, prepend=0))
    batch, forecaster, horizon = np.concatenate([part.cells() for part in parts], axis=1)
    numbers = np.concatenate([part.numbers() for part in parts], axis=1)
    frozen(scores), frozen(numbers)
    return {
        "variable": Labels(tuple(record.variable for record in records), variable),
        "forecaster": Labels(spec.forecasters, forecaster),
        "horizon": horizon + np.int32(1),
        "batch": Labels(tuple(window.id for window in windows), batch),
        "start": starts[batch],
        **dict(zip((*MEASURES[:-1], *NUMBERS), (*scores, *numbers), strict=True)),
    }


@attrs.frozen(eq=False)
class _Part:
    """The rows that a record has in the table: `rows` counts over its (batch, forecaster, horizon)."""

    record: VariableRecord
    rows: Positions

    @classmethod
    def of(cls, record: VariableRecord) -> _Part:
        has_row = (record.sums.values[..., SUMS.index("count")] > 0) | (record.won + record.lost > 0)
        return cls(record, np.flatnonzero(has_row))

    def write_measures(self, scores: Array) -> None:
        """Write the measures that follow from sums; (measure, row)."""
        write_measure_columns(self.record.sums.values, self.rows, self.record.exponent, scores)

    def cells(self) -> NDArray[np.int32]:
        """Return the batch, forecaster and horizon, from 0, of each row; (3, row)."""
        return np.array(np.unravel_index(self.rows, self.record.trust.shape), dtype=np.int32)

    def numbers(self) -> Array:
        """Return NUMBERS; (5, row)."""
        sums = self.record.sums.values.reshape(-1, len(SUMS))
        common = sums[self.rows[:, None], [SUMS.index(name) for name in COMMON]].T
        outcomes = [values.ravel()[self.rows] for values in (self.record.won, self.record.lost, self.record.trust)]
        return np.stack([*in_units(common, self.record.exponent), *outcomes])
