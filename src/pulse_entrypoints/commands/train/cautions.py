"""What is told beside the numbers at the end of a run: a benchmark that trends, trusts that did not come true."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pulse_adapters.published.cautions import (
    TrendingBenchmark,
    doubtful_text,
    reliability_text,
    trending_text,
    unrepeatable_text,
)
from pulse_core.results import RunResult, VariableSummary


def cautions(result: RunResult) -> Iterator[str]:
    """Yield what must be told beside the numbers."""
    trending = [_trending(summary) for summary in result.variables if summary.trends.any()]
    reliability = reliability_text(result.reliability().bins)
    data = {**result.predictors, **{summary.variable: summary.data for summary in result.variables}}
    doubtful = doubtful_text((name, facts.caution) for name, facts in data.items())
    for text in (doubtful, trending_text(trending), reliability, unrepeatable_text(result.unrepeatable)):
        if text:
            yield text


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
