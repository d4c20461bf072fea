"""Quantiles: the tracker is METHOD.md's, they never cross, and they cover what they promise."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from unittest.mock import patch

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import TooLittleData
from pulse_core.backtest import volatility
from pulse_core.backtest.custom_quantiles import NO_QUANTILES
from pulse_core.backtest.learning import LearningPass
from pulse_core.levels import LEVELS
from pulse_core.spec import CALIBRATIONS
from tests.strategies import replayed, round_values, specs_for
from tests.unit.kernel.pass_inputs import pass_inputs
from tests.unit.kernel.passes import (
    Calibration,
    PassInput,
    calibrator_array,
    learning_pass,
    origins_of,
    quantiles_of_errors,
    run,
    trackers,
)
from tests.unit.kernel.plain_calibration import isotonic
from tests.unit.method.plain_learning import TAUS, Conditional, Hindcast, empirical, tracked
from tests.unit.method.plain_volatility import expectations
from tests.unit.method.running import Replay, replay, series, spec_of, whole_roster

STEPS = 8000
FAR_OFF = 0.03
"""How far coverage may be off after so many steps: a few units that a tracker moves by, over the last rate."""


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


def steps(output: Replay) -> list[list[float]]:
    """The steps that the history has made at each origin, in its scale."""
    point = output.point
    histories = [
        point.paths[path][:length] for path, length in zip(point.origin_path, point.origin_length, strict=True)
    ]
    return [np.diff(history).tolist() for history in histories]


def conditional(output: Replay) -> list[Conditional] | None:
    """What each origin's history tells of errors, by the plain rule; None for a series that it is not asked of."""
    point, horizon = output.point, output.spec.horizon
    lengths = point.origin_length.tolist()
    first = next((origin for origin, length in enumerate(lengths) if length > volatility.LEAST_STEPS), None)
    if first is None or output.origins.volatility is None:
        return None
    by_path = [expectations(path.tolist(), horizon) for path in point.paths]
    told = [
        by_path[path][length - 1] if origin >= first else None
        for origin, (path, length) in enumerate(zip(point.origin_path, lengths, strict=True))
    ]
    at_first = told[first]
    assert at_first is not None
    unit = at_first.scale[0]
    return [
        Conditional([1.0] * horizon)
        if here is None
        else Conditional(
            [scale / unit for scale in here.scale],
            True,
            here.lean,
            max(0.005, 1 / (25 + origin - first)) if first else 0.005,
            at_first.excess * unit**2,
        )
        for origin, here in enumerate(told)
    ]


def around_points(output: Replay, name: str) -> list[list[list[float]]]:
    """Quantiles by horizon and origin, by the plain rule."""
    by_horizon = [cases(output, name, ahead) for ahead in range(1, output.spec.horizon + 1)]
    if output.spec.calibration == "empirical":
        return [empirical(here) for here in by_horizon]
    return [
        [[here.point + offset for offset in offsets] for here, (offsets, _) in zip(hindcasts, quotes, strict=True)]
        for hindcasts, quotes in zip(by_horizon, tracked(by_horizon, steps(output), conditional(output)), strict=True)
    ]


def assert_quotes(output: Replay) -> None:
    for row, name in enumerate(output.spec.forecasters):
        by_horizon = around_points(output, name)
        for ahead in range(1, output.spec.horizon + 1):
            here, expected = cases(output, name, ahead), by_horizon[ahead - 1]
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


@settings(max_examples=25)
@given(data=st.data())
def test_quantiles_of_any_vintages_by_day_are_those_of_a_plain_loop_with_a_conditional_scale(data):
    observations = data.draw(replayed(round_values()))
    spec = data.draw(specs_for(observations))
    spec = attrs.evolve(spec, forecasters=("naive", "ses"), benchmark="naive", calibration="conformal")
    with patch.object(volatility, "LEAST_STEPS", data.draw(st.integers(2, 8))):
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


@given(st.integers(1, 4), st.lists(st.sampled_from([0.9, 1.0, 1.0, 1.1]), min_size=5, max_size=40))
def test_quantiles_of_one_sign_do_not_cross_where_they_are_widened(history, errors):
    # a history of few steps, and errors that are all above zero: outer levels are widened most
    origins = origins_of(np.array(errors)[:, None], steps=history)
    quantiles = run(PassInput(forecasts=np.zeros((len(errors), 1, 1)), origins=origins)).quantiles[:, :, 0, 0]
    assert not (np.diff(quantiles, axis=1) < 0).any()


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


@attrs.frozen(eq=False)
class Judged:
    """What one pass said, by origin: trackers u and quantiles before widening, of errors over their conditional scale
    where there is one (origin, level, forecaster, horizon), and the scale (origin, forecaster, horizon)."""

    case: PassInput
    u: np.ndarray
    quantiles: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, case: PassInput) -> Judged:
        learning, count = learning_pass(case), case.shape[0]
        u, quantiles, sizes = [], [], []
        for origin in range(count):
            list(learning.states(origin, origin + 1))  # which asks for quantiles before the period too
            square, growth = (calibrator_array(learning, name) for name in ("square", "growth"))
            size = np.sqrt(square * growth)[:, : case.shape[1]].T
            levels = u_at(learning, "raw", case)
            u.append(levels.copy())
            found = case.origins.volatility
            if found is not None:
                levels = levels + found.lean[origin] * u_at(learning, "slope", case)
            fitted = np.apply_along_axis(lambda level: np.array(isotonic(level.tolist())), 0, levels)
            quantiles.append(size * fitted)
            sizes.append(size)
        return cls(case, np.stack(u), np.stack(quantiles), np.stack(sizes))

    def excess(self, f: int, h: int) -> float:
        """By how much the largest |mean of (tau - 1{e <= c})| over the levels exceeds its bound."""
        released, known = self.case.origins.released[:, h], self.case.origins.known[-1, h]
        errors, slowest = released - self.case.forecasts[:, f, h], np.full(len(released), 80)
        if (found := self.case.origins.volatility) is not None:
            errors = errors / found.scale[:, h]
            slowest[found.first :] = 320
        judged = [o for o in range(known) if np.isfinite(errors[o]) and self.sizes[o, f, h] > 0]
        if not judged:
            return -math.inf
        levels, count = np.array(LEVELS), np.arange(1, len(judged) + 1)[:, None]
        weights = (4 * levels * (1 - levels)) ** -0.8
        missed = levels - (errors[judged, None] <= self.quantiles[judged, :, f, h])
        rates = np.maximum(1 / (slowest[judged, None] * (h + 1)), 4 / (count + 40 * (h + 1)))
        # step by step: several errors may become known at one origin, and a tracker may go far and come back there
        path = np.cumsum(rates * weights * missed, axis=0)
        np.testing.assert_allclose(self.u[-1, :, f, h] - self.u[0, :, f, h], path[-1], atol=1e-9)
        bound = 2 * np.abs(path).max(axis=0) / (rates[-1] * weights * len(judged))
        return float((np.abs(missed.mean(axis=0)) - bound).max())


@settings(max_examples=60)
@given(pass_inputs(calibration="conformal", custom=NO_QUANTILES, ensemble=None))
def test_coverage_is_never_further_off_than_its_bound_whatever_comes(case):
    judged = Judged.of(case)
    with np.errstate(all="ignore"):
        excess = [judged.excess(f, h) for f in range(case.shape[1]) for h in range(case.shape[2])]
    assert max(excess) <= 1e-9


def test_the_bound_of_coverage_holds_at_every_horizon_of_walks():
    # it is met to a fraction of itself: a wrong rate or weight would show
    walks = np.cumsum(np.random.default_rng(38).standard_t(3, size=(420, 3)), axis=0)
    released = np.stack([walks[1 + h : 401 + h] for h in range(20)], axis=2)  # (origin, forecaster, horizon)
    for column in range(3):
        case = PassInput(
            forecasts=walks[:400, column, None, None].repeat(20, 2), origins=origins_of(released[:, column])
        )
        judged = Judged.of(case)
        assert max(judged.excess(0, h) for h in range(20)) <= 1e-9


def u_at(learning: LearningPass, name: str, case: PassInput) -> np.ndarray:
    """Trackers or their slopes as (level, forecaster, horizon)."""
    return np.moveaxis(trackers(learning, name)[:, :, : case.shape[1]], 0, 2)


def steered(relative: Callable[[np.ndarray], float], steps: int) -> np.ndarray:
    """How far coverage is from each level after errors of a scale of about 1 that are chosen in view of the offsets."""
    calibration = Calibration(steps)
    covered = np.zeros(len(LEVELS))
    for _ in range(steps):
        calibration.quantiles()
        offsets, size = calibration.state()
        error = relative(offsets)
        covered += error <= size * offsets
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
    assert errors.max() <= FAR_OFF, np.round(errors, 4).tolist()


def test_smooth_bounded_errors_are_covered_in_the_long_run():
    generator = np.random.default_rng(35)
    errors = steered(lambda offsets: float(generator.uniform(-1, 1)), STEPS)
    assert errors.max() <= FAR_OFF, np.round(errors, 4).tolist()


def test_levels_are_those_of_the_method():
    assert LEVELS == TAUS
