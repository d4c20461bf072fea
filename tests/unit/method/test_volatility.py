"""The conditional scale: it is METHOD.md's and arch's, begins where it may, and makes quantiles sharper."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Observations, RunSpec
from pulse_core.backtest import volatility
from pulse_core.backtest.origins import Origins, origins_of
from pulse_core.backtest.volatility import LEAST_STEPS, Volatility, decay, grid
from pulse_core.data.known_at import resolve_known_at
from pulse_core.data.point_in_time import point_in_time
from pulse_core.kernel.bindings import count, doubles, library, positions
from pulse_core.kernel.volatility import conditional_scale
from tests.processes import garch_walk
from tests.unit.core.real import released_late
from tests.unit.method.plain_volatility import expected
from tests.unit.method.running import replay, series, spec_of

DAYS = 320


def walk(days: int = DAYS, seed: int = 61) -> np.ndarray:
    return np.asarray(garch_walk(np.random.default_rng(seed), days, 1)[:, 0] + 60)


def of(values: np.ndarray, first: int = 0) -> Origins:
    return origins_of(
        point_in_time(series(values), spec_of(days=len(values), first=first, horizon=3)),
        spec_of(days=len(values), first=first, horizon=3),
    )


KINDS: dict[str, Callable[[], np.ndarray]] = {
    "walk": walk,
    "noise": lambda: np.random.default_rng(62).standard_t(5, DAYS),
    "falls below zero": lambda: walk() - 62,
    "mostly moves": lambda: np.round(np.random.default_rng(63).normal(size=DAYS).cumsum()),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [3, 60, 130, DAYS])
def test_a_scale_is_that_of_plain_formulas(kind, length):
    history = KINDS[kind]()[:length]
    result, plain = conditional_scale(history, np.array([length]), 3, grid(), decay(3)), expected(history.tolist(), 3)
    np.testing.assert_allclose(result.scale[0], plain.scale, rtol=1e-9)
    np.testing.assert_allclose([result.lean[0], result.excess[0]], [plain.lean, plain.excess], rtol=1e-9, atol=1e-9)


def test_errors_are_measured_in_the_scale_of_the_first_origin_that_has_one():
    values = walk()
    output = of(values)
    found = output.volatility
    assert found is not None
    lengths = output.steps + 1
    assert lengths[found.first] == LEAST_STEPS + 1
    assert lengths[found.first - 1] == LEAST_STEPS
    for origin in (found.first, found.first + 30, len(output) - 1):
        plain = expected(values[: int(lengths[origin])].tolist(), 3)
        unit = expected(values[: LEAST_STEPS + 1].tolist(), 3)
        np.testing.assert_allclose(found.scale[origin], np.array(plain.scale) / unit.scale[0], rtol=1e-9)
        np.testing.assert_allclose(found.lean[origin], plain.lean, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(found.step_square[origin], unit.excess * unit.scale[0] ** 2, rtol=1e-9)
    before = slice(0, found.first)
    assert (found.scale[before] == 1).all()
    assert (found.lean[before] == 0).all()
    assert found.step_square[before].tobytes() == output.step_square[before].tobytes()


def test_mean_squares_are_learned_slower_the_longer_there_is_a_scale():
    rate = rates(of(walk()))
    assert (rate[:-70] == 0.04).all()
    assert rate[-69:].tolist() == [max(0.005, 1 / (25 + since)) for since in range(1, 70)]
    assert rates(of(walk(600), first=560)).tolist() == [0.005] * 290


def rates(output: Origins) -> np.ndarray:
    assert output.volatility is not None
    return output.volatility.square_rate


def stamped(values: np.ndarray, step: np.timedelta64) -> Observations:
    stamps = np.datetime64("2000-01-01", "us") + np.arange(len(values)) * step
    return Observations("x", stamps, values.tolist(), stamps)


@pytest.mark.parametrize(
    ("step", "has"),
    [(np.timedelta64(30, "m"), True), (np.timedelta64(1, "D"), True), (np.timedelta64(7, "D"), False)],
)
def test_series_by_day_or_faster_have_one(step, has):
    observations = stamped(walk(300), step)
    spec = spec_of(days=9 * 366, horizon=3)
    assert (origins_of(point_in_time(observations, spec), spec).volatility is not None) == has


def test_business_days_have_one_and_months_have_none():
    days = np.busday_offset(np.datetime64("2000-01-03"), np.arange(300)).astype("datetime64[us]")
    months = np.arange("1970-01", "1995-01", dtype="datetime64[M]").astype("datetime64[us]")
    for stamps, has in ((days, True), (months, False)):
        rows = Observations("x", stamps, walk(300).tolist(), stamps)
        spec = attrs.evolve(spec_of(days=9 * 366, horizon=3), start=date(1970, 1, 1))
        assert (origins_of(point_in_time(rows, spec), spec).volatility is not None) == has


def test_few_steps_and_steps_that_mostly_rest_have_none():
    assert of(walk(LEAST_STEPS)).volatility is None
    assert of(walk(LEAST_STEPS + 1)).volatility is not None
    rests = np.random.default_rng(64).normal(size=DAYS) * (np.arange(DAYS) % 5 < 2)
    assert of(rests.cumsum()).volatility is None


def test_empirical_quantiles_have_none():
    spec = spec_of(days=DAYS, calibration="empirical")
    assert origins_of(point_in_time(series(walk()), spec), spec).volatility is None


def test_before_it_begins_quantiles_are_what_they_are_without_it():
    values, names = walk(), ("naive", "mean", "ensemble")
    long, short = (
        replay(series(values[:days]), spec_of(days=days, first=30, horizon=3, forecasters=names))
        for days in (DAYS, LEAST_STEPS)
    )
    assert short.origins.volatility is None
    assert long.origins.volatility is not None
    first = long.origins.volatility.first
    assert first == len(short.origins)
    assert long.quantiles[:first].tobytes() == short.quantiles.tobytes()


@settings(max_examples=25)
@given(st.integers(0, 1 << 30), st.integers(0, 60), st.booleans())
def test_no_scale_looks_ahead(seed, cut, late):
    rows = series(walk(seed=seed % 5))
    if late:
        rows = released_late(rows, seed)
    rows = resolve_known_at(rows, "auto", date(9000, 1, 1)).known
    assert rows.known_at is not None
    moment = np.sort(rows.known_at)[-1 - cut]
    spec = spec_of(days=2 * DAYS, horizon=3)
    whole, known = (origins_with(part, spec, moment) for part in (rows, rows.known_by(moment)))
    assert whole == known


def origins_with(rows: Observations, spec: RunSpec, until: np.datetime64) -> list[bytes]:
    """The bits of the conditional scale at all origins up to a moment."""
    point = point_in_time(rows, spec)
    found, last = origins_of(point, spec).volatility, int((point.origin_known_at <= until).sum())
    if found is None or found.first >= last:
        return []
    numbers = (found.scale, found.lean, found.square_rate, found.step_square)
    return [np.ascontiguousarray(array[:last]).tobytes() for array in numbers]


TARCH = (0.15, 0.25, 0.85)
"""a where d is above zero, a elsewhere, and what s keeps; nothing comes from the slow mean."""


def one_point(above: float, below: float, keep: float) -> np.ndarray:
    """A grid whose points are all the same, and have no base."""
    return np.repeat(np.array([[0.0], [above], [below], [keep]]), 8, axis=1)


def test_the_path_of_the_scale_equals_that_of_arch():
    values = walk(900) - 100.0  # below zero: no relative steps
    above, below, keep = TARCH
    ours = conditional_scale(values, np.arange(1, 901), 1, one_point(*TARCH), np.ones((2, 2, 1))).scale[:, 0]
    steps = np.diff(values)
    theirs = np.sqrt(variances(steps, (above, below, keep), backcast=1.0))
    # arch's first stands before the first step; the mean's distances and what both began with are forgotten by then
    np.testing.assert_allclose(ours[400:-1], theirs[400:], rtol=1e-9)


def test_likelihoods_equal_those_of_arch():
    from arch.univariate import StudentsT

    values = walk(60) - 100.0
    points = [(0.02, 0.18, 0.9), (0.3, 0.1, 0.8)]  # of a persistence of 1, so that arch begins with the backcast
    parameters = np.concatenate([one_point(*point)[:, :4] for point in points], axis=1)
    weights = memory_after(values, parameters)[12 + 3 * 8 :].reshape(3, 8)[0]
    steps = np.diff(values)
    likelihoods = []
    for point in points:
        # s begins as the first |step|; a variance is 1.6 of its squares: 5 of the one are 8 of the other
        squares = 1.6 * variances(steps[1:], point, backcast=abs(steps[0]))
        likelihoods.append(np.sum(StudentsT().loglikelihood([7.0], steps[1:], squares, individual=True)))
    ratio = math.log(weights[0]) - math.log(weights[4])
    assert ratio == pytest.approx(likelihoods[0] - likelihoods[1], rel=1e-9)


def variances(steps: np.ndarray, point: tuple[float, float, float], backcast: float) -> np.ndarray:
    """arch's variances of TARCH at given parameters, from this size of the step before the first on."""
    from arch.univariate import GARCH

    above, below, keep = point
    model, sigma2 = GARCH(p=1, o=1, q=1, power=1.0), np.zeros(len(steps))
    bounds = np.tile([1e-12, 1e12], (len(steps), 1))
    parameters = np.array([0.0, above, below - above, keep])
    model.compute_variance(parameters, steps, sigma2, backcast, bounds)
    return sigma2


def memory_after(values: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """What the kernel keeps after a path."""
    points, length = parameters.shape[1], len(values)
    memory = np.zeros(12 + 6 * points)
    memory[12 + 3 * points :] = 1.0
    out = np.empty((3, 1))
    library().pulse_volatility(
        *(doubles(values, length), count(0), count(length), positions(np.array([length]), 1), count(1)),
        *(doubles(out[0], 1), count(1), doubles(out[1], 1), doubles(out[2], 1)),
        *(doubles(np.ascontiguousarray(parameters), 4, points), doubles(np.ones((2, 2, 1)), 2, 2, 1)),
        *(doubles(memory, len(memory)), count(points)),
    )
    return memory


def test_the_scale_follows_the_variance_of_a_garch_process():
    generator = np.random.default_rng(65)
    ratios = []
    for _ in range(20):
        noise, variance, steps, variances_ = generator.normal(size=1500), 1.0, [], []
        for shock in noise:
            steps.append(math.sqrt(variance) * shock)
            variance = 0.02 + 0.1 * steps[-1] ** 2 + 0.88 * variance
            variances_.append(variance)
        values = np.append(0.0, np.cumsum(steps))
        result = conditional_scale(values, np.arange(1, 1502), 1, grid(), decay(1))
        squares = result.scale[501:, 0] ** 2
        ratios.append(np.log(squares) - np.log(variances_[500:]))
    off = np.array(ratios)
    assert off.std() < 0.3  # a constant would be off by .6 and more
    assert abs(off.mean() + math.log(math.pi / 2)) < 0.2  # squares of mean absolute sizes, not variances


def test_later_origins_see_only_what_they_knew_of_revised_histories():
    rows = released_late(series(walk()), 3)
    point = point_in_time(rows, spec_of(days=2 * DAYS, horizon=3))
    found = volatility.volatility_of(point, 3, np.ones(len(point.origin_path)), 0)
    assert isinstance(found, Volatility)
    for origin in (found.first + 5, len(point.origin_path) - 1):
        values = point.paths[point.origin_path[origin]][: point.origin_length[origin]]
        at_first = point.paths[point.origin_path[found.first]][: point.origin_length[found.first]]
        unit = expected(at_first.tolist(), 3).scale[0]
        np.testing.assert_allclose(found.scale[origin], np.array(expected(values.tolist(), 3).scale) / unit, rtol=1e-9)


def test_the_calendar_counts_as_it_stood_then():
    # weeks until long after the first scale might begin, days from then on
    weeks = np.datetime64("1990-01-01", "us") + np.arange(300) * np.timedelta64(7, "D")
    days = weeks[-1] + (1 + np.arange(400)) * np.timedelta64(1, "D")
    stamps = np.concatenate([weeks, days])
    rows = Observations("x", stamps, walk(700).tolist(), stamps)
    spec = attrs.evolve(spec_of(horizon=3), start=date(1990, 1, 1), end=date(1990, 1, 1) + timedelta(days=3000))
    assert origins_of(point_in_time(rows, spec), spec).volatility is None
