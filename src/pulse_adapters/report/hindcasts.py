"""One-step hindcasts of a variable, read from the run's table of hindcasts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.published.archive import Archive
from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.published.table_reader import Rows, RunTable, joined
from pulse_adapters.report.views import Array, Moments, Weights
from pulse_core.arrays import finite_difference
from pulse_core.levels import LEVELS
from pulse_core.plan import batch_index

_QUANTILES = tuple(f"q{level}" for level in LEVELS)
_COLUMNS = (
    "variable",
    "forecaster",
    "horizon",
    "known_at",
    "target",
    "point",
    *_QUANTILES,
    "actual",
    "weight",
    "log10_e",
    "log10_e_against",
)


@attrs.frozen(eq=False)
class Hindcasts:
    """One-step hindcasts of one forecaster in order of origin: all (origin,), `quantiles` (level, origin).

    `actual` is the one that is scored, `log10_e` and `log10_e_against` the evidence for the forecaster and
    against it as they stood at the origin.
    """

    variable: str
    batch: NDArray[np.int64]
    known_at: Moments
    target: Moments
    point: Array
    quantiles: Array
    actual: Array
    log10_e: Array
    log10_e_against: Array
    weights: Weights | None

    @property
    def error(self) -> Array:
        """Actual less forecast; NaN where the actual was not known by the end, or beyond the range of a float64."""
        return finite_difference(self.actual, self.point)

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Where there is an error."""
        return np.isfinite(self.error)

    def calibration(self) -> tuple[Array, Array, Array, int]:
        """Return the levels, the share of actuals at or below each quantile, the share between them, and the count."""
        complete = self.scored & np.isfinite(self.quantiles).all(axis=0)
        count = int(complete.sum())
        levels = np.array(LEVELS)
        if not count:
            return levels, np.full(len(levels), np.nan), np.full(len(levels) + 1, np.nan), 0
        below = (self.actual[complete] <= self.quantiles[:, complete]).mean(axis=1)
        return levels, below, np.diff(np.r_[0.0, below, 1.0]), count


def read_hindcasts(archive: Archive, run: PublishedRun, focus: Mapping[str, str]) -> Iterator[Hindcasts]:
    """Yield each variable's hindcasts by its forecaster in `focus`; one part is in memory at a time."""
    table = RunTable(archive, run.run_id, run.parts("hindcasts"), _COLUMNS)
    for part in table.parts:
        pieces = [_relevant(rows, focus) for rows in table.row_groups(part, focus, horizon=1)]
        if pieces:
            part_rows = joined(pieces)
            for variable in sorted(focus, key=lambda name: (part_rows.code("variable", name) < 0, name)):
                rows = part_rows.select(part_rows["variable"] == part_rows.code("variable", variable))
                if len(rows):
                    yield _hindcasts(rows, variable, focus[variable], run)


def _relevant(rows: Rows, focus: Mapping[str, str]) -> Rows:
    """Return the rows of the focus, and of all others that have a weight in the ensemble."""
    relevant = np.array(
        [[name == focus.get(variable) for name in rows.names("forecaster")] for variable in rows.names("variable")]
    )
    return rows.select(relevant[rows["variable"], rows["forecaster"]] | np.isfinite(rows["weight"]))


def _hindcasts(rows: Rows, variable: str, focus: str, run: PublishedRun) -> Hindcasts:
    ordered = rows.select(np.argsort(rows["known_at"], kind="stable"))
    focus_rows = ordered.select(ordered["forecaster"] == ordered.code("forecaster", focus))
    return Hindcasts(
        variable,
        batch_index(run.spec, focus_rows["known_at"]),
        focus_rows["known_at"],
        focus_rows["target"],
        focus_rows["point"],
        np.stack([focus_rows[name] for name in _QUANTILES]),
        focus_rows["actual"],
        focus_rows["log10_e"],
        focus_rows["log10_e_against"],
        _weights(ordered, run),
    )


def _weights(rows: Rows, run: PublishedRun) -> Weights | None:
    weighted = rows.select(np.isfinite(rows["weight"]))
    if not len(weighted):
        return None
    batch = batch_index(run.spec, weighted["known_at"])
    names = weighted.names("forecaster")
    values = np.full((len(names), len(run.batches)), np.nan)  # (forecaster, batch)
    values[weighted["forecaster"], batch] = weighted["weight"]  # in order of origin: the last of a batch stays
    order = [
        names.index(name)
        for name in run.spec.forecasters
        if name in names and np.isfinite(values[names.index(name)]).any()
    ]
    batches = np.isfinite(values).any(axis=0)
    starts = np.array([batch.start for batch in run.batches], dtype="datetime64[us]")
    forecasters = tuple(names[index] for index in order)
    return Weights(starts[batches], forecasters, np.nan_to_num(values[order][:, batches]))
