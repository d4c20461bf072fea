"""Evidence as it is told, and the verdicts that it and the skill make together."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core.scores.evidence import evidence_of_wins, log10_of
from pulse_core.scores.verdict import BETTER, OPEN, THRESHOLD, VERDICTS, WORSE, anytime, verdicts

LIMIT = math.log10(THRESHOLD)
BELOW = math.nextafter(LIMIT, 0.0)


@given(st.floats(1e-300, 1e300))
def test_logarithms_are_decimal(e):
    assert log10_of(np.array([e]))[0] == pytest.approx(math.log10(e), rel=1e-14, abs=1e-15)


def plain_evidence(won: int, lost: int) -> Fraction:
    """The mean over p, uniform on (1/2, 1], of (2p)^w (2(1-p))^l."""
    trials = won + lost
    return Fraction(
        sum(math.comb(trials + 1, index) for index in range(won + 1)), (trials + 1) * math.comb(trials, won)
    )


@settings(max_examples=40)
@given(st.integers(1, 60), st.integers(1, 5), st.integers(1, 3), st.integers(0, 1 << 32))
def test_evidence_of_wins_is_that_of_exact_arithmetic_over_interleaved_sequences(count, horizons, forecasters, seed):
    differences = np.random.default_rng(seed).choice([0.5, 2.0, -1.0, 0.0, math.nan], (count, horizons, forecasters))
    table = evidence_of_wins(differences)
    assert table.shape == (horizons, forecasters)
    for horizon in range(1, horizons + 1):
        for forecaster in range(forecasters):
            total = Fraction(0)
            for first in range(horizon):
                sequence = differences[first::horizon, horizon - 1, forecaster]
                total += plain_evidence(int((sequence > 0).sum()), int((sequence < 0).sum()))
            expected = math.log10(total / horizon)
            assert table[horizon - 1, forecaster] == pytest.approx(expected, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize(
    ("log10_e", "against", "skill", "verdict"),
    [
        (LIMIT, -1.0, 0.1, "better"),
        (BELOW, -1.0, 0.1, "open"),
        (300.0, -1.0, -0.1, "open"),
        (300.0, -1.0, 0.0, "open"),
        (300.0, -1.0, math.nan, "open"),
        (-1.0, LIMIT, -0.1, "worse"),
        (-1.0, BELOW, -0.1, "open"),
        (-1.0, 300.0, 0.1, "open"),
        (-1.0, 300.0, 0.0, "open"),
        (LIMIT, LIMIT, 0.1, "better"),
        (LIMIT, LIMIT, -0.1, "worse"),
        (math.nan, math.nan, 0.1, "open"),
        (math.nan, math.nan, math.nan, "open"),
    ],
)
def test_a_verdict_takes_evidence_and_skill_of_one_mind(log10_e, against, skill, verdict):
    codes = verdicts(*(np.array([[value]]) for value in (log10_e, against, skill)))
    assert codes.dtype == np.int64
    assert VERDICTS[int(codes[0, 0])] == verdict


def test_verdicts_are_told_apart_by_their_codes():
    assert (WORSE, OPEN, BETTER) == (-1, 0, 1)
    assert set(VERDICTS) == {WORSE, OPEN, BETTER}


def test_at_any_time_evidence_has_to_be_as_many_times_larger_as_there_are_steps():
    steps = np.arange(1.0, 5.0)
    reaching = np.array([math.log10(20 * step) for step in steps])
    assert anytime(np.stack([reaching, np.nextafter(reaching, 0.0)])).tolist() == [[True] * 4, [False] * 4]
    assert anytime(np.array([[LIMIT, LIMIT], [math.nan, math.inf]])).tolist() == [[True, False], [False, True]]
