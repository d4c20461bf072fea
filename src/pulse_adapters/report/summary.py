"""The summary: how the best forecaster of each variable stands at each horizon."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.report.batch_scores import BatchScores
from pulse_adapters.report.standings import standing_of
from pulse_adapters.report.views import Array, Row, Verdict

POINTS = 32
"""The number of points of a small plot, at most."""

_EMPTY = np.empty(0)


def summary_rows(
    run: PublishedRun, variable: str, batch_scores: BatchScores | None, horizons: Sequence[int]
) -> Iterator[Row]:
    """Yield a variable's rows, a horizon each; its scores by batch give the small plots."""
    for horizon in horizons:
        yield _row(run, variable, batch_scores, horizon)


def _row(run: PublishedRun, variable: str, batch_scores: BatchScores | None, horizon: int) -> Row:
    results = run.variables[variable]
    best = results.best[str(horizon)]
    standing = standing_of(run, variable, best, horizon)
    errors, trusts = _EMPTY, _EMPTY
    if batch_scores is not None and best is not None:
        cell = batch_scores.forecasters.index(best), horizon - 1
        errors = batch_scores.mase[:, *cell]
        trusts = _EMPTY if standing.verdict is Verdict.BENCHMARK else batch_scores.trust[:, *cell]
    return Row(
        variable=variable,
        horizon=horizon,
        standing=standing,
        coverage=None if best is None else results.forecasters[best].horizons[str(horizon)].coverage.get("80"),
        errors=thinned(errors),
        trusts=thinned(trusts),
    )


def thinned(values: Array) -> Array:
    """Return at most POINTS means of neighbours; NaN where all of them are."""
    if len(values) <= POINTS:
        return values
    groups = np.array_split(values, POINTS)
    return np.array([group[np.isfinite(group)].mean() if np.isfinite(group).any() else np.nan for group in groups])
