"""The ensemble: METHOD.md's weights, a distribution, and a regret that keeps its bound whatever happens."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pulse_core import TooLittleData
from tests.strategies import replayed, round_values, specs_for
from tests.unit.kernel.passes import PassInput, origins_of, run
from tests.unit.method.plain_learning import weighed
from tests.unit.method.running import replay, series, spec_of, train, whole_roster
from tests.unit.method.test_calibration import cases

AVERAGES = ("mean", "window-mean")
"""Forecasters that are not in combinations of levels."""


@attrs.frozen(eq=False)
class Game:
    """Weights (member, round), forecasts (round,), and what stood after the last round."""

    weights: np.ndarray
    forecasts: np.ndarray
    latest: np.ndarray
    regret: float
    bound: float


def played(forecasts: np.ndarray, actuals: np.ndarray, scale: float = 1.0) -> Game:
    """One variable at horizon 1, each error known before the next forecast; (forecaster, round) and (round,)."""
    count, rounds = forecasts.shape
    # the last actual is learned from at an origin more, at which all sleep; the ensemble's own row comes last
    cells = np.full((rounds + 1, count + 1, 1), np.nan)
    cells[:rounds, :count, 0] = forecasts.T
    case = PassInput(
        forecasts=cells,
        origins=origins_of(np.append(actuals, np.nan)[:, None], scale=scale if scale > 0 else np.nan),
        members=tuple(range(count)),
        ensemble=count,
    )
    output = run(case)
    return Game(
        weights=output.weights[:rounds, :, 0].T,
        forecasts=output.forecasts[:rounds, count, 0],
        latest=output.latest[:count, 0],
        regret=float(output.regret[0]),
        bound=float(output.bound[0]),
    )


def regrets(game: Game, forecasts: np.ndarray, actuals: np.ndarray) -> np.ndarray:
    """Against each forecaster, over the rounds in which it was awake."""
    losses = np.abs(actuals - game.forecasts)
    return np.asarray(np.nansum(losses - np.abs(actuals - forecasts), axis=1))


@st.composite
def games(draw: st.DrawFn, *, sleeping: bool) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts and actuals of any rounds; now and then a forecaster has no forecast."""
    rounds, count = draw(st.integers(1, 40)), draw(st.integers(1, 5))
    number = st.integers(-3, 3).map(float) | st.floats(-100, 100) | st.sampled_from([1e-9, 1e6, -1e6])
    forecasts = draw(arrays(np.float64, (count, rounds), elements=number))
    if sleeping:
        asleep = draw(arrays(np.bool_, (count, rounds)))
        forecasts = np.where(asleep, np.nan, forecasts)
    return forecasts, draw(arrays(np.float64, rounds, elements=number))


@settings(max_examples=120)
@given(games(sleeping=False))
def test_regret_is_that_against_the_best_in_hindsight(game):
    output = played(*game)
    scale = 1 + np.abs(game[0]).max() + np.abs(game[1]).max()
    assert output.regret == pytest.approx(regrets(output, *game).max(), abs=1e-9 * scale)


@pytest.mark.parametrize("sleeping", [False, True])
@settings(max_examples=120)
@given(data=st.data())
def test_regret_never_exceeds_its_bound(sleeping, data):
    game = data.draw(games(sleeping=sleeping))
    output = played(*game)
    size = 1 + np.nanmax(np.abs(game[0]), initial=0.0) + np.abs(game[1]).max()
    assert regrets(output, *game).max() <= output.bound + 1e-12 * len(game[1]) * size


def against(choose, rounds: int = 400, count: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """A game in which each actual is chosen in view of the ensemble's forecast (which only the past decides)."""
    forecasts = np.random.default_rng(41).normal(size=(count, rounds))
    actuals = np.zeros(rounds)
    for now in range(rounds):
        output = played(forecasts[:, : now + 1], actuals[: now + 1])
        actuals[now] = choose(forecasts[:, now], output.forecasts[now])
    return forecasts, actuals


ADVERSARIES = {
    "the one furthest away is right": lambda offered, forecast: offered[np.argmax(np.abs(offered - forecast))],
    "the one nearest is right": lambda offered, forecast: offered[np.argmin(np.abs(offered - forecast))],
    "the mirror image": lambda offered, forecast: 2 * forecast - offered[0],
}


@pytest.mark.parametrize("choose", ADVERSARIES.values(), ids=ADVERSARIES)
def test_an_adversary_who_sees_the_forecast_cannot_push_regret_over_its_bound(choose):
    game = against(choose, rounds=120)
    output = played(*game)
    assert regrets(output, *game).max() <= output.bound


def test_the_bound_grows_slower_than_the_rounds():
    generator = np.random.default_rng(42)
    forecasts, actuals = generator.uniform(-1, 1, (5, 4000)), generator.uniform(-1, 1, 4000)
    short, long = (played(forecasts[:, :count], actuals[:count]).bound for count in (1000, 4000))
    assert long < 3 * short


@given(games(sleeping=True))
def test_weights_are_a_distribution_over_those_awake(game):
    weights, awake = played(*game).weights, np.isfinite(game[0])
    assert (weights >= 0).all()
    assert (weights[~awake] == 0).all()
    np.testing.assert_allclose(weights.sum(axis=0), awake.any(axis=0), atol=1e-12)


@given(games(sleeping=True))
def test_a_forecast_lies_among_those_it_is_made_of(game):
    forecasts = played(*game).forecasts
    for forecast, column in zip(forecasts, game[0].T, strict=True):
        awake = column[np.isfinite(column)]
        if not len(awake):
            assert np.isnan(forecast)
        else:
            room = 1e-12 * np.abs(awake).max()
            assert awake.min() - room <= forecast <= awake.max() + room


@given(games(sleeping=True))
def test_at_first_those_awake_have_the_same_weight(game):
    weights, awake = played(*game).weights[:, 0], np.isfinite(game[0][:, 0])
    assert weights.tolist() == (awake / max(1, awake.sum())).tolist()


def test_a_dominated_forecaster_loses_its_weight():
    actuals = np.random.default_rng(43).normal(size=300)
    forecasts = np.stack([actuals + 0.1, actuals + 5.0, actuals - 9.0])
    first, *others = played(forecasts, actuals).latest
    assert first > 1 - 1e-9
    assert min(others) > 0


def test_one_that_becomes_the_best_takes_the_weight_over():
    actuals = np.zeros(2000)
    forecasts = np.stack([np.where(np.arange(2000) < 500, 0.1, 2.0), np.where(np.arange(2000) < 500, 2.0, 0.1)])
    weights = played(forecasts, actuals).weights
    assert weights[0, 400] > 0.9
    assert weights[1, -1] > 0.9


def test_two_of_the_same_losses_share_evenly():
    actuals = np.random.default_rng(44).normal(size=100)
    forecasts = np.stack([actuals + 1.0, actuals + 1.0, actuals + 3.0])
    first, second, third = played(forecasts, actuals).latest
    assert first == second
    assert third < 1e-2 * first


def test_equal_losses_of_all_leave_the_weights_uniform():
    actuals = np.random.default_rng(45).normal(size=50)
    output = played(np.repeat(actuals[None] + 1.0, 4, axis=0), actuals)
    assert (output.weights == 0.25).all()
    assert output.regret == 0


def test_without_a_scale_nothing_is_learned():
    actuals = np.random.default_rng(46).normal(size=50)
    output = played(np.stack([actuals, actuals + 1]), actuals, scale=0.0)
    assert (output.weights == 0.5).all()


def assert_as_plain(observations, spec) -> None:
    output = replay(observations, spec)
    _, regret, _ = output.learning.learned()
    alone = [name for name in spec.forecasters if name not in {"mean-of-all", "median-of-all", "ensemble", *AVERAGES}]
    if spec.season.periods:  # those that know it, those whose five lags reach it, and naive
        alone = [name for name in alone if "(" in name or name in {"naive", "ar", "ari"}]
    plain = weighed([[cases(output, name, ahead) for name in alone] for ahead in range(1, spec.horizon + 1)])
    forecasts = output.hindcasts.forecasts
    size = max(1e-300, float(np.nanmax(np.abs(forecasts))))
    for h, of_horizon in enumerate(plain):
        combined = forecasts[:, spec.forecasters.index("ensemble"), h]
        np.testing.assert_allclose(output.weights[:, :, h], of_horizon.weights, atol=1e-8)
        np.testing.assert_allclose(combined, of_horizon.forecasts, atol=1e-8 * size)
        np.testing.assert_allclose(regret[h], max(of_horizon.regrets), atol=1e-8)


def test_weights_of_a_long_series_are_those_of_a_plain_loop():
    values = 50 + np.cumsum(np.random.default_rng(47).normal(0.1, 1, 330))
    assert_as_plain(series(values), spec_of(days=330, first=150, horizon=3, season=4, forecasters=whole_roster(4)))


@settings(max_examples=40)
@given(st.data())
def test_weights_of_any_vintages_are_those_of_a_plain_loop(data):
    observations = data.draw(replayed(round_values()))
    # forecasts that rounding does not part
    names = ("naive", "seasonal-naive(2)", "seasonal-naive(5)", "ensemble")
    spec = attrs.evolve(data.draw(specs_for(observations)), forecasters=names, benchmark="naive")
    try:
        assert_as_plain(observations, spec)
    except TooLittleData:
        return


def test_the_result_holds_weights_by_horizon_and_a_bound_at_horizon_one_alone():
    values = 50 + np.cumsum(np.random.default_rng(48).normal(0.1, 1, 200))
    summary = train([series(values)], spec_of(days=200, first=100, horizon=3)).variables[0]
    alone = len(summary.forecasters) - 3
    np.testing.assert_allclose(np.nansum(summary.weights[:alone], axis=0), 1.0)
    outside = [
        name
        for name, weights in zip(summary.forecasters, summary.weights[:alone], strict=False)
        if np.isnan(weights).any()
    ]
    assert tuple(outside) == AVERAGES
    assert np.isnan(summary.weights[alone:]).all()
    assert np.isfinite(summary.regret).all()
    assert np.isfinite(summary.bound).tolist() == [True, False, False]
