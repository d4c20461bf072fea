"""The summary: the best forecaster for each variable and horizon, and its verdict."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from pulse_adapters.published.document import Scores, Variable
from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.report.batch_scores import BatchScores
from pulse_adapters.report.views import Array, Row, Verdict

POINTS = 32
"""The number of points of a small plot, at most."""

_EMPTY = np.empty(0)


def summary_rows(
    run: PublishedRun, variable: str, batch_scores: BatchScores | None, horizons: Sequence[int]
) -> Iterator[Row]:
    """Yield a variable's rows, a horizon each; its scores by batch give intervals and small plots."""
    results = run.document.variables[variable]
    for horizon in horizons:
        yield _row(variable, results, batch_scores, horizon, run.spec.benchmark)


def _row(variable: str, results: Variable, batch_scores: BatchScores | None, horizon: int, benchmark: str) -> Row:
    best = results.best[str(horizon)]
    scores = None if best is None else results.forecasters[best].horizons[str(horizon)]
    challenger = best is not None and best != benchmark
    trust = None if scores is None else scores.trust
    interval, trusts = None, _EMPTY
    if batch_scores is not None and best is not None and challenger:
        interval = batch_scores.skill(best, horizon)
        trusts = batch_scores.trust_path(best, horizon)[:, 0]
    return Row(
        variable=variable,
        horizon=horizon,
        best=best,
        verdict=verdict(scores, challenger=challenger),
        scored=0 if scores is None else scores.n,
        skill=scores.skill_mae if scores is not None and challenger else None,
        low=None if interval is None else _finite(interval.low),
        high=None if interval is None else _finite(interval.high),
        trust=None if trust is None else trust.mean,
        trust_low=None if trust is None else trust.low,
        trust_high=None if trust is None else trust.high,
        log10_e=None if trust is None else trust.log10_e,
        coverage=None if scores is None else scores.coverage.get("80"),
        errors=_errors(batch_scores, best, horizon),
        trusts=thinned(trusts),
    )


def verdict(scores: Scores | None, *, challenger: bool) -> Verdict:
    """Return whether a best forecaster is a discovery, or its credible interval at least lies above one half."""
    if scores is None:
        return Verdict.NOTHING
    if not challenger:
        return Verdict.BENCHMARK
    if scores.discovery:
        return Verdict.PROVEN
    if scores.trust is not None and scores.trust.low > 0.5:
        return Verdict.LIKELY
    return Verdict.OPEN


def thinned(values: Array) -> Array:
    """Return at most POINTS means of neighbours; NaN where all of them are."""
    if len(values) <= POINTS:
        return values
    groups = np.array_split(values, POINTS)
    return np.array([group[np.isfinite(group)].mean() if np.isfinite(group).any() else np.nan for group in groups])


def _errors(batch_scores: BatchScores | None, best: str | None, horizon: int) -> Array:
    if batch_scores is None or best is None:
        return _EMPTY
    return thinned(batch_scores.mase[:, batch_scores.forecasters.index(best), horizon - 1])


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
