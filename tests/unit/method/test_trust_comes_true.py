"""Trust comes true, and evidence finds what is there: on simulated series, at the precision that is promised."""

from __future__ import annotations

import numpy as np
import pytest

from tests.processes_trust import autoregressive_changes
from tests.trust_study import ALL, MIN_HISTORY, PROCESSES, Reliability, Replay

SERIES = 40
ORIGINS = 2_300


@pytest.mark.parametrize("horizon", [1, 5])
def test_trust_comes_true_over_many_series(horizon):
    parts = []
    for index, process in enumerate(PROCESSES.values()):
        values = process(SERIES, MIN_HISTORY + ORIGINS + horizon - 1, np.random.default_rng([7, index]))
        parts.append(Reliability.of(Replay.of(values, horizon), ALL))
    pooled = Reliability.pooled(parts)
    assert 0.9 <= pooled.slope <= 1.15, f"slope {pooled.slope:.3f}"
    # far ahead combinations, and theta with a weight of its own, are close to naive: which is ahead is a toss-up
    most = 0.18 if horizon == 1 else 0.19
    assert pooled.brier <= most, f"Brier {pooled.brier:.3f}"
    assert pooled.brier < pooled.uncertainty - 0.02, "no better than saying the same of all"


def test_evidence_finds_a_small_skill_within_750_origins():
    history = 250
    values = autoregressive_changes(120, history + 760, np.random.default_rng(8), 0.3)
    share = float(Replay.of(values, 1, ("ar",), history).ever(751).mean())
    assert share >= 0.7, f"e >= 20 in {share:.0%} of the series"
