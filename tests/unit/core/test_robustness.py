"""Strange data give numbers or null, never infinity, never a warning."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Observations, VariableSummary
from pulse_core.results import TRUST
from pulse_core.scores.measures import MEASURES, why_null
from tests.strategies import replayed, whole_for
from tests.unit.core.runs import (
    FORECASTERS,
    ended,
    failures,
    hindcasts,
    in_units,
    known,
    run,
    series,
    spec_of,
)

STRANGE = {
    "constant": [5.0] * 30,
    "zero": [0.0] * 30,
    "minus zero": [0.0, -0.0] * 15,
    "constant, then a step": [1.0] * 15 + [1e6] * 15,
    "a step and back": [1.0] * 10 + [1e12] + [1.0] * 19,
    "alternating": [1.0, -1.0] * 15,
    "tiny": [1e-300 * n * n for n in range(1, 31)],
    "huge": [1e300 * (n % 4) for n in range(1, 31)],
    "least": [5e-324 * (n % 3) for n in range(1, 31)],
    "largest": [8e307 * (-1) ** n for n in range(1, 31)],
    "from tiny to huge": [1e-300] * 15 + [1e300] * 15,
    "from huge to tiny": [1e300] * 15 + [1e-300] * 15,
    "mixed": [1e300, 1e-300, -1e300, 0.0, 1.0] * 6,
    "tenths": [0.1 * (n % 2) for n in range(30)],
}
SPEC = spec_of(days=30)

by_forecaster = pytest.mark.parametrize("forecaster", FORECASTERS, ids=lambda forecaster: forecaster.name)


def score(summary: VariableSummary, forecaster: str, measure: str, ahead: int = 1) -> float:
    return float(summary.scores[summary.forecasters.index(forecaster), ahead - 1, MEASURES.index(measure)])


def arrays_of(summary: VariableSummary) -> list[np.ndarray]:
    held = [getattr(summary, field.name) for field in attrs.fields(VariableSummary)]
    return [array for array in held if isinstance(array, np.ndarray)]


@pytest.mark.parametrize("target", ["level", "change"])
@pytest.mark.parametrize("values", STRANGE.values(), ids=STRANGE)
def test_no_result_of_strange_data_is_infinite(values, target):
    summary = run(series(values), attrs.evolve(SPEC, target=target)).variables[0]
    assert not any(np.isinf(array).any() for array in arrays_of(summary))


@settings(max_examples=40)
@given(st.data())
def test_no_result_of_any_finite_data_is_infinite(data):
    # twice the largest value must be a number: a change takes the difference of two
    observations = data.draw(replayed(st.floats(-8e307, 8e307)))
    result = ended(observations, data.draw(whole_for(observations)))
    assert not any(np.isinf(array).any() for summary in result.variables for array in arrays_of(summary))


@pytest.mark.parametrize("power", [-996, 996])
def test_scores_at_the_ends_of_the_range_are_those_of_ordinary_numbers(power):
    ordinary = [float(n * n % 7 + 1) for n in range(30)]
    plain, far = (run(series(numbers), SPEC).variables[0] for numbers in (ordinary, np.ldexp(ordinary, power)))
    indices = [MEASURES.index(name) for name in MEASURES if not in_units(name)]
    assert far.scores[..., indices].tobytes() == plain.scores[..., indices].tobytes()


@by_forecaster
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_shortest_histories_give_forecasts_or_none(forecaster, count):
    spec = spec_of(days=count, min_history=1, horizon=3)
    bits_by_origin = hindcasts(forecaster, series([4.0, 7.0, 1.0][:count]), spec)
    forecasts = np.array([np.frombuffer(bits) for bits in bits_by_origin.values()])
    assert forecasts.shape == (count, 3)
    assert not np.isinf(forecasts).any()


@by_forecaster
def test_a_constant_history_is_forecast_to_go_on(forecaster):
    bits_by_origin = hindcasts(forecaster, series([5.0] * 20), spec_of(days=20))
    forecasts = np.array([np.frombuffer(bits) for bits in bits_by_origin.values()])
    assert set(forecasts[np.isfinite(forecasts)].tolist()) == {5.0}


@by_forecaster
def test_a_forecast_is_made_at_every_origin_once_the_history_is_long_enough(forecaster):
    bits_by_origin = hindcasts(
        forecaster, series(float(n * n % 7 + 1) for n in range(40)), spec_of(days=40, min_history=30)
    )
    assert not any(np.isnan(np.frombuffer(bits)).any() for bits in bits_by_origin.values())


def test_drift_forecasts_nothing_from_one_value():
    summary = run(series([4.0, 7.0, 1.0]), spec_of(days=3, min_history=1, horizon=1)).variables[0]
    assert score(summary, "naive", "n") == 2
    assert score(summary, "drift", "n") == 1


def test_without_a_loss_of_the_benchmark_nothing_is_compared():
    summary = run(series([5.0] * 20), spec_of(days=20)).variables[0]
    assert np.isnan(summary.trust).all()
    assert not summary.verdicts.any()


def test_equal_losses_are_ties_that_leave_all_open():
    # seasonal-naive(1) is naive under another name
    spec = spec_of(days=30, forecasters=("naive", "seasonal-naive(1)"))
    summary = run(series(float(n * n % 7) for n in range(30)), spec).variables[0]
    values = dict(zip(TRUST, summary.trust[1, 0].tolist(), strict=True))
    evidence = [values.pop(name) for name in ("log10_e", "log10_e_against", "log10_e_wins", "skill_low", "skill_high")]
    assert evidence == [0.0] * 5
    assert np.isnan(list(values.values())).all()
    assert not summary.verdicts.any()


@pytest.mark.parametrize(
    "measure", ["mase", "rmsse", "msis", "hit_rate", "skill_mae", "skill_mse", "skill_crps", "dm_p"]
)
def test_a_score_that_a_constant_series_makes_impossible_is_null_with_a_reason(measure):
    summary = run(series([5.0] * 20), spec_of(days=20)).variables[0]
    assert np.isnan(summary.scores[..., MEASURES.index(measure)]).all()
    assert "beyond" not in why_null(measure, scored=True)


def test_one_scored_origin_without_a_scale_makes_the_scaled_errors_null():
    values = [1.0, 1.0, 1.0, 4.0, 2.0, 5.0]
    from_flat, from_moving = (
        run(series(values), spec_of(days=6, horizon=1, min_history=least)).variables[0] for least in (3, 4)
    )
    assert np.isnan(score(from_flat, "naive", "mase"))
    assert score(from_moving, "naive", "mase") == pytest.approx((2 / (3 / 3) + 3 / (5 / 4)) / 2)


def test_zero_over_zero_is_no_percentage_error():
    summary = run(series([0.0] * 10), spec_of(days=10)).variables[0]
    assert score(summary, "naive", "smape") == 0


def test_the_hit_rate_leaves_out_changes_of_zero():
    # drift forecasts a rise from day 1 on; then come: no change, a rise, a fall
    summary = run(series([0.0, 4.0, 4.0, 6.0, 5.0]), spec_of(days=5, horizon=1)).variables[0]
    assert score(summary, "drift", "hit_rate") == 1 / 2
    assert np.isnan(score(summary, "naive", "hit_rate"))


def test_skill_compares_on_the_origins_that_both_were_scored_on():
    # at day 0 naive forecasts and drift does not
    summary = run(series([0.0, 9.0, 9.0, 12.0]), spec_of(days=4, horizon=1, min_history=1)).variables[0]
    drift, naive = abs(9 - 18) + abs(12 - 13.5), 0 + 3
    assert score(summary, "drift", "skill_mae") == pytest.approx(1 - drift / naive)


def test_a_score_of_nothing_is_null_because_nothing_was_scored():
    assert "no origin" in why_null("mae", scored=False)


def test_an_error_beyond_the_range_is_null():
    summary = run(series([1.7e308 * (-1) ** n for n in range(30)]), SPEC).variables[0]
    assert np.isnan(score(summary, "naive", "mae"))
    assert score(summary, "naive", "mase") == pytest.approx(1)


@pytest.mark.parametrize(
    ("observations", "fields", "message"),
    [
        (series([1.0]), {}, "no forecast origin"),
        (series([]), {}, "0 timestamps are known"),
        (series([1.0] * 9), {"min_history": 10}, "and 10 timestamps in all"),
        (series([1.0] * 10), {"min_history": 10, "target": "change"}, "and 11 timestamps in all"),
        (series([1.0] * 9, first=60), {}, "no forecast origin from 2020-01-01"),
        (series([1.0, 2.0, -3.0, 0.0]), {"target": "log-change"}, "2 values are not above 0, the first at 2020-01-03"),
    ],
    ids=["one", "none", "short", "short of changes", "later", "negative"],
)
def test_data_that_cannot_serve_fail_and_say_why(observations, fields, message):
    assert message in failures(observations, spec=spec_of(**fields))["x"]


@pytest.mark.parametrize(
    ("observations", "filled"),
    [
        (series([1.0, 2.0]), 0),
        (series([1.0, 2.0, 3.0]), 1),
        (series([1.0, 2.0, 3.0, 4.0]), 2),
        (known([(n, float(n), 9) for n in range(9)]), 0),
    ],
    ids=["one origin", "two", "three", "all at once"],
)
def test_a_horizon_that_the_data_cannot_fill_has_no_score_and_the_others_have(observations, filled):
    summary = run(observations, attrs.evolve(SPEC, horizon=3)).variables[0]
    counts = summary.scores[:, :, MEASURES.index("n")]
    assert (counts[summary.forecasters.index("naive")] > 0).tolist() == [ahead < filled for ahead in range(3)]
    empty = summary.scores[:, filled:]
    assert (empty[..., MEASURES.index("n")] == 0).all()
    assert np.isnan(np.delete(empty, [MEASURES.index(name) for name in ("n", "hit_rate_count")], axis=-1)).all()
    assert np.isnan(summary.trust[:, filled:]).all()
    assert not summary.verdicts[:, filled:].any()
    assert [summary.best(ahead + 1) is None for ahead in range(3)] == [ahead >= filled for ahead in range(3)]


def test_a_horizon_that_no_origin_fills_changes_no_score_of_the_others():
    near, far = (run(series([1.0, 2.0, 4.0, 3.0, 5.0]), attrs.evolve(SPEC, horizon=horizon)) for horizon in (2, 9))
    assert far.variables[0].scores[:, :2].tobytes() == near.variables[0].scores.tobytes()


def test_a_history_just_long_enough_serves():
    assert failures(series([1.0, 2.0] * 6), spec=spec_of(days=12, min_history=10)) == {}


def test_an_empty_series_is_reported_with_empty_facts():
    empty = Observations("x", [], [], absent=4, source="x.csv")
    assert "x.csv" in failures(empty, spec=SPEC)["x"]
