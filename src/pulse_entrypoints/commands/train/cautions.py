"""What is told beside the numbers at the end of a run: a benchmark that trends, trusts that did not come true."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pulse_adapters.published.cautions import (
    TrendingBenchmark,
    beyond_reason_text,
    doubtful_text,
    reliability_text,
    trending_text,
    unrepeatable_text,
    unscored_text,
)
from pulse_core.results import RunResult, VariableSummary
from pulse_core.scores.measures import MEASURES


def cautions(result: RunResult) -> Iterator[str]:
    """Yield what must be told beside the numbers."""
    trending = [_trending(summary) for summary in result.variables if summary.trends.any()]
    reliability = reliability_text(result.reliability().bins)
    data = {**result.predictors, **{summary.variable: summary.data for summary in result.variables}}
    doubtful = doubtful_text((name, facts.caution) for name, facts in data.items())
    unrepeatable, beyond_reason = unrepeatable_text(result.unrepeatable), beyond_reason_text(_beyond_reason(result))
    unscored = unscored_text((summary.variable, _unscored(summary)) for summary in result.variables)
    for text in (doubtful, unscored, trending_text(trending), reliability, unrepeatable, beyond_reason):
        if text:
            yield text


def _beyond_reason(result: RunResult) -> Iterator[tuple[str, str, int]]:
    """Yield variable, forecaster and how many of its forecasts were beyond reason, where there were any."""
    for summary in result.variables:
        for name, count in zip(summary.forecasters, summary.beyond_reason.sum(axis=1).tolist(), strict=True):
            if count:
                yield summary.variable, name, count


def _unscored(summary: VariableSummary) -> list[int]:
    """Return the horizons at which no forecaster was scored."""
    most = summary.scores[..., MEASURES.index("n")].max(axis=0)
    return [horizon for horizon, count in enumerate(most.tolist(), 1) if not count]


def _trending(summary: VariableSummary) -> TrendingBenchmark:
    simple = [summary.best_simple(horizon) for horizon in range(1, summary.scores.shape[1] + 1)]
    best = summary.best(1)
    skill = None if best is None else float(summary.skill_over_simple(1)[summary.forecasters.index(best)])
    return TrendingBenchmark(
        variable=summary.variable,
        benchmark=summary.benchmark,
        alternatives=tuple(dict.fromkeys(name for name in simple if name not in (None, summary.benchmark))),
        best=best,
        simple=simple[0],
        skill=None if skill is None or math.isnan(skill) else skill,
    )
