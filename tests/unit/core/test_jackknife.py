"""The interval of a skill: by leaving out one batch after the other."""

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
    left = [
        1 - (sum(lost) - lost[i]) / (sum(benchmark) - benchmark[i])
        for i in range(count)  # each left out in turn
    ]
    mean = sum(left) / count
    return 1 - sum(lost) / sum(benchmark), math.sqrt((count - 1) / count * sum((one - mean) ** 2 for one in left))


@given(losses, st.randoms(use_true_random=False))
def test_it_is_the_textbooks_jackknife(lost, random) -> None:
    benchmark = [random.uniform(0.1, 100.0) for _ in lost]
    found = skill_interval(np.array(lost), np.array(benchmark))
    skill, error = plain(lost, benchmark)
    assert found.skill == pytest.approx(skill, rel=1e-9, abs=1e-12)
    assert found.high - found.low > 0 or error == pytest.approx(0, abs=1e-9)
    assert found.high - found.skill == pytest.approx(found.skill - found.low, rel=1e-6, abs=1e-12)


def test_its_reach_is_students() -> None:
    found = skill_interval(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0]))
    _, error = plain([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    assert found.high - found.skill == pytest.approx(4.302652729749464 * error)  # t with 2 degrees of freedom


def test_batches_that_say_nothing_are_left_out() -> None:
    full = skill_interval(np.array([1.0, 2.0, 1.0]), np.array([2.0, 2.0, 3.0]))
    holed = skill_interval(np.array([1.0, math.nan, 2.0, 0.0, 1.0]), np.array([2.0, 1.0, 2.0, 0.0, 3.0]))
    assert holed == full
    assert holed.batches == 3


@pytest.mark.parametrize(("lost", "benchmark"), [([], []), ([1.0], [2.0]), ([1.0, 1.0], [0.0, 0.0])])
def test_without_two_batches_or_a_loss_to_compare_with_there_is_no_interval(lost, benchmark) -> None:
    found = skill_interval(np.array(lost), np.array(benchmark))
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_it_holds_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        shared = generator.gamma(3.0, size=(40, 1))  # hard batches are hard for both
        lost, benchmark = (np.abs(generator.normal(size=(40, 20)) * shared * scale).sum(axis=1) for scale in (0.8, 1.0))
        found = skill_interval(lost, benchmark)
        held += found.low <= 0.2 <= found.high
    assert 0.90 <= held / 400 <= 0.99
