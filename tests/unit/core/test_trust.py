"""What trust learns of a run: who came closer, by how much, and when that became known."""

from __future__ import annotations

import numpy as np
import pytest

from pulse_core.results import TRUST
from pulse_core.scores.measures import MEASURES
from pulse_core.spec import SEASONAL, TWO_SEASONS
from tests.backtests import by_batch
from tests.strategies import ALL_NAMES
from tests.unit.core.models import Fixed, custom
from tests.unit.core.runs import REFERENCE, backtested, known, run, series, spec_of

RISING = series(float(n * n) for n in range(12))
DAYS = 7


def won_and_lost(loss: float, benchmark: float) -> tuple[list[int], list[int]]:
    """What is won and lost, batch by batch of a day, where two forecasters have these losses at every origin."""
    forecaster, rival = custom(Fixed([loss]), "tests:Forecaster"), custom(Fixed([benchmark]), "tests:Rival")
    names = (rival.name, forecaster.name)
    spec = spec_of(days=DAYS, horizon=1, batch_size_days=1, forecasters=names, benchmark=rival.name)
    record = backtested(series([0.0] * DAYS), spec, forecaster, rival)
    assert record is not None
    won, lost = (by_batch(record.batches, counts)[:, 1, 0].tolist() for counts in (record.won, record.lost))
    return won, lost


# the first origin is day 1, and its actual is known on day 2; it has no scale, for no error was known at it
NONE, EACH_DAY = [0] * DAYS, [0, 0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("loss", "benchmark", "won", "lost"),
    [
        (1.0, 2.0, EACH_DAY, NONE),
        (3.0, 2.0, NONE, EACH_DAY),
        (2.0, 2.0, NONE, NONE),
        (1.0, 1.0 + 1e-10, NONE, NONE),
        (1.0, 1.0 + 1e-8, EACH_DAY, NONE),
        (0.0, 0.0, NONE, NONE),
        (1.0, 0.0, NONE, NONE),
    ],
    ids=["less", "more", "equal", "a rounding less", "a little less", "none", "beside a benchmark that never errs"],
)
def test_the_smaller_loss_wins_and_equal_ones_count_for_neither(loss, benchmark, won, lost):
    assert won_and_lost(loss, benchmark) == (won, lost)


@pytest.mark.parametrize(("loss", "benchmark"), [(np.nan, 1.0), (1.0, np.nan), (np.nan, np.nan)])
def test_without_both_errors_nothing_is_won_or_lost(loss, benchmark):
    assert won_and_lost(loss, benchmark) == (NONE, NONE)


def test_an_outcome_counts_in_the_batch_in_which_it_became_known():
    record = backtested(RISING, spec_of(days=12, batch_size_days=1, horizon=3, min_history=4))
    assert record is not None
    drift = by_batch(record.batches, record.won)[:, ALL_NAMES.index("drift")]
    # the first origin is day 3, an h-step error is first known on day 3 + h, and that origin's d on day 3 + 2h
    for ahead in (1, 2, 3):
        assert drift[:, ahead - 1].tolist() == [0] * (3 + 2 * ahead) + [1] * (9 - 2 * ahead)


def test_of_forecasters_that_never_tie_all_have_as_many_outcomes():
    # those that can forecast from the first origin on
    spec = spec_of(days=12, batch_size_days=1, horizon=3, min_history=4, forecasters=("naive", "drift", "mean"))
    record = backtested(RISING, spec)
    assert record is not None
    both = record.won + record.lost
    assert both.any()
    assert (both[:, 1] == both[:, 2]).all()
    assert not both[:, 0].any()


def test_trust_is_quoted_from_the_third_outcome_on():
    record = backtested(RISING, spec_of(days=12, batch_size_days=1, horizon=1, min_history=4, trust_half_life=1e6))
    assert record is not None
    outcomes = np.cumsum((record.won + record.lost)[:, ALL_NAMES.index("drift"), 0])
    # each outcome fades the earlier ones, so that three are a little less than three
    quoted = np.isfinite(record.trust[:, ALL_NAMES.index("drift"), 0])
    assert quoted.tolist() == (outcomes > 3).tolist()


def test_trust_learns_from_first_releases_whatever_actuals_are_reported():
    rows = [(n, float(n * n), n) for n in range(12)] + [(n, -1e6, 11) for n in range(6, 11)]
    first, latest = (
        run(known(rows), spec_of(days=12, actuals=actuals, forecasters=REFERENCE)).variables[0]
        for actuals in ("first", "latest")
    )
    learned = slice(TRUST.index("log10_e_wins") + 1)  # the interval of the skill is about what is scored
    assert first.trust[..., learned].tobytes() == latest.trust[..., learned].tobytes()
    assert first.trust.tobytes() != latest.trust.tobytes()
    assert first.scores.tobytes() != latest.scores.tobytes()


@pytest.mark.parametrize("benchmark", [name for name in ALL_NAMES if name not in {*SEASONAL, *TWO_SEASONS}])
def test_the_benchmark_has_no_trust_in_itself(benchmark):
    positive = series(float(n * n + 1) for n in range(12))
    summary = run(positive, spec_of(days=12, min_history=6, benchmark=benchmark)).variables[0]
    assert summary.benchmark == benchmark
    silent = np.asarray(np.isnan(summary.trust).all(axis=(1, 2)))
    assert silent[summary.forecasters.index(benchmark)]
    others = [name for name, none in zip(summary.forecasters, silent.tolist(), strict=True) if not none]
    assert len(others) > 10


def test_a_forecaster_without_a_forecast_has_neither_scores_nor_trust():
    silent = custom(Fixed([np.nan, np.nan]))
    spec = spec_of(days=12, forecasters=("naive", silent.name))
    summary = run(RISING, spec, forecasters=(silent,)).variables[0]
    counts = [MEASURES.index(name) for name in ("n", "hit_rate_count")]
    assert summary.scores[1][:, counts].tolist() == [[0.0] * 2] * 2
    assert np.isnan(np.delete(summary.scores[1], counts, axis=-1)).all()
    assert np.isnan(summary.trust[1]).all()
    assert not summary.verdicts[1].any()


def test_a_forecaster_without_a_forecast_is_no_hypothesis():
    silent = custom(Fixed([np.nan, np.nan]))
    spec = spec_of(days=12, forecasters=("naive", "drift", silent.name))
    result = run(RISING, spec, forecasters=(silent,))
    assert np.isnan(result.variables[0].shown("log10_e")).any(axis=1).tolist() == [True, False, True]


def test_days_without_an_origin_fade_nothing():
    short, long = (run(RISING, spec_of(days=days, batch_size_days=6)).variables[0] for days in (12, 24))
    assert long.trust.tobytes() == short.trust.tobytes()
    assert long.statistics.tobytes() == short.statistics.tobytes()
