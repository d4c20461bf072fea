"""The series of the truth tests of trust are what they are said to be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pulse_core.scores.measures import MEASURES
from tests.plain_trust import replayed
from tests.processes_trust import (
    ERRORS,
    KNOWS_JUMPS,
    OVERSHOOTS,
    autoregressions,
    autoregressive_changes,
    jump_losses,
    jump_series,
    local_levels,
    near_walks,
    over_losses,
    over_series,
    shocks,
    walks,
)
from tests.unit.method.running import series, spec_of, train

COUNT, LENGTH = 20, 4000


def generator(seed=1):
    return np.random.default_rng(seed)


def correlation(values, lag=1):
    """The autocorrelation of rows about 0, pooled."""
    return (values[:, lag:] * values[:, :-lag]).sum() / (values * values).sum()


@pytest.mark.parametrize(
    "process",
    [
        *(lambda draws, errors=errors: walks(3, 50, draws, errors) for errors in ERRORS),
        lambda draws: near_walks(3, 50, draws),
        lambda draws: autoregressions(3, 50, draws, 0.3),
        lambda draws: local_levels(3, 50, draws, 1.0),
        lambda draws: jump_series(3, 50, draws),
        lambda draws: over_series(3, 50, draws),
    ],
)
def test_series_are_those_of_their_seed(process):
    values = process(generator())
    assert values.shape == (3, 50)
    assert np.array_equal(values, process(generator()))
    assert not np.array_equal(values, process(generator(2)))


@pytest.mark.parametrize("errors", ERRORS)
def test_errors_of_a_walk_are_uncorrelated(errors):
    assert correlation(np.diff(walks(COUNT, LENGTH, generator(), errors))) == pytest.approx(0, abs=0.02)


def test_garch_errors_have_variance_one_and_cluster():
    errors = shocks(COUNT, LENGTH, generator(), "garch")
    assert errors.var() == pytest.approx(1, rel=0.1)
    assert correlation(errors**2 - 1) > 0.1


def test_autoregressions_have_their_coefficient():
    assert correlation(autoregressions(COUNT, LENGTH, generator(), 0.3)) == pytest.approx(0.3, abs=0.02)
    changes = np.diff(autoregressive_changes(COUNT, LENGTH, generator(), 0.3))
    assert correlation(changes) == pytest.approx(0.3, abs=0.02)


def test_each_series_may_have_a_coefficient_of_its_own():
    low, high = autoregressions(2, LENGTH, generator(), np.array([-0.5, 0.9]))
    assert correlation(low[None]) == pytest.approx(-0.5, abs=0.05)
    assert correlation(high[None]) == pytest.approx(0.9, abs=0.05)


def test_changes_of_near_walks_are_hardly_correlated_and_half_of_them_only_once():
    changes = np.diff(near_walks(COUNT, LENGTH, generator(), largest=0.9))
    once = [correlation(row[None], lag=2) for row in changes[1::2]]
    assert np.max(np.abs(once)) < 0.1
    first = [correlation(row[None]) for row in np.diff(near_walks(COUNT, LENGTH, generator()))]
    assert np.max(np.abs(first)) < 0.15 + 0.06


def test_changes_of_a_local_level_turn_back():
    changes = np.diff(local_levels(COUNT, LENGTH, generator(), 1.0))
    assert correlation(changes) == pytest.approx(-1 / 3, abs=0.02)


@pytest.mark.parametrize(("losses", "skill", "wins"), [(jump_losses, 0.203, 0.205), (over_losses, -0.596, 0.6)])
def test_skills_are_as_they_are_said_to_be_and_wins_the_other_way_round(losses, skill, wins):
    own, naive = losses(COUNT, LENGTH, generator())
    assert 1 - own.sum() / naive.sum() == pytest.approx(skill, abs=0.01)
    assert (own < naive).mean() == pytest.approx(wins, abs=0.01)


@pytest.mark.parametrize(("losses", "better"), [(jump_losses, True), (over_losses, False)])
def test_sizes_decide_and_not_the_number_of_wins(losses, better):
    own, naive = losses(5, 1350, generator(3))
    for pair in map(replayed, own.tolist(), naive.tolist()):
        evidence, against = pair.evidence
        right, wrong = (evidence, against) if better else (against, evidence)
        assert right > math.log10(20) > 0 > wrong
        assert pair.probability is not None
        assert (pair.probability > 0.95) if better else (pair.probability < 0.01)
        assert (pair.win_rate[2] < 0.5) if better else (pair.win_rate[1] > 0.5)


@pytest.mark.parametrize(
    ("process", "forecaster", "skill"), [(jump_series, KNOWS_JUMPS, 0.203), (over_series, OVERSHOOTS, -0.596)]
)
def test_a_run_sees_the_same_skill(process, forecaster, skill):
    (values,) = process(1, 1500, generator(4))
    spec = spec_of(days=1500, first=150, horizon=1, forecasters=("naive", forecaster.name), batch_size_days=300)
    (variable,) = train([series(values)], spec, forecasters=(forecaster,)).variables
    assert variable.scores[1, 0, MEASURES.index("skill_mae")] == pytest.approx(skill, abs=0.03)
