"""The kernel's forecasters to the last bit: whatever the stretches, the build and the rows they are written to."""

from __future__ import annotations

import ctypes
from unittest.mock import patch

import attrs
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core.forecasters.base import Histories, InPlaceForecaster
from pulse_core.forecasters.combinations import MeanOfAll, MedianOfAll
from pulse_core.forecasters.logarithms import OnLogarithms
from pulse_core.forecasters.registry import BUILT_IN, TWO_SEASONS
from pulse_core.forecasters.registry import SEASONAL as SEASONAL_KINDS
from pulse_core.forecasters.seasonal import DampedHoltWinters
from pulse_core.forecasters.smoothing import SimpleExponentialSmoothing
from pulse_core.kernel import bindings, hindcasts
from tests.histories import forecaster, histories_of, histories_of_paths
from tests.unit.kernel.stepwise import ALPHAS, FORECASTS, mean_of_all, median_of_all, ses

NAMES = tuple(forecaster.name for forecaster in (*BUILT_IN, *TWO_SEASONS))
SEASONAL = (*(f"{kind}({season})" for kind in SEASONAL_KINDS for season in (1, 4)), "seasonal-theta(7)")
COMBINATIONS = ((MeanOfAll(), mean_of_all), (MedianOfAll(), median_of_all))
HORIZON = 5
by_name = pytest.mark.parametrize("name", [*NAMES, *SEASONAL])


def numbers() -> st.SearchStrategy[float]:
    """Ties and round numbers, ordinary numbers, and some whose squares overflow or vanish."""
    extreme = st.sampled_from([1e300, -1e300, 1.7e308, 1e-300, 5e-324])
    return st.one_of(st.integers(-2, 2).map(float), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), extreme)


paths = st.lists(numbers(), min_size=1, max_size=40).map(np.array)


def walk(count: int, seed: int = 1) -> np.ndarray:
    return np.asarray(100 + np.cumsum(np.random.default_rng(seed).normal(size=count)))


def wave(count: int) -> np.ndarray:
    """Slow enough for each change to be almost the one before."""
    return np.asarray(50 * np.sin(np.arange(count) / 30) + np.random.default_rng(2).normal(0, 0.01, count))


def bits(numbers: np.ndarray) -> bytes:
    """The bits of an array, all NaNs alike."""
    return np.where(np.isnan(numbers), np.nan, numbers).tobytes()


def hindcast(name: str, histories: Histories) -> np.ndarray:
    return forecaster(name).hindcast(attrs.evolve(histories, seasons=(3, 5)), HORIZON)


@pytest.mark.parametrize("name", FORECASTS)
@settings(max_examples=40)
@given(path=paths)
def test_each_forecast_is_that_of_the_formula_s_operations_in_order(name, path):
    rows = hindcast(name, histories_of(path))
    with np.errstate(all="ignore"):
        expected = np.array([FORECASTS[name](path[: count + 1], HORIZON) for count in range(len(path))])
    assert bits(rows) == bits(expected)


@pytest.mark.parametrize("name", FORECASTS)
@pytest.mark.parametrize("path", [walk(780), np.diff(walk(781)), wave(780)], ids=["walk", "noise", "wave"])
def test_a_long_path_has_them_too(name, path):
    rows = hindcast(name, histories_of(path))
    for count in (100, 200, 249, 250, 251, 499, 500, 501, 750, 780):
        assert bits(rows[count - 1]) == bits(np.array(FORECASTS[name](path[:count], HORIZON)))


@pytest.mark.parametrize("name", FORECASTS)
def test_so_have_all_origins_of_paths_on_which_the_choice_is_close(name):
    for seed in range(4, 8):
        path = np.random.default_rng(seed).normal(size=60)
        rows = hindcast(name, histories_of(path))
        expected = np.array([FORECASTS[name](path[: count + 1], HORIZON) for count in range(len(path))])
        assert bits(rows) == bits(expected)


@settings(max_examples=40)
@given(path=paths, alphas=st.lists(st.sampled_from(ALPHAS), min_size=1, max_size=14).map(tuple))
def test_a_grid_may_be_of_any_length(path, alphas):
    rows = SimpleExponentialSmoothing(alphas=alphas).hindcast(histories_of(path), HORIZON)
    with np.errstate(all="ignore"):
        assert bits(rows[-1]) == bits(np.array(ses(path, HORIZON, alphas)))


@pytest.mark.parametrize("size", range(1, 21))
def test_an_alpha_whose_errors_are_no_numbers_is_the_one_chosen(size):
    # alpha 1 forgets an infinite level by taking it times 0
    path, alphas = np.array([0.0, 1.7e308, -1.7e308, 1.0]), (*(0.5,) * (size - 1), 1.0)
    row = SimpleExponentialSmoothing(alphas=alphas).hindcast(histories_of(path), 1)[-1]
    assert np.isnan(row)


@by_name
@settings(max_examples=40)
@given(path=paths, data=st.data())
def test_an_origin_is_forecast_as_if_the_path_ended_there(name, path, data):
    count = data.draw(st.integers(1, len(path)))
    alone = Histories((path[:count],), np.zeros(1, dtype=np.int64), np.array([count]))
    assert bits(hindcast(name, alone)[0]) == bits(hindcast(name, histories_of(path))[count - 1])


@by_name
@settings(max_examples=40)
@given(path=paths, longest=st.integers(1, 50), first=st.integers(1, 50))
def test_the_length_of_stretches_changes_no_bit(name, path, longest, first):
    together = hindcast(name, histories_of(path))
    with patch.multiple(hindcasts, LONGEST_STRETCH=longest, FIRST_STRETCH=first):
        assert bits(hindcast(name, histories_of(path))) == bits(together)


@by_name
@pytest.mark.parametrize("size", [5, 23])
def test_neither_does_it_on_a_path_with_a_season(name, size):
    path = walk(120) + np.resize([4.0, -2.0, 1.0, -3.0], 120) + np.resize([6.0, -1.0, 2.0, -5.0, -2.0], 120)
    together = hindcast(name, histories_of(path))
    with patch.multiple(hindcasts, LONGEST_STRETCH=size, FIRST_STRETCH=size):
        assert bits(hindcast(name, histories_of(path))) == bits(together)


@by_name
@settings(max_examples=40)
@given(path=paths, data=st.data())
def test_origins_may_be_any_and_share_a_length(name, path, data):
    lengths = np.sort(data.draw(st.lists(st.integers(1, len(path)), min_size=1, max_size=9).map(np.array)))
    some = Histories((path,), np.zeros_like(lengths), lengths)
    assert bits(hindcast(name, some)) == bits(hindcast(name, histories_of(path))[lengths - 1])


@by_name
@settings(max_examples=40)
@given(several=st.lists(paths, min_size=1, max_size=4))
def test_paths_are_forecast_one_by_one(name, several):
    alone = [hindcast(name, histories_of(path)) for path in several]
    assert bits(hindcast(name, histories_of_paths(several))) == bits(np.concatenate(alone))


@by_name
@settings(max_examples=40)
@given(path=paths)
def test_both_builds_give_the_same_bits(name, path):
    rows = hindcast(name, histories_of(path))
    with baseline():
        assert bits(hindcast(name, histories_of(path))) == bits(rows)


@by_name
def test_both_builds_give_the_same_bits_on_a_long_path(name):
    rows = hindcast(name, histories_of(walk(700)))
    with baseline():
        assert bits(hindcast(name, histories_of(walk(700)))) == bits(rows)


@by_name
def test_forecasts_go_where_they_belong_and_nowhere_else(name):
    histories, chosen = attrs.evolve(histories_of(walk(60)), seasons=(3, 5)), forecaster(name)
    assert isinstance(chosen, InPlaceForecaster)
    wide = np.full((60, 3, HORIZON), -7.0)
    chosen.hindcast_into(histories, wide[:, 1])
    assert bits(wide[:, 1]) == bits(chosen.hindcast(histories, HORIZON))
    assert (wide[:, [0, 2]] == -7.0).all()


@pytest.mark.parametrize(("combination", "expected"), COMBINATIONS)
@given(data=st.data())
def test_a_combination_is_that_of_its_operations_in_order(combination, expected, data):
    shape = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 9), st.integers(1, 6)))
    cells = st.one_of(numbers(), st.just(np.nan))
    size = int(np.prod(shape))
    drawn = np.array(data.draw(st.lists(cells, min_size=size, max_size=size))).reshape(shape)
    with np.errstate(all="ignore"):
        rows = [[expected(drawn[origin, :, step]) for step in range(shape[2])] for origin in range(shape[0])]
    # the sign of a zero depends on the order of equals
    assert bits(combination.combine(drawn) + 0.0) == bits(np.array(rows) + 0.0)
    with baseline():
        assert bits(combination.combine(drawn) + 0.0) == bits(np.array(rows) + 0.0)


@pytest.mark.parametrize("combination", [MeanOfAll(), MedianOfAll()])
def test_combinations_go_where_they_belong_and_nowhere_else(combination):
    wide = np.random.default_rng(3).normal(size=(50, 9, HORIZON))
    before = wide.copy()
    combination.combine_into(wide[:, 1:7], wide[:, 8])
    assert bits(wide[:, 8]) == bits(combination.combine(np.ascontiguousarray(before[:, 1:7])))
    assert (wide[:, :8] == before[:, :8]).all()


@pytest.mark.parametrize(
    ("path", "length"),
    [
        *(([0, 0], [1, 0]), ([0, 0], [2, 1]), ([1, 0], [1, 1]), ([0, 1, 0], [1, 1, 2]), ([0], [4])),
        *(([-1], [1]), ([2], [1]), ([0, 0], [1])),
    ],
)
def test_origins_out_of_order_or_beyond_their_path_are_refused(path, length):
    with pytest.raises(ValueError, match="origins"):
        Histories((np.zeros(3), np.zeros(3)), np.array(path), np.array(length))


@pytest.mark.parametrize("out", [np.zeros((9, 4))[:, ::2], np.zeros((9, 2), dtype=np.float32), np.zeros((8, 2))])
def test_rows_that_do_not_fit_are_refused(out):
    with pytest.raises(ValueError, match="expected"):
        hindcasts.naive(np.zeros(9), np.arange(1, 10), out)


@pytest.mark.parametrize("lengths", [[0, 1], [9, 10]])
def test_lengths_beyond_the_path_are_refused(lengths):
    with pytest.raises(ValueError, match="lengths of 1 to 9"):
        hindcasts.naive(np.zeros(9), np.array(lengths), np.zeros((2, 2)))


def test_what_cannot_be_written_to_is_refused():
    out = np.zeros((9, 2))
    out.flags.writeable = False
    with pytest.raises(ValueError, match="written"):
        hindcasts.naive(np.zeros(9), np.arange(1, 10), out)


def test_smoothing_that_theta_stands_on_runs_once():
    histories = histories_of(walk(50))
    with patch.object(hindcasts, "ses_levels", wraps=hindcasts.ses_levels) as runs:
        for name in ("ses", "theta"):
            forecaster(name).hindcast(histories, HORIZON)
    assert runs.call_count == 1


def test_exponentials_are_within_a_unit_in_the_last_place_of_mpmath():
    generator = np.random.default_rng(8)
    powers = np.concatenate([generator.uniform(-708, 709.7, 2000), generator.uniform(-1, 1, 2000), [0.0, 709.78]])
    rows = powers.copy().reshape(-1, 1)
    hindcasts.exponentials(rows)
    with mpmath.workprec(100):
        exact = [mpmath.exp(float(power)) for power in powers]
        units = [
            abs(mpmath.mpf(float(value)) - right) / mpmath.mpf(float(np.spacing(float(right))))
            for value, right in zip(rows[:, 0], exact, strict=True)
        ]
    assert max(units) < 0.7


def test_exponentials_of_what_is_beyond_numbers():
    rows = np.array([[np.nan, np.inf, -np.inf], [709.79, -745.2, -720.0]])
    hindcasts.exponentials(rows)
    np.testing.assert_array_equal(rows[0], [np.nan, np.inf, 0.0])
    assert rows[1].tolist() == [np.inf, 0.0, pytest.approx(np.exp(-720.0), abs=1e-323)]


@pytest.mark.parametrize("horizon", range(1, 10))
def test_exponentials_stand_where_their_powers_stood_and_nowhere_else(horizon):
    wide = np.random.default_rng(9).normal(size=(7, 2, horizon))
    expected, beside = wide[:, 1].copy(), wide[:, 0].copy()
    hindcasts.exponentials(expected)
    with baseline():
        hindcasts.exponentials(wide[:, 1])
    assert bits(wide[:, 1]) == bits(expected)
    assert bits(wide[:, 0]) == bits(beside)


@pytest.mark.parametrize("seasons", [(), (7,)])
@pytest.mark.parametrize("kind", ["double-seasonal", "log-double-seasonal", "double-seasonal-naive"])
def test_two_seasons_need_a_variable_that_has_them(kind, seasons):
    with pytest.raises(ValueError, match=f"two seasons are needed, and the variable has {len(seasons)}"):
        forecaster(kind).hindcast(attrs.evolve(histories_of(walk(60)), seasons=seasons), HORIZON)


@pytest.mark.parametrize("kind", SEASONAL_KINDS)
def test_a_season_without_a_name_is_the_variable_s_shortest(kind):
    histories = attrs.evolve(histories_of(walk(60)), seasons=(4, 9))
    assert bits(SEASONAL_KINDS[kind](None).hindcast(histories, HORIZON)) == bits(hindcast(f"{kind}(4)", histories))
    with pytest.raises(ValueError, match="needs a season, and the variable has none"):
        SEASONAL_KINDS[kind](None).hindcast(histories_of(walk(60)), HORIZON)


@pytest.mark.parametrize("season", [None, 4])
def test_on_logarithms_a_forecaster_declares_the_season_of_the_other(season):
    of = DampedHoltWinters(season)
    logarithmic = OnLogarithms(of)
    assert logarithmic.name == f"log-{of.name}"
    assert (logarithmic.season, logarithmic.seasons_needed) == (season, of.seasons_needed)
    assert of.version in logarithmic.version


def baseline():
    """Run the build that every machine can run."""
    library: ctypes.CDLL = bindings._open(bindings.BASELINE)
    return patch.object(hindcasts, "library", lambda: library)
