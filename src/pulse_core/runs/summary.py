"""Scores of a variable over all batches, and trust as it stands at the end of the period, from its record."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pulse_core.errors import TooLittleData
from pulse_core.kernel.bindings import posteriors
from pulse_core.plan import batch_count
from pulse_core.results import TRUST, VariableRecord, VariableScores
from pulse_core.runs.keys import aggregation_key
from pulse_core.scores.measures import MEASURES, all_measures
from pulse_core.scores.trust import batch_decay, trust
from pulse_core.spec import RunSpec


def aggregate(result: VariableRecord, spec: RunSpec) -> VariableScores:
    """Aggregate a variable's record. Raises TooLittleData where the data cannot fill a horizon.

    What it takes of the spec and is in no record's key belongs in `keys.aggregation_key`.
    """
    count = batch_count(spec)
    scores = np.concatenate([all_measures(result.sums.total(), result.exponent), result.dm_p[..., None]], axis=-1)
    _refuse_empty_horizons(scores, result, spec)
    origins = np.zeros(count, dtype=np.int64)
    origins[: len(result.origins)] = result.origins
    return VariableScores(
        variable=result.variable,
        aggregation=aggregation_key(spec),
        forecasters=result.forecasters,
        scores=scores,
        trust=trusted(result, spec, count),
        origins=origins,
        weights=result.weights,
        regret=result.regret,
        bound=result.bound,
    )


def trusted(result: VariableRecord, spec: RunSpec, batches: int) -> NDArray[np.float64]:
    """Return the trust after so many batches (forecaster, horizon, 5), ordered as TRUST; NaN where there is none."""
    decay = batch_decay(spec.trust_decay, spec.batch_size_days)
    alpha, beta = posteriors(result.wins, result.losses, decay, batches)
    values = np.concatenate([trust(alpha[-1], beta[-1]), result.log10_e[..., None]], axis=-1)
    values[result.forecasters.index(spec.benchmark)] = np.nan
    values[values[..., TRUST.index("trials")] == 0] = np.nan  # no outcome yet: no trust to speak of
    return values


def _refuse_empty_horizons(scores: NDArray[np.float64], result: VariableRecord, spec: RunSpec) -> None:
    scored = (scores[..., MEASURES.index("n")] > 0).any(axis=0)
    if not scored.all():
        furthest = int(np.flatnonzero(scored).max()) + 1 if scored.any() else 0
        raise TooLittleData(
            f"horizon {spec.horizon} cannot be filled: of {int(result.origins.sum())} origins from {spec.start} to "
            f"{spec.last_day}, none knows what happened more than {furthest} steps later",
            f"variable '{result.variable}'",
            f"Use a horizon of at most {furthest}, or a later end" if furthest else "Use a later end, or more data",
        )
