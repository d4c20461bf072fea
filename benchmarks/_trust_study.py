"""Trust and evidence of given losses, by the kernel: what a run would have quoted of a forecaster that lost so much.

There is one origin a step, and an actual is known `horizon` origins later. A loss is told to the kernel as a forecast
that misses an actual of 0 by so much.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.backtest.custom_quantiles import NO_QUANTILES
from pulse_core.backtest.hindcasts import Hindcasts
from pulse_core.backtest.learning import LearningPass
from pulse_core.backtest.origins import Origins
from pulse_core.forecasters.registry import ForecasterSet
from pulse_core.kernel.bindings import whole_lanes
from pulse_core.scores.evidence import log10_of
from pulse_core.scores.trust import trust_probability
from pulse_core.spec import RunSpec

Array = NDArray[np.float64]

SPAN: Final = 250
"""K: the origins that trust looks ahead."""


@attrs.frozen(eq=False)
class Quotes:
    """Trust (quoted origin, forecaster), NaN where null, and log10 of e in both directions (origin, forecaster)."""

    trust: Array
    evidence: Array
    evidence_against: Array


def quote(losses: Array, benchmark_losses: Array, horizon: int, origins: Collection[int]) -> Quotes:
    """Replay absolute errors (origin, forecaster) against the benchmark's (origin,); trust at some `origins`."""
    learning = _learning_pass(np.column_stack([benchmark_losses, losses]), horizon)
    with np.errstate(all="ignore"):
        parts = list(learning.states(0, len(losses)))
        evidence = log10_of(np.concatenate([part.evidence[:, :, -1, 1:] for part in parts]))
        states = np.concatenate([part.states for part in parts])[list(origins)]
        trust = trust_probability(states, SPAN)[:, -1, 1:]
    return Quotes(trust, evidence[:, 0], evidence[:, 1])


def _learning_pass(losses: Array, horizon: int) -> LearningPass:
    """Return the pass over losses (origin, forecaster), of which the first are the benchmark's."""
    count, forecasters = losses.shape
    names = tuple(f"f{row}" for row in range(forecasters))
    cells = np.full((count, whole_lanes(forecasters * horizon)), np.nan)
    cells[:, horizon - 1 : forecasters * horizon : horizon] = losses
    spec = RunSpec(
        variables=("x",),
        start=date(2020, 1, 1),
        end=date(2020, 12, 31),
        horizon=horizon,
        forecasters=names,
        benchmark=names[0],
    )
    origins = Origins(
        batch=np.zeros(count, dtype=np.int64),
        newest=np.zeros(count),
        scale=np.ones(count),
        square_scale=np.ones(count),
        step_square=np.ones(count),
        steps=np.arange(1.0, count + 1.0),
        reported=np.zeros((count, horizon)),
        released=np.zeros((count, horizon)),
        known=np.maximum(np.arange(count)[:, None] - np.arange(horizon), 0),
    )
    hindcasts = Hindcasts(names, forecasters, horizon, cells, NO_QUANTILES)
    marks = np.empty(0, dtype=np.int64)
    return LearningPass(hindcasts, origins, ForecasterSet(names, (), (), None), spec, names[0], marks)
