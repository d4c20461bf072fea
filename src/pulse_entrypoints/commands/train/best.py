"""The best forecaster of each variable and horizon, for the table and the events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.results import TRUST, RunResult, VariableSummary
from pulse_core.scores.measures import MEASURES

MAX_SUMMARISED = 200
"""Events name the best forecaster of this many variables at most; result.json has all."""


@attrs.frozen
class BestForecaster:
    """The best forecaster (least MAE) of a variable at a horizon; None where a number is impossible.

    `skill` is the share of the benchmark's MAE that it saves; `trust` the probability that it beats the benchmark,
    `low` and `high` the ends of its 95 % credible interval; `discovery` says whether it does beyond chance, all
    comparisons of the run counted (e-BH). The benchmark itself has none of them. `coverage` is the share of actuals
    in its 80 % interval.
    """

    variable: str
    horizon: int
    forecaster: str
    is_benchmark: bool
    scored: int
    coverage: float | None
    skill: float | None
    trust: float | None
    low: float | None
    high: float | None
    discovery: bool


Discoveries = Mapping[str, NDArray[np.bool_]]
"""By variable: which (forecaster, horizon) is a discovery."""


def best_forecaster(
    summary: VariableSummary, horizon: int, benchmark: str, discoveries: Discoveries
) -> BestForecaster | None:
    """Return the best forecaster at a horizon, the earlier one of a tie; None where nothing was scored."""
    name = summary.best(horizon)
    if name is None:
        return None
    row = summary.forecasters.index(name)
    measure = dict(zip(MEASURES, summary.scores[row, horizon - 1].tolist(), strict=True))
    trust = dict(zip(TRUST, summary.trust[row, horizon - 1].tolist(), strict=True))
    is_benchmark = name == benchmark
    return BestForecaster(
        variable=summary.variable,
        horizon=horizon,
        forecaster=name,
        is_benchmark=is_benchmark,
        scored=int(measure["n"]),
        coverage=_number(measure["coverage_80"]),
        skill=None if is_benchmark else _number(measure["skill_mae"]),
        trust=_number(trust["mean"]),
        low=_number(trust["low"]),
        high=_number(trust["high"]),
        discovery=bool(discoveries[summary.variable][row, horizon - 1]),
    )


def summary_of(result: RunResult) -> dict[str, dict[str, Any]]:
    """Return the best forecaster one step ahead of the first variables, by variable."""
    discoveries = result.discoveries()
    summaries = result.variables[:MAX_SUMMARISED]
    forecasters = [best_forecaster(summary, 1, result.spec.benchmark, discoveries) for summary in summaries]
    return {
        best.variable: {
            "best": best.forecaster,
            "skill_mae": best.skill,
            "trust": best.trust,
            "discovery": best.discovery,
            "coverage_80": best.coverage,
        }
        for best in forecasters
        if best is not None
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
