"""Results as DataFrames: the scores and trust of a run, a row each."""

from __future__ import annotations

import numpy as np

from pulse_core.results import TRUST
from pulse_core.scores.measures import MEASURES
from pulse_core.scores.verdict import VERDICTS
from tests.unit.core.runs import run, series, spec_of


def test_every_score_is_in_its_row():
    values = 50 + np.cumsum(np.random.default_rng(1).normal(size=60))
    result = run(
        [series(values), series(values[::-1], "y")], spec_of("x", "y", forecasters=("naive", "ses", "ensemble"))
    )
    frame = result.to_frame()
    assert len(frame) == 2 * 3 * 2
    row = frame[(frame.variable == "y") & (frame.forecaster == "ses") & (frame.horizon == 2)].iloc[0]
    summary = result.variables[1]
    np.testing.assert_array_equal(row[list(MEASURES)].to_numpy(float), summary.scores[1, 1])
    shown = dict(zip(TRUST, summary.trust[1, 1].tolist(), strict=True))
    assert row[["trust", *TRUST[1:]]].tolist() == list(shown.values())
    assert row.verdict == VERDICTS[summary.verdicts[1, 1]]
    assert frame[frame.forecaster == "naive"].verdict.isna().all()
    assert row.discovery == result.discoveries()["y"][1, 1]
    assert frame.groupby("variable").weight.count().to_dict() == {"x": 4, "y": 4}
