"""Strange data and the whole roster: numbers or nothing, never an infinity, never a warning."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Observations
from pulse_core.results import VariableSummary
from pulse_core.scores.measures import MEASURES
from pulse_core.spec import CALIBRATIONS
from tests.fakes import FakeSink
from tests.strategies import replayed, specs_for
from tests.unit.core.runs import records_of
from tests.unit.method.running import replay, series, spec_of, train, whole_roster

COUNT = 60
HALF = COUNT // 2
STRANGE = {
    "constant": [5.0] * COUNT,
    "zero": [0.0] * COUNT,
    "minus zero": [0.0, -0.0] * HALF,
    "line": [0.1 * day for day in range(COUNT)],
    "level shift": [1.0 + day % 3 for day in range(HALF)] + [1e6 + day % 3 for day in range(HALF)],
    "shift by 1e160": [1.0 + day % 3 for day in range(HALF)] + [1e160 + day % 3 for day in range(HALF)],
    "shift by 1e300": [1.0 + day % 3 for day in range(HALF)] + [1e300 * (1 + day % 3) for day in range(HALF)],
    "one outlier": [float(day % 4) for day in range(HALF)] + [1e200] + [float(day % 4) for day in range(HALF - 1)],
    "constant, then a step": [1.0] * HALF + [2.0] * HALF,
    "alternating": [1.0, -1.0] * HALF,
    "ties": [float(day % 5 // 2) for day in range(COUNT)],
    "growing": [1.8**day for day in range(COUNT)],
    "exploding": [1e5**day for day in range(COUNT)],
    "tiny": [1e-300 * day * day for day in range(1, COUNT + 1)],
    "huge": [1e300 * (day % 4) for day in range(COUNT)],
    "least": [5e-324 * (day % 3) for day in range(COUNT)],
    "largest": [8e307 * (-1) ** day for day in range(COUNT)],
    "from tiny to huge": [1e-300] * HALF + [1e300] * HALF,
    "from huge to tiny": [1e300] * HALF + [1e-300] * HALF,
    "one error whose square is as large as a number can be": [0.0, 0.0, 1.7e27, 2.6e-126] + [0.0] * (COUNT - 4),
    "mixed": [1e300, 1e-300, -1e300, 0.0, 1.0] * (COUNT // 5),
}


def arrays_of(summary: VariableSummary) -> dict[str, np.ndarray]:
    held = {field.name: getattr(summary, field.name) for field in attrs.fields(VariableSummary)}
    return {name: array for name, array in held.items() if isinstance(array, np.ndarray)}


def assert_finite_or_missing(summaries: tuple[VariableSummary, ...]) -> None:
    for summary in summaries:
        infinite = [name for name, array in arrays_of(summary).items() if np.isinf(array).any()]
        assert infinite == []


@pytest.mark.parametrize(("season", "calibration"), [(None, "conformal"), (1, "conformal"), (4, "empirical")])
@pytest.mark.parametrize("target", ["level", "change", "log-change"])
@pytest.mark.parametrize("values", STRANGE.values(), ids=STRANGE)
def test_strange_data_give_numbers_or_nothing(values, target, season, calibration):
    if target == "log-change":
        values = [abs(value) + 5e-324 for value in values]
    spec = spec_of(days=COUNT, first=20, horizon=3, target=target, season=season, calibration=calibration)
    result = train([series(values)], spec)
    assert len(result.variables) == 1
    assert_finite_or_missing(result.variables)


@pytest.mark.parametrize("values", STRANGE.values(), ids=STRANGE)
def test_quotes_of_strange_data_are_never_infinite(values):
    output = replay(series(values), spec_of(days=COUNT, season=4, horizon=3))
    assert not np.isinf(output.hindcasts.forecasts).any()
    assert output.weights.size
    assert not np.isinf(output.weights).any()


@settings(max_examples=40)
@given(st.data())
def test_any_finite_data_give_numbers_or_nothing(data):
    # twice the largest value must be a number: a change takes the difference of two
    observations = data.draw(replayed(st.floats(-8e307, 8e307)))
    spec = data.draw(specs_for(observations))
    spec = attrs.evolve(
        spec, season=3, forecasters=whole_roster(3), calibration=data.draw(st.sampled_from(CALIBRATIONS))
    )
    assert_finite_or_missing(train([observations], spec).variables)


@pytest.mark.parametrize("season", [None, 1, 2, 7])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("target", ["level", "change"])
def test_the_shortest_series_give_forecasts_or_none(count, season, target):
    values = [4.0, 7.0, 1.0][:count]
    spec = spec_of(days=count, horizon=1, min_history=1, season=season, target=target)
    result = train([series(values)], spec)
    assert len(result.variables) + len(result.failures) == 1
    assert_finite_or_missing(result.variables)


def test_a_variable_whose_histories_have_one_value_harms_no_other():
    good, lone = series([float(day * day % 7) for day in range(40)], "good"), series([1.0], "lone")
    spec = spec_of("good", "lone", days=40, min_history=1, horizon=1)
    both = train([good, lone], spec)
    assert both.failures == ()
    assert both.variables[:1] == train([good], attrs.evolve(spec, variables=("good",))).variables


def test_a_variable_that_only_ever_has_one_value_known_has_no_score():
    (summary,) = train([series([1.0])], spec_of(days=5, min_history=1, horizon=1)).variables
    assert (summary.scores[..., MEASURES.index("n")] == 0).all()
    assert summary.best(1) is None


@pytest.mark.parametrize("season", [None, 4])
def test_equal_losses_of_all_leave_the_weights_uniform_and_no_regret(season):
    summary = train([series([5.0] * COUNT)], spec_of(days=COUNT, first=20, season=season)).variables[0]
    weights = summary.weights[np.isfinite(summary.weights).any(axis=1)]
    np.testing.assert_allclose(weights, 1 / len(weights))
    assert (summary.regret == 0).all()


@pytest.mark.parametrize("season", [None, 4])
@pytest.mark.parametrize("level", [5.0, 0.1, 0.7, -1 / 3, 1234.56])
def test_a_constant_makes_nobody_a_winner_or_a_loser(level, season):
    # rounding must not make a loser of who adds up what is all the same
    summary = train([series([level] * COUNT)], spec_of(days=COUNT, first=20, season=season)).variables[0]
    is_scored = summary.scores[:, 0, MEASURES.index("n")] > 0  # not all can forecast what is below zero
    assert (summary.scores[is_scored][..., MEASURES.index("mae")] == 0).all()
    assert np.isnan(summary.trust).all()
    assert not summary.verdicts.any()
    assert not summary.trends.any()


def test_after_a_step_a_constant_is_a_tie_for_those_that_follow_at_once():
    # the benchmark has erred once, so that there is a scale
    values = [0.1] * 30 + [0.7] * (COUNT - 30)
    names = ("naive", "seasonal-naive(1)")
    summary = train([series(values)], spec_of(days=COUNT, first=20, horizon=1, forecasters=names)).variables[0]
    assert [summary.shown(name)[1, 0] for name in ("log10_e", "log10_e_against", "log10_e_wins")] == [0.0] * 3
    assert np.isnan(summary.shown("probability")).all()


def test_a_constant_is_covered_by_quantiles_without_width():
    spec = spec_of(days=COUNT, first=20, forecasters=("naive", "ses", "holt", "theta", "ar"))
    scores = train([series([5.0] * COUNT)], spec).variables[0].scores
    assert (scores[..., MEASURES.index("width_95")] == 0).all()
    assert (scores[..., MEASURES.index("coverage_95")] == 1).all()
    assert (scores[..., MEASURES.index("crps")] == 0).all()


def mixed_unit() -> list[Observations]:
    """Long and short, plain and revised, smooth and singular."""
    generator = np.random.default_rng(81)
    walk = 40 + np.cumsum(generator.normal(size=150))
    plain, other = series(walk, "plain"), series(walk[:90][::-1], "short")
    revised = series(walk, "revised")
    stamps, days = revised.timestamps, np.arange(0, 150, 7)
    later = Observations(
        "revised",
        np.append(stamps, stamps[days]),
        np.append(walk, walk[days] + 0.5),
        np.append(stamps, stamps[days] + np.timedelta64(3 * 86_400 + 7, "s")),
    )
    flat, line = series([2.0] * 120, "flat"), series(0.1 * np.arange(150), "line")
    return [plain, other, later, flat, line, series(walk * 1e200, "huge"), series(1e-200 * walk[50:], "tiny")]


@pytest.mark.parametrize("target", ["level", "change"])
@pytest.mark.parametrize("calibration", CALIBRATIONS)
@pytest.mark.parametrize("unit_size", [3, 7])
def test_any_cut_into_units_gives_the_same_bits(unit_size, calibration, target):
    members = mixed_unit()
    names = [member.variable for member in members]
    spec = spec_of(*names, days=150, first=60, horizon=3, season=4, calibration=calibration, target=target)
    alone, cut = FakeSink(), FakeSink()
    single = train(members, spec, alone, unit_size=1)
    many = train(members, spec, cut, unit_size=unit_size)
    assert many.variables == single.variables
    assert records_of(cut) == records_of(alone)


@pytest.mark.parametrize(
    "block",
    [
        "pulse_core.backtest.learning.BLOCK",
        "pulse_core.kernel.hindcasts.LONGEST_STRETCH",
        "pulse_core.kernel.hindcasts.FIRST_STRETCH",
    ],
)
def test_smaller_blocks_give_the_same_bits(block, monkeypatch):
    members = mixed_unit()
    spec = spec_of(*(member.variable for member in members), days=150, first=60, horizon=3, season=4)
    before = train(members, spec, unit_size=7)
    monkeypatch.setattr(block, 1)
    assert train(members, spec, unit_size=7).variables == before.variables


@settings(max_examples=15)
@given(st.data())
def test_any_portfolio_has_the_same_bits_alone_and_together(data):
    members = [data.draw(replayed(variable=f"v{index}")) for index in range(data.draw(st.integers(2, 5)))]
    spec = data.draw(specs_for(members[0]))
    spec = attrs.evolve(
        spec,
        variables=[member.variable for member in members],
        forecasters=whole_roster(3),
        season=3,
        calibration=data.draw(st.sampled_from(CALIBRATIONS)),
    )
    alone, together = (train(members, spec, unit_size=size) for size in (1, len(members)))
    assert together.variables == alone.variables
    assert together.failures == alone.failures
