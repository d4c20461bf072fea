"""The delete-one-batch jackknife interval of a skill."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_core.scores.jackknife import skill_interval

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


@given(losses, st.randoms(use_true_random=False))
def test_it_is_the_textbooks_jackknife(lost, random) -> None:
    benchmark = [random.uniform(0.1, 100.0) for _ in lost]
    interval = skill_interval(np.array(lost), np.array(benchmark))
    skill, error = plain(lost, benchmark)
    assert interval.skill == pytest.approx(skill, rel=1e-9, abs=1e-12)
    assert interval.high - interval.low > 0 or error == pytest.approx(0, abs=1e-9)
    assert interval.high - interval.skill == pytest.approx(interval.skill - interval.low, rel=1e-6, abs=1e-12)


def test_its_margin_is_students() -> None:
    interval = skill_interval(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0]))
    _, error = plain([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    assert interval.high - interval.skill == pytest.approx(4.302652729749464 * error)  # t with 2 degrees of freedom


def test_batches_without_losses_are_left_out() -> None:
    full = skill_interval(np.array([1.0, 2.0, 1.0]), np.array([2.0, 2.0, 3.0]))
    holed = skill_interval(np.array([1.0, math.nan, 2.0, 0.0, 1.0]), np.array([2.0, 1.0, 2.0, 0.0, 3.0]))
    assert holed == full
    assert holed.batches == 3


@pytest.mark.parametrize(("lost", "benchmark"), [([], []), ([1.0], [2.0]), ([1.0, 1.0], [0.0, 0.0])])
def test_without_two_batches_or_a_loss_to_compare_with_there_is_no_interval(lost, benchmark) -> None:
    interval = skill_interval(np.array(lost), np.array(benchmark))
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


def test_it_covers_the_true_skill_about_as_often_as_its_confidence() -> None:
    generator = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        shared = generator.gamma(3.0, size=(40, 1))  # hard batches are hard for both
        lost, benchmark = (np.abs(generator.normal(size=(40, 20)) * shared * scale).sum(axis=1) for scale in (0.8, 1.0))
        interval = skill_interval(lost, benchmark)
        held += interval.low <= 0.2 <= interval.high
    assert 0.90 <= held / 400 <= 0.99
