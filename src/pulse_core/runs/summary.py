"""Scores of a variable over all batches, and trust as it stands at the end of the period, from its backtest."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import ratio
from pulse_core.results import STATISTICS, TRUST, VariableBacktest, VariableBatches, VariableScores
from pulse_core.scores.comparison import p_values
from pulse_core.scores.jackknife import skill_intervals
from pulse_core.scores.measures import MEASURES, all_measures
from pulse_core.scores.verdict import SKILL, THRESHOLD, verdicts
from pulse_core.scores.win_rate import win_rates
from pulse_core.spec import RunSpec

Array = NDArray[np.float64]

_BIAS_LEVEL: Final = 0.01
"""The p-value below which the benchmark's mean error is told to differ from 0."""


def aggregate(result: VariableBacktest, spec: RunSpec) -> VariableScores:
    """Aggregate a variable's backtest; a horizon of which no actual is known has no score.

    What it takes of the spec must be in the key of the variable's result.
    """
    scores, trust, codes = standing(result, spec)
    return VariableScores(
        variable=result.variable,
        forecasters=result.forecasters,
        benchmark=result.benchmark,
        span=result.span,
        seasonality=result.seasonality,
        min_history=result.min_history,
        scores=scores,
        trust=trust,
        statistics=result.statistics,
        verdicts=codes,
        reliability=result.reliability,
        simple=result.simple,
        simple_skill=1.0 - ratio(result.simple_losses[..., 0], result.simple_losses[..., 1]),
        trends=_trends(result),
        batches=result.batches,
        origins=result.origins,
        weights=result.weights,
        regret=result.regret,
        bound=result.bound,
        beyond_reason=result.beyond_reason,
    )


def standing(result: VariableBacktest, spec: RunSpec) -> tuple[Array, Array, NDArray[np.int64]]:
    """Return the scores over all batches, the values of TRUST, and the verdicts; (forecaster, horizon, ..)."""
    dm_p = p_values(result.statistics[..., STATISTICS.index("dm_statistic") :])
    scores = np.concatenate([all_measures(result.total, result.exponent), dm_p[..., None]], axis=-1)
    trust = _trust(result)
    in_favour, against = (trust[..., TRUST.index(name)] for name in ("log10_e", "log10_e_against"))
    return scores, trust, verdicts(in_favour, against, scores[..., MEASURES.index(SKILL[spec.trust_loss])])


def _trust(result: VariableBacktest) -> Array:
    """Return the values of TRUST as they stand at the end; (forecaster, horizon, value)."""
    statistics = dict(zip(STATISTICS, np.moveaxis(result.statistics, -1, 0), strict=True))
    probability = result.trust[-1]
    effective = np.where(np.isnan(probability), np.nan, statistics["effective"] / statistics["inflation"])
    row = result.forecasters.index(result.benchmark)
    values = [
        probability,
        effective,
        *np.moveaxis(win_rates(statistics["wins"], statistics["losses"]), -1, 0),
        *np.moveaxis(result.evidence, -1, 0),
        *skill_intervals(*result.losses),
    ]
    trust = np.stack(values, axis=-1)
    trust[row] = np.nan
    trust[statistics["compared"] == 0] = np.nan  # nothing was compared yet: no hypothesis either
    return trust


def _trends(result: VariableBacktest) -> NDArray[np.int64]:
    """Return, by horizon, whether the benchmark is biased, or a simple forecaster is shown to beat it."""
    biased = p_values(result.bias) < _BIAS_LEVEL
    beaten = (result.simple_evidence >= math.log10(THRESHOLD)).any(axis=0)
    return (biased | beaten).astype(np.int64)


def variable_batches(result: VariableBacktest) -> VariableBatches:
    """Return what the table of batches holds of a variable's backtest."""
    return VariableBatches(
        variable=result.variable,
        forecasters=result.forecasters,
        batches=result.batches,
        n=result.n,
        mae=result.mae,
        mase=result.mase,
        crps=result.crps,
        trust=result.trust,
        won=result.won,
        lost=result.lost,
    )
