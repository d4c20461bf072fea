"""How forecasters stand against the benchmark, as the result says."""

from __future__ import annotations

from typing import Any

import attrs

from pulse_adapters.published.cautions import TrendingBenchmark
from pulse_adapters.published.document import Interval, Scores, Trust, WinRate
from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.report.views import Standing, Verdict
from pulse_core.scores.verdict import SKILL


def standing_of(run: PublishedRun, variable: str, forecaster: str | None, horizon: int) -> Standing:
    """Return how a forecaster stands at a horizon; None stands for none that was scored."""
    results = run.variables[variable]
    scores = None if forecaster is None else results.forecasters[forecaster].horizons[str(horizon)]
    standing = Standing(
        forecaster=forecaster,
        benchmark=results.benchmark.name,
        verdict=_verdict(scores),
        over_simple=None if scores is None else scores.skill_over_simple,
        simple=results.benchmark.best_simple.get(str(horizon)),
    )
    if scores is None or scores.verdict is None:
        return standing
    return attrs.evolve(
        standing,
        discovery=bool(scores.discovery),
        at_one_time=scores.anytime is False,
        skill=getattr(scores, SKILL[run.spec.trust_loss]),
        interval=_ends(scores.skill_interval),
        **_trust(scores.trust),
        **_win_rate(scores.win_rate),
        log10_e=scores.log10_e,
        log10_e_against=scores.log10_e_against,
    )


def _verdict(scores: Scores | None) -> Verdict:
    if scores is None:
        return Verdict.NOTHING
    return Verdict.BENCHMARK if scores.verdict is None else Verdict(scores.verdict)


def _trust(trust: Trust | None) -> dict[str, Any]:
    if trust is None:
        return {}
    return {"trust": trust.probability, "span": trust.span, "n_effective": trust.n_effective}


def _win_rate(rate: WinRate | None) -> dict[str, Any]:
    return {} if rate is None else {"win_rate": rate.mean, "win_interval": (rate.low, rate.high), "trials": rate.trials}


def _ends(interval: Interval | None) -> tuple[float, float] | None:
    return None if interval is None else (interval.low, interval.high)


def trending_benchmarks(run: PublishedRun) -> list[TrendingBenchmark]:
    """Return the variables whose benchmark trends."""
    return [
        TrendingBenchmark(
            variable=name,
            benchmark=variable.benchmark.name,
            alternatives=tuple(
                dict.fromkeys(
                    simple
                    for simple in variable.benchmark.best_simple.values()
                    if simple is not None and simple != variable.benchmark.name
                )
            ),
            best=variable.best["1"],
            simple=variable.benchmark.best_simple["1"],
            skill=standing_of(run, name, variable.best["1"], 1).over_simple,
        )
        for name, variable in run.variables.items()
        if variable.benchmark.trends
    ]
