"""The best forecaster of each variable and horizon, for the table and the events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.published.benchmark_comparison import holds_at_any_time
from pulse_core.results import RunResult, VariableSummary
from pulse_core.scores.measures import MEASURES
from pulse_core.scores.verdict import SKILL, VERDICTS
from pulse_core.spec import RunSpec

MAX_SUMMARISED = 200
"""Events name the best forecaster of this many variables at most; result.json has all."""


@attrs.frozen
class BestForecaster:
    """The best forecaster (least MAE) of a variable at a horizon; None where a number is impossible.

    `skill` is the share of the benchmark's loss that it saves, `low` and `high` the ends of the 95 % interval; the loss
    is the one that trust compares. `verdict` is better, worse or open; where it is not open, `at_one_time` says that
    the evidence would not do for one who looks again and again. `trust` is the probability that over the next origins
    its mean loss is lower than the benchmark's, `n_effective` the number of independent origins that it rests on.
    `discovery` says whether it is better beyond chance, all comparisons of the run counted (e-BH). The benchmark itself
    has none of them. `coverage` is the share of actuals in its 80 % interval.
    """

    variable: str
    horizon: int
    forecaster: str
    is_benchmark: bool
    coverage: float | None
    skill: float | None
    low: float | None
    high: float | None
    verdict: str | None
    at_one_time: bool
    trust: float | None
    n_effective: float | None
    discovery: bool


Discoveries = Mapping[str, NDArray[np.bool_]]
"""By variable: which (forecaster, horizon) is a discovery."""


def best_forecaster(
    summary: VariableSummary, horizon: int, spec: RunSpec, discoveries: Discoveries
) -> BestForecaster | None:
    """Return the best forecaster at a horizon, the earlier one of a tie; None where nothing was scored."""
    name = summary.best(horizon)
    if name is None:
        return None
    cell = summary.forecasters.index(name), horizon - 1
    measure = dict(zip(MEASURES, summary.scores[cell].tolist(), strict=True))
    is_benchmark = name == summary.benchmark

    def shown(value: str) -> float | None:
        return _number(float(summary.shown(value)[cell]))

    return BestForecaster(
        variable=summary.variable,
        horizon=horizon,
        forecaster=name,
        is_benchmark=is_benchmark,
        coverage=_number(measure["coverage_80"]),
        skill=None if is_benchmark else _number(measure[SKILL[spec.trust_loss]]),
        low=shown("skill_low"),
        high=shown("skill_high"),
        verdict=None if is_benchmark else VERDICTS[int(summary.verdicts[cell])],
        at_one_time=bool(holds_at_any_time(summary)[cell] == 0),
        trust=shown("probability"),
        n_effective=shown("n_effective"),
        discovery=bool(discoveries[summary.variable][cell]),
    )


def summary_of(result: RunResult) -> dict[str, dict[str, Any]]:
    """Return the best forecaster one step ahead of the first variables, by variable."""
    discoveries = result.discoveries()
    summaries = result.variables[:MAX_SUMMARISED]
    forecasters = [best_forecaster(summary, 1, result.spec, discoveries) for summary in summaries]
    return {
        best.variable: {
            "best": best.forecaster,
            SKILL[result.spec.trust_loss]: best.skill,
            "verdict": best.verdict,
            "trust": best.trust,
            "discovery": best.discovery,
            "coverage_80": best.coverage,
        }
        for best in forecasters
        if best is not None
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
