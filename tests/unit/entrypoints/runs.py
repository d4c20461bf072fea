"""Results of runs to show, made without a run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import numpy as np

from pulse_core.plan import batches
from pulse_core.results import TRUST, DataFacts, RunResult, UnitCounts, VariableSummary
from pulse_core.scores.measures import MEASURES
from pulse_core.spec import RunSpec

FACTS = DataFacts("sha256:0", 100, 0, "2020-01-01", "2020-12-31", "timestamp")
START = datetime(2024, 1, 1, tzinfo=UTC)


def summary(
    variable: str, errors: list[list[float]], names: tuple[str, ...] = ("naive", "ses"), log10_e: float = 0.5
) -> VariableSummary:
    """A summary with these MAE, shape (forecaster, horizon); the first forecaster is the benchmark."""
    mae = np.array(errors)
    scores = np.full((*mae.shape, len(MEASURES)), np.nan)
    scores[..., MEASURES.index("n")] = 100
    scores[..., MEASURES.index("mae")] = mae
    scores[..., MEASURES.index("skill_mae")] = 1 - mae / mae[0]
    scores[..., MEASURES.index("coverage_80")] = 0.8125
    trust = np.full((*mae.shape, len(TRUST)), np.nan)
    trust[1:] = [0.875, 0.75, 0.9375, 40.0, log10_e]
    learned = np.full(mae.shape, np.nan)
    return VariableSummary(
        variable, FACTS, names, scores, trust, np.zeros(12, dtype=np.int64), learned, learned[0], learned[0]
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
