"""Results of runs to show, made without a run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import numpy as np

from pulse_core.data.seasons import Seasonality
from pulse_core.plan import batches
from pulse_core.results import RELIABILITY, STATISTICS, TRUST, DataFacts, RunResult, UnitCounts, VariableSummary
from pulse_core.scores.measures import MEASURES
from pulse_core.scores.verdict import verdicts
from pulse_core.spec import RunSpec

FACTS = DataFacts("sha256:0", 100, 0, "2020-01-01", "2020-12-31", "timestamp")
START = datetime(2024, 1, 1, tzinfo=UTC)
SHOWN = {
    "probability": 0.875,
    "n_effective": 40.0,
    "win_rate": 0.55,
    "win_rate_low": 0.5,
    "win_rate_high": 0.6,
    "win_rate_trials": 90.0,
    "log10_e": 0.5,
    "log10_e_against": -1.0,
    "log10_e_wins": 0.25,
    "skill_low": -0.125,
    "skill_high": 0.5,
}
"""What every forecaster but the benchmark has shown, unless it is said."""


def summary(
    variable: str,
    errors: list[list[float]],
    names: tuple[str, ...] = ("naive", "ses"),
    over_simple: float = 0.0625,
    trends: bool = False,
    **shown: float,
) -> VariableSummary:
    """A summary with these MAE, shape (forecaster, horizon); the first forecaster is the benchmark.

    `shown` are values of TRUST; drift beats naive where naive `trends`, and the others beat drift by `over_simple`.
    """
    mae = np.array(errors)
    scores = np.full((*mae.shape, len(MEASURES)), np.nan)
    scores[..., MEASURES.index("n")] = 100
    scores[..., MEASURES.index("mae")] = mae
    scores[..., MEASURES.index("skill_mae")] = 1 - mae / mae[0]
    scores[..., MEASURES.index("coverage_80")] = 0.8125
    trust = np.full((*mae.shape, len(TRUST)), np.nan)
    trust[1:] = [{**SHOWN, **shown}[name] for name in TRUST]
    log10_e, against = (trust[..., TRUST.index(name)] for name in ("log10_e", "log10_e_against"))
    learned = np.full(mae.shape, np.nan)
    simple_skill = np.stack([1 - mae / mae[0], np.full(mae.shape, over_simple)])
    simple_skill[1, 0] = -0.25 if trends else 0.25
    return VariableSummary(
        variable=variable,
        data=FACTS,
        forecasters=names,
        benchmark=names[0],
        span=250,
        seasonality=Seasonality(),
        min_history=8,
        scores=scores,
        trust=trust,
        statistics=np.zeros((*mae.shape, len(STATISTICS))),
        verdicts=verdicts(log10_e, against, scores[..., MEASURES.index("skill_mae")]),
        reliability=np.zeros((mae.shape[1], 10, len(RELIABILITY))),
        simple=("naive", "drift"),
        simple_skill=simple_skill,
        trends=np.full(mae.shape[1], int(trends)),
        batches=[],
        origins=[],
        weights=learned,
        regret=learned[0],
        bound=learned[0],
        beyond_reason=np.zeros(mae.shape, dtype=np.int64),
    )


def result(*summaries: VariableSummary, **changes: Any) -> RunResult:
    spec = RunSpec(
        variables=[summary.variable for summary in summaries],
        start=date(2020, 1, 1),
        end=date(2020, 12, 31),
        horizon=summaries[0].scores.shape[1],
        forecasters=summaries[0].forecasters,
    )
    made = RunResult(
        run_id=spec.run_id,
        spec=spec,
        batches=batches(spec),
        variables=summaries,
        units=UnitCounts(len(summaries), computed=len(summaries)),
        started_at=START,
        finished_at=START + timedelta(seconds=90),
        published=("/place/result.json",),
    )
    return attrs.evolve(made, **changes)
