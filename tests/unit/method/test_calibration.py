"""Quantiles: the tracker is METHOD.md's, they never cross, and they cover what they promise."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import TooLittleData
from pulse_core.levels import INTERVALS, LEVELS
from pulse_core.spec import CALIBRATIONS
from tests.strategies import replayed, round_values, specs_for
from tests.unit.kernel.passes import Calibration, PassInput, origins_of, quantiles_of_errors, run
from tests.unit.method.plain_learning import ETA, TAUS, Hindcast, empirical, tracked
from tests.unit.method.running import Replay, replay, series, spec_of, whole_roster

SERIES = 250
BURN_IN = 250
STEPS = 8000
BOUND = (1 + ETA + 1.2533 * 1.96) / (ETA * STEPS)
"""(b + eta)/(eta T) for b = 1, and how far from zero u may start."""


def cases(output: Replay, name: str, ahead: int) -> list[Hindcast]:
    """One forecaster's hindcasts of the only variable, in its scale; scaled steps as reported."""
    point, row = output.point, output.spec.forecasters.index(name)
    listed = []
    for origin, step in enumerate(point.origin_step):
        released = step + ahead < len(point.step_first)
        listed.append(
            Hindcast(
                made=int(point.origin_known_at[origin].astype(np.int64)),
                point=float(output.hindcasts.forecasts[origin, row, ahead - 1]),
                scale=float(np.nan_to_num(output.origins.scale[origin])),
                actual=float(point.step_first[step + ahead]) if released else math.nan,
                known=int(point.step_known_at[step + ahead].astype(np.int64)) if released else None,
                newest=float(output.origins.newest[origin]),
            )
        )
    return listed


def assert_quotes(output: Replay) -> None:
    for row, name in enumerate(output.spec.forecasters):
        for ahead in range(1, output.spec.horizon + 1):
            here = cases(output, name, ahead)
            expected = tracked(here, ahead) if output.spec.calibration == "conformal" else empirical(here)
            size = np.nanmax(
                [abs(hindcast.point) for hindcast in here] + [abs(hindcast.actual) for hindcast in here] + [1e-300]
            )
            quantiles = output.quantiles[:, :, row, ahead - 1]
            np.testing.assert_allclose(quantiles, expected, rtol=1e-9, atol=1e-9 * size, err_msg=f"{name} {ahead}")


@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_quantiles_of_a_long_series_are_those_of_a_plain_loop(calibration):
    values = 100 + np.cumsum(np.random.default_rng(31).standard_t(4, 320))
    spec = spec_of(days=320, first=280, horizon=2, season=5, calibration=calibration)
    assert_quotes(replay(series(values), spec))


@pytest.mark.parametrize("calibration", CALIBRATIONS)
@settings(max_examples=40)
@given(data=st.data())
def test_quantiles_of_any_vintages_are_those_of_a_plain_loop(calibration, data):
    observations = data.draw(replayed(round_values()))
    spec = data.draw(specs_for(observations))
    # forecasts whose errors rounding cannot move across an offset
    spec = attrs.evolve(spec, forecasters=("naive", "seasonal-naive(2)"), benchmark="naive", calibration=calibration)
    try:
        assert_quotes(replay(observations, spec))
    except TooLittleData:
        return


def test_errors_of_far_horizons_are_learned_in_order_as_soon_as_they_are_known():
    # rows come in bulk every fifth day, so that several errors become known at once
    values = np.cumsum(np.random.default_rng(32).normal(size=120))
    rows = series(values)
    days = np.arange(120)
    late = attrs.evolve(rows, known_at=rows.timestamps + (4 - days % 5) * np.timedelta64(1, "D") * (days % 2))
    spec = spec_of(days=140, horizon=7, forecasters=("naive", "mean"))
    assert_quotes(replay(late, spec))


@pytest.mark.parametrize("calibration", CALIBRATIONS)
@given(data=st.data())
def test_quantiles_never_cross(calibration, data):
    observations = data.draw(replayed())
    spec = attrs.evolve(
        data.draw(specs_for(observations)), forecasters=whole_roster(3), season=3, calibration=calibration
    )
    try:
        quantiles = replay(observations, spec).quantiles
    except TooLittleData:
        return
    assert not (np.diff(quantiles, axis=1) < 0).any()


@given(st.lists(st.sampled_from([-3.0, -1.0, 0.0, 0.5, 1.0]), min_size=40, max_size=150))
def test_offsets_never_cross_however_the_same_errors_come_again(errors):
    calibration = Calibration(len(errors))
    for error in errors:
        assert not (np.diff(calibration.quantiles()) < 0).any()
        offsets, size = calibration.state()
        assert not (np.diff(offsets) < 0).any()
        calibration.learn(error * size)


def test_before_anything_has_moved_every_quantile_is_the_point():
    output = replay(series([4.0] * 20), spec_of(days=20, forecasters=("naive",)))
    assert set((output.quantiles * 2.0**output.point.exponent).ravel().tolist()) == {4.0}


def test_empirical_quantiles_are_those_of_numpy_over_all_past_errors():
    errors = np.round(np.random.default_rng(33).normal(size=301), 1)
    quantiles = quantiles_of_errors(errors, calibration="empirical")
    for count in range(1, 301):
        np.testing.assert_allclose(quantiles[count], np.quantile(errors[:count], LEVELS), atol=1e-12)


def test_an_error_that_is_missing_teaches_an_empirical_quantile_nothing():
    # errors of two forecasters; the last origin quotes what the three before it taught
    errors = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, 7.0], [0.0, 0.0]])
    case = PassInput(forecasts=-errors[:, :, None] + 0.0, origins=origins_of(np.zeros((4, 1))), calibration="empirical")
    assert run(case).quantiles[-1, 4, :, 0].tolist() == [2.0, 7.0]


def steered(relative: Callable[[np.ndarray], float], steps: int) -> np.ndarray:
    """How far coverage is from each level after errors that are chosen in view of the offsets and scaled by b = 1."""
    calibration = Calibration(steps)
    covered = np.zeros(len(LEVELS))
    for _ in range(steps):
        calibration.quantiles()
        offsets, size = calibration.state()
        error = relative(offsets) * size
        covered += error / size <= offsets
        calibration.learn(error)
    return np.asarray(np.abs(covered / steps - np.array(LEVELS)))


TICKS = itertools.cycle([1.0, 0.0, -1.0, -1.0, 0.0, 1.0, 0.0])
ADVERSARIES: dict[str, Callable[[np.ndarray], float]] = {
    "always the same": lambda offsets: 1.0,
    "between two offsets": lambda offsets: float(np.clip((offsets[3] + offsets[4]) / 2, -1.0, 1.0)),
    "always just below the median": lambda offsets: float(np.clip(offsets[4] - 1e-9, -1.0, 1.0)),
    "in ticks": lambda offsets: next(TICKS),
}


@pytest.mark.parametrize("adversary", ADVERSARIES.values(), ids=ADVERSARIES)
def test_bounded_errors_are_covered_in_the_long_run_whoever_chooses_them(adversary):
    errors = steered(adversary, STEPS)
    assert errors.max() <= BOUND, np.round(errors, 4).tolist()


def test_smooth_bounded_errors_are_covered_in_the_long_run():
    generator = np.random.default_rng(35)
    errors = steered(lambda offsets: float(generator.uniform(-1, 1)), STEPS)
    assert errors.max() <= BOUND, np.round(errors, 4).tolist()


def walked(errors: np.ndarray, scale: float) -> np.ndarray:
    """The quantiles quoted before each error (level, time, series)."""
    return np.stack([quantiles_of_errors(of_series, scale).T for of_series in errors.T], axis=-1)


@pytest.fixture(scope="module")
def stationary():
    """Normal errors of many series, and what is quoted for them."""
    errors = np.random.default_rng(36).normal(size=(1250, SERIES))
    return errors, walked(errors, math.sqrt(2 / math.pi))


@pytest.mark.parametrize("index", range(len(LEVELS)), ids=map(str, LEVELS))
def test_after_burn_in_each_quantile_covers_its_level_to_a_point(stationary, index):
    errors, quantiles = stationary
    covered = float((errors <= quantiles[index])[BURN_IN:].mean())
    assert covered == pytest.approx(LEVELS[index], abs=0.01)


@pytest.mark.parametrize("interval", INTERVALS)
def test_over_the_year_after_a_threefold_break_intervals_cover_to_three_points(interval):
    errors = np.random.default_rng(37).normal(size=(BURN_IN + 500, SERIES))
    errors[-250:] *= 3
    quantiles = walked(errors, math.sqrt(2 / math.pi))
    index = INTERVALS.index(interval)
    inside = (quantiles[3 - index] <= errors) & (errors <= quantiles[5 + index])
    assert float(inside[-250:].mean()) == pytest.approx(interval / 100, abs=0.03)


@pytest.mark.parametrize("index", range(len(LEVELS)), ids=map(str, LEVELS))
def test_pinball_loss_is_within_three_per_cent_of_the_oracle(stationary, index):
    from scipy.stats import norm

    errors, quantiles = stationary
    tau = LEVELS[index]

    def loss(quantile: np.ndarray | float) -> float:
        above = errors[BURN_IN:] - quantile
        return float(np.maximum(tau * above, (tau - 1) * above).mean())

    assert loss(quantiles[index][BURN_IN:]) < 1.03 * loss(float(norm.ppf(tau)))


def test_levels_are_those_of_the_method():
    assert LEVELS == TAUS
