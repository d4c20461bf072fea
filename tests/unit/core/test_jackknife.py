"""Delete-one-batch jackknife intervals of skills."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_core.scores.jackknife import skill_intervals

losses = st.lists(st.floats(0.1, 100.0), min_size=2, max_size=30)


def plain(lost: list[float], benchmark: list[float]) -> tuple[float, float]:
    """Skill and standard error, as a textbook writes them."""
    count = len(lost)
    skills = [
        1 - (sum(lost) - lost[i]) / (sum(benchmark) - benchmark[i])
        for i in range(count)  # the batch that is left out
    ]
    mean = sum(skills) / count
    return 1 - sum(lost) / sum(benchmark), math.sqrt((count - 1) / count * sum((skill - mean) ** 2 for skill in skills))


def interval(lost: list[float], benchmark: list[float]) -> tuple[float, float]:
    """The ends of one interval."""
    low, high = skill_intervals(np.array(lost), np.array(benchmark))
    return float(low), float(high)


@given(losses, st.randoms(use_true_random=False))
def test_it_is_the_textbooks_jackknife(lost, random):
    from scipy.stats import t

    benchmark = [random.uniform(0.1, 100.0) for _ in lost]
    low, high = interval(lost, benchmark)
    skill, error = plain(lost, benchmark)
    margin = t.ppf(0.975, len(lost) - 1) * error
    expected = skill - margin, min(skill + margin, 1.0)  # no skill exceeds 1
    assert (low, high) == pytest.approx(expected, rel=1e-7, abs=1e-9)


def test_its_margin_is_students():
    low, _ = interval([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    skill, error = plain([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    assert skill - low == pytest.approx(4.302652729749464 * error)  # t with 2 degrees of freedom


def test_batches_without_losses_are_left_out():
    holed = interval([1.0, 0.0, 2.0, 0.0, 1.0], [2.0, 0.0, 2.0, 0.0, 3.0])
    assert holed == interval([1.0, 2.0, 1.0], [2.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("lost", "benchmark"),
    [([], []), ([1.0], [2.0]), ([1.0, 1.0], [0.0, 0.0]), ([1.0, 1.0], [3.0, 0.0]), ([1.0, 0.0], [2.0, 0.0])],
)
def test_without_two_batches_or_a_loss_to_compare_with_there_is_no_interval(lost, benchmark):
    assert np.isnan(interval(lost, benchmark)).all()


@given(st.integers(0, 12), st.integers(1, 4), st.integers(1, 3), st.integers(0, 1000))
def test_many_at_once_are_those_of_each_alone(batches, forecasters, horizons, seed):
    generator = np.random.default_rng(seed)
    shape = (batches, forecasters, horizons)
    lost, benchmark = (generator.gamma(2.0, size=shape) * (generator.random(shape) < 0.8) for _ in range(2))
    low, high = skill_intervals(lost, benchmark)
    assert low.shape == high.shape == shape[1:]
    for pair in np.ndindex(*shape[1:]):
        alone = interval(lost[:, *pair].tolist(), benchmark[:, *pair].tolist())
        assert (low[pair], high[pair]) == pytest.approx(alone, rel=1e-9, abs=1e-12, nan_ok=True)


def test_it_covers_the_true_skill_about_as_often_as_its_confidence():
    generator = np.random.default_rng(7)
    shared = generator.gamma(3.0, size=(40, 400, 1))  # hard batches are hard for both
    lost, benchmark = (
        np.abs(generator.normal(size=(40, 400, 20)) * shared * scale).sum(axis=-1) for scale in (0.8, 1.0)
    )
    low, high = skill_intervals(lost, benchmark)
    assert 0.90 <= np.mean((low <= 0.2) & (high >= 0.2)) <= 0.99
