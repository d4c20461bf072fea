"""What was quoted of a variable one step ahead, from the run's table of hindcasts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.published.archive import Archive
from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.published.table_reader import Rows, RunTable, joined
from pulse_adapters.report.views import Array, Moments, Weights
from pulse_core.backtest.calibration import LEVELS
from pulse_core.plan import batch_index

_QUANTILES = tuple(f"q{level}" for level in LEVELS)
_COLUMNS = ("variable", "forecaster", "horizon", "known_at", "target", "point", *_QUANTILES, "actual", "weight")


@attrs.frozen(eq=False)
class Quotes:
    """Hindcasts of one forecaster in order of origin: all (origin,), `quantiles` (level, origin)."""

    variable: str
    batch: NDArray[np.int64]
    target: Moments
    point: Array
    quantiles: Array
    actual: Array
    benchmark_error: Array
    weights: Weights | None

    @property
    def error(self) -> Array:
        """Actual less forecast; NaN where the actual was not known by the end."""
        return np.asarray(self.actual - self.point)

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Where there is an error."""
        return np.isfinite(self.error)

    def calibration(self) -> tuple[Array, Array, Array, int]:
        """Return the levels, the share of actuals at or below each quantile, the share between them, and the count."""
        told = self.scored & np.isfinite(self.quantiles).all(axis=0)
        count = int(told.sum())
        levels = np.array(LEVELS)
        if not count:
            return levels, np.full(len(levels), np.nan), np.full(len(levels) + 1, np.nan), 0
        below = (self.actual[told] <= self.quantiles[:, told]).mean(axis=1)
        return levels, below, np.diff(np.r_[0.0, below, 1.0]), count


def quotes(archive: Archive, run: PublishedRun, focus: Mapping[str, str]) -> Iterator[Quotes]:
    """Yield what was quoted of each variable by its forecaster in `focus`; one part is in memory at a time."""
    table = RunTable(archive, run.run_id, run.hindcasts, _COLUMNS)
    for part in table.parts:
        pieces = [_lean(rows, run, focus) for rows in table.row_groups(part, focus, horizon=1)]
        if pieces:
            rows = joined(pieces)
            for variable, code in sorted((name, rows.code("variable", name)) for name in focus):
                mine = rows.select(rows["variable"] == code)
                if len(mine):
                    yield _quotes(mine, variable, focus[variable], run)


def _lean(rows: Rows, run: PublishedRun, focus: Mapping[str, str]) -> Rows:
    """Keep what is needed: the focus and the benchmark, and of the others what they weigh."""
    wanted = np.array(
        [
            [name in {focus.get(variable), run.spec.benchmark} for name in rows.names("forecaster")]
            for variable in rows.names("variable")
        ]
    )
    return rows.select(wanted[rows["variable"], rows["forecaster"]] | np.isfinite(rows["weight"]))


def _quotes(rows: Rows, variable: str, focus: str, run: PublishedRun) -> Quotes:
    rows = rows.select(np.argsort(rows["known_at"], kind="stable"))
    mine = rows.select(rows["forecaster"] == rows.code("forecaster", focus))
    benchmark = rows.select(rows["forecaster"] == rows.code("forecaster", run.spec.benchmark))
    return Quotes(
        variable,
        batch_index(run.spec, mine["known_at"]),
        mine["target"],
        mine["point"],
        np.stack([mine[name] for name in _QUANTILES]),
        mine["actual"],
        _matched(mine, benchmark),
        _weights(rows, run),
    )


def _matched(mine: Rows, benchmark: Rows) -> Array:
    """Return the benchmark's errors at my origins; NaN where it has none."""
    errors = np.full(len(mine), np.nan)
    if len(benchmark):
        place = np.minimum(np.searchsorted(benchmark["known_at"], mine["known_at"]), len(benchmark) - 1)
        same = benchmark["known_at"][place] == mine["known_at"]
        errors[same] = (benchmark["actual"] - benchmark["point"])[place][same]
    return errors


def _weights(rows: Rows, run: PublishedRun) -> Weights | None:
    weighed = rows.select(np.isfinite(rows["weight"]))
    if not len(weighed):
        return None
    batch = batch_index(run.spec, weighed["known_at"])
    names = weighed.names("forecaster")
    values = np.full((len(names), len(run.batches)), np.nan)
    values[weighed["forecaster"], batch] = weighed["weight"]  # in order of origin: the last of a batch stays
    order = [
        names.index(name) for name in run.spec.roster if name in names and np.isfinite(values[names.index(name)]).any()
    ]
    told = np.isfinite(values).any(axis=0)
    starts = np.array([one.start for one in run.batches], dtype="datetime64[us]")
    return Weights(starts[told], tuple(names[place] for place in order), np.nan_to_num(values[order][:, told]))
