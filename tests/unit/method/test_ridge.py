"""Ridge on predictors: a plain refit at each origin, and no look-ahead into any variable."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Histories, Observations, TooLittleData
from pulse_core.data.covariates import along_paths, recent_changes
from pulse_core.data.vintages import timeline
from pulse_core.forecasters.ridge import Ridge
from tests.histories import forecaster, forecasts, histories_of_observations
from tests.strategies import replayed, rewritten_after
from tests.unit.method.running import replay, series, spec_of, train
from tests.unit.method.test_no_look_ahead import quoted

PENALTIES = (0.1, 1.0, 10.0, 100.0)
HORIZON = 3


def led(count: int, seed: int) -> tuple[Observations, Observations]:
    """A walk that follows another by a day, and the other."""
    generator = np.random.default_rng(seed)
    leader = np.cumsum(generator.normal(size=count))
    follower = np.cumsum(0.8 * np.append(0, np.diff(leader, prepend=0)[:-1]) + generator.normal(0, 0.3, count))
    return series(100 + follower), series(20 + 3 * leader, "leader")


def ridge(own: np.ndarray, other: np.ndarray, step: int, penalty: float) -> float:
    """The forecast change over `step` steps from all that is known of both; NaN where no row has a response."""
    changes = [np.diff(one) for one in (own, other)]
    inputs = np.array([[change[at - 1 - lag] for change in changes for lag in (0, 1)] for at in range(2, len(own))])
    rows = len(inputs) - step
    if rows < 1:
        return float("nan")
    scaled = inputs / np.abs(inputs).mean(axis=0)
    response = own[2 + step :] - own[2:-step]
    centred = scaled[:rows] - scaled[:rows].mean(axis=0)
    gram = centred.T @ centred + penalty * np.eye(inputs.shape[1])
    slopes = np.linalg.solve(gram, centred.T @ (response - response.mean()))
    return float(response.mean() + (scaled[-1] - scaled[:rows].mean(axis=0)) @ slopes)


def test_ridge_is_a_refit_at_each_origin():
    follower, leader = led(70, 91)
    spec = spec_of(days=70, first=0, min_history=1, horizon=HORIZON, forecasters=("ridge",), predictors=("leader",))
    made = forecasts("ridge", histories_of_observations(follower, spec, [leader]), HORIZON)
    own, other = follower.values, leader.values
    squares = np.zeros(len(PENALTIES))
    before = np.full(len(PENALTIES), np.nan)
    for count in range(3, 71):
        here = own[count - 1]
        squares += np.nan_to_num(here - own[count - 2] - before) ** 2
        chosen = PENALTIES[int(np.argmin(squares))]
        before = np.array([ridge(own[:count], other[:count], 1, penalty) for penalty in PENALTIES])
        expected = [here + ridge(own[:count], other[:count], step, chosen) for step in range(1, HORIZON + 1)]
        np.testing.assert_allclose(made[count - 1], expected, rtol=1e-9, err_msg=str(count))


def test_ridge_profits_from_a_variable_that_leads():
    follower, leader = led(400, 92)
    spec = spec_of(days=400, first=100, horizon=1, forecasters=("naive", "ridge"), predictors=("leader",))
    histories = histories_of_observations(follower, spec, [leader])
    rows = [forecasts(name, histories, 1)[-300:-1, 0] for name in ("naive", "ridge")]
    errors = [np.abs(follower.values[101:] - row).mean() for row in rows]
    assert errors[1] < 0.7 * errors[0]


@settings(max_examples=60)
@given(st.data())
def test_nothing_quoted_moves_with_rows_of_predictors_known_later(data):
    own, leader = data.draw(replayed(variable="x")), data.draw(replayed(variable="leader"))
    assert own.known_at is not None
    moment = own.known_at[data.draw(st.integers(len(own) // 2, len(own) - 1))]
    first = own.known_at[0].astype("datetime64[D]").item()
    spec = attrs.evolve(
        spec_of(days=30, horizon=2, forecasters=("naive", "ridge", "ensemble"), predictors=("leader",), min_history=1),
        start=first,
        end=first.replace(year=first.year + 3),
    )
    futures = [
        (one.known_by(moment) if data.draw(st.booleans()) else data.draw(rewritten_after(one, moment)))
        for one in (own, leader)
    ]
    try:
        before = quoted(replay(own, spec, predictors=[leader]), moment)
        after = quoted(replay(futures[0], spec, predictors=futures[1:]), moment)
    except TooLittleData:
        return
    assert before == after


@pytest.mark.parametrize("values", [[5.0] * 60, [1e300 * (day % 3) for day in range(60)], [1e-300] * 30 + [1e300] * 30])
def test_a_strange_predictor_gives_numbers_or_nothing(values):
    follower, _ = led(60, 93)
    spec = spec_of(days=60, forecasters=("naive", "ridge"), predictors=("leader",), min_history=1)
    made = forecaster("ridge").hindcast(histories_of_observations(follower, spec, [series(values, "leader")]), 2)
    assert not np.isinf(made).any()


def ridge_of(own: Observations, leader: Observations) -> np.ndarray:
    spec = spec_of(days=200, first=20, horizon=HORIZON, forecasters=("naive", "ridge"), predictors=("leader",))
    return forecasts("ridge", histories_of_observations(own, spec, [leader]), HORIZON)


@pytest.mark.parametrize("unit", [1e-9, 3.0, 1e12])
def test_the_unit_of_a_predictor_does_not_matter(unit):
    follower, leader = led(200, 94)
    other = attrs.evolve(leader, values=leader.values * unit)
    np.testing.assert_allclose(ridge_of(follower, other), ridge_of(follower, leader), rtol=1e-9)


@pytest.mark.parametrize("unit", [1e-9, 3.0, 1e12])
def test_the_forecasts_are_in_the_variable_s_own_unit(unit):
    follower, leader = led(200, 94)
    other = attrs.evolve(follower, values=follower.values * unit)
    np.testing.assert_allclose(ridge_of(other, leader), unit * ridge_of(follower, leader), rtol=1e-9)


def test_a_variable_that_is_the_only_predictor_is_forecast_from_its_own_changes_alone_or_in_company():
    follower, leader = led(90, 95)
    names: dict[str, Any] = {"forecasters": ("naive", "ridge"), "predictors": ("leader",), "min_history": 1}
    alone = train([leader], spec_of("leader", days=90, **names)).variables[0]
    beside = train([follower, leader], spec_of("leader", "x", days=90, **names)).variables[0]
    assert alone.scores[1, :, 0].min() > 0
    assert beside.digest() == alone.digest()


def each_alone(histories: Histories, horizon: int) -> np.ndarray:
    """The forecasts from each path as if there were no other."""
    made = np.empty((len(histories), horizon))
    for path, origins in histories.by_path:
        lengths = histories.origin_length[origins]
        alone = Histories(
            (histories.paths[path],),
            np.zeros_like(lengths),
            lengths,
            predictors=tuple(np.ascontiguousarray(changes) for changes in histories.predictors[path : path + 1]),
        )
        made[origins] = Ridge().hindcast(alone, horizon)
    return made


@settings(max_examples=60)
@given(st.data())
def test_what_revisions_have_in_common_changes_no_bit(data):
    own, leader = data.draw(replayed(variable="x")), data.draw(replayed(variable="leader"))
    first = own.known_at[0].astype("datetime64[D]").item()
    horizon = data.draw(st.integers(1, 4))
    spec = spec_of(days=30, horizon=horizon, forecasters=("naive", "ridge"), predictors=("leader",), min_history=1)
    spec = attrs.evolve(spec, start=first, end=first.replace(year=first.year + 3))
    histories = histories_of_observations(own, spec, [leader])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pulse_core.forecasters.ridge.BLOCK", data.draw(st.sampled_from([1, 5, 2048])))
        patch.setattr("pulse_core.forecasters.ridge.CROSS_SUMS", data.draw(st.sampled_from([1, 300, 1 << 21])))
        made = Ridge().hindcast(histories, horizon)
    assert made.tobytes() == each_alone(histories, horizon).tobytes()


def plain_changes(own: Observations, leader: Observations) -> dict[np.datetime64, list[float]]:
    """By timestamp that was the newest when it was released: the leader's two newest changes as known then."""
    releases = sorted(set(own.releases.tolist()))
    newest_before, changes = np.datetime64("1000-01-01", "us"), {}
    for release in releases:
        moment = np.datetime64(release, "us")
        stamps = sorted(set(own.timestamps[own.releases <= moment]))
        advancing = [stamp for stamp in stamps if stamp > newest_before]
        known: dict[np.datetime64, float] = {}
        for row in np.argsort(leader.releases, kind="stable"):
            if leader.releases[row] <= moment:
                known[leader.timestamps[row]] = leader.values[row]
        for stamp in advancing:
            present = [at for at in sorted(known) if not np.isnan(known[at])]  # the others are retracted
            allowed = [known[at] for at in present if at <= stamp + (moment - stamps[-1])]
            moves = [allowed[i] - allowed[i - 1] for i in range(len(allowed) - 1, 0, -1)][:2]
            changes[stamp] = moves + [float("nan")] * (2 - len(moves))
        newest_before = max(newest_before, stamps[-1])
    return changes


@settings(max_examples=60)
@given(st.data())
def test_steps_have_the_changes_that_were_known_at_their_first_release(data):
    own, leader = data.draw(replayed(variable="x")), data.draw(replayed(variable="leader"))
    steps = timeline(own).is_step
    stamps = own.timestamps[steps]
    changes = recent_changes(stamps, own.releases[steps], [leader])
    expected = plain_changes(own, leader)
    assert list(expected) == list(stamps)
    np.testing.assert_array_equal(changes, np.array(list(expected.values())).T)


def test_rows_have_the_changes_of_their_steps_and_share_them():
    stamps = np.arange("2000-01-01", "2000-01-07", dtype="datetime64[D]").astype("datetime64[us]")
    steps, filled_in = stamps[[0, 1, 3, 4, 5]], stamps
    changes = np.arange(10.0).reshape(2, 5)
    paths = along_paths(changes, steps, [steps[:2], steps[:4], filled_in[:5], filled_in])
    np.testing.assert_array_equal(paths[1], changes[:, :4])
    np.testing.assert_array_equal(paths[3], np.insert(changes, 2, np.nan, axis=1))
    np.testing.assert_array_equal(paths[2], paths[3][:, :5])
    assert np.shares_memory(paths[0], changes)
    assert np.shares_memory(paths[1], changes)
    assert np.shares_memory(paths[2], paths[3])


@settings(max_examples=8)
@given(st.data())
def test_each_vintage_is_refitted(data):
    count = 40
    follower, leader = led(count, data.draw(st.integers(0, 10)))
    revised = data.draw(st.lists(st.tuples(st.integers(5, 30), st.integers(1, 9)), min_size=1, max_size=8, unique=True))
    days = follower.timestamps[[day for day, _ in revised]]
    values = follower.values[[day for day, _ in revised]] + 1.0 + np.arange(len(revised))
    waits = np.array([wait for _, wait in revised]) * np.timedelta64(1, "D")
    own = Observations(
        "x",
        np.append(follower.timestamps, days),
        np.append(follower.values, values),
        np.append(follower.timestamps, days + waits),
    )
    spec = spec_of(days=count, first=0, min_history=1, horizon=2, forecasters=("ridge",), predictors=("leader",))
    histories = histories_of_observations(own, spec, [leader])
    assert len(histories.by_path) > 1
    made = forecasts("ridge", histories, 2)
    for origin in range(4, len(histories)):
        known, other = histories.history(origin), leader.values
        squares, before = np.zeros(len(PENALTIES)), np.full(len(PENALTIES), np.nan)
        for length in range(3, len(known) + 1):
            squares += np.nan_to_num(known[length - 1] - known[length - 2] - before) ** 2
            before = np.array([ridge(known[:length], other[:length], 1, penalty) for penalty in PENALTIES])
        chosen = PENALTIES[int(np.argmin(squares))]
        expected = [known[-1] + ridge(known, other[: len(known)], step, chosen) for step in (1, 2)]
        np.testing.assert_allclose(made[origin], expected, rtol=1e-9, err_msg=str(origin))
