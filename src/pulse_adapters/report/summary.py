"""The summary: for each variable and horizon the best forecaster, and what may be concluded about it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from pulse_adapters.published.document import Scores, Variable
from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.report.batchwise import Batchwise
from pulse_adapters.report.views import Array, Row, Verdict

POINTS = 32
"""The most points of a small plot."""

_NOTHING = np.empty(0)


def rows_of(run: PublishedRun, variable: str, batchwise: Batchwise | None, horizons: Sequence[int]) -> Iterator[Row]:
    """Yield a variable's rows, a horizon each; its scores by batch give intervals and small plots."""
    found = run.document.variables[variable]
    for horizon in horizons:
        yield _row(variable, found, batchwise, horizon, run.spec.benchmark)


def _row(variable: str, found: Variable, batchwise: Batchwise | None, horizon: int, benchmark: str) -> Row:
    best = found.best[str(horizon)]
    scores = None if best is None else found.forecasters[best].horizons[str(horizon)]
    challenger = best is not None and best != benchmark
    trust = None if scores is None else scores.trust
    interval = None if batchwise is None or best is None or not challenger else batchwise.skill(best, horizon)
    trusts = _NOTHING
    if batchwise is not None and best is not None and challenger:
        trusts = batchwise.trust_path(best, horizon)[:, 0]
    return Row(
        variable=variable,
        horizon=horizon,
        best=best,
        verdict=verdict(scores, challenger=challenger),
        scored=0 if scores is None else scores.n,
        skill=scores.skill_mae if scores is not None and challenger else None,
        low=None if interval is None else _number(interval.low),
        high=None if interval is None else _number(interval.high),
        trust=None if trust is None else trust.mean,
        trust_low=None if trust is None else trust.low,
        trust_high=None if trust is None else trust.high,
        log10_e=None if trust is None else trust.log10_e,
        coverage=None if scores is None else scores.coverage.get("80"),
        errors=_errors(batchwise, best, horizon),
        trusts=thinned(trusts),
    )


def verdict(scores: Scores | None, *, challenger: bool) -> Verdict:
    """Judge a best forecaster: is it a discovery, or does at least its credible interval lie above one half?"""
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


def _errors(batchwise: Batchwise | None, best: str | None, horizon: int) -> Array:
    if batchwise is None or best is None:
        return _NOTHING
    return thinned(batchwise.mase[:, batchwise.forecasters.index(best), horizon - 1])


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
