"""What is promised of quantiles: that they come true, on series whose dynamics are known, at every horizon.

The numbers of series make standard errors at most a third of the tolerances. How quantiles do elsewhere, and where they
fail, is measured by benchmarks/truth.py and told in docs/method.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks._tracking import tracked_quantiles
from pulse_core.backtest.custom_quantiles import HIGH, LOW
from pulse_core.levels import INTERVALS
from tests.processes import PROCESSES, broken_walk, growth, stairs
from tests.simulation import Quoted, quoted
from tests.unit.method.running import replay, series, spec_of

HORIZONS = (1, 2, 5, 10, 20, 40, 60)
NEAR = tuple(horizon for horizon in HORIZONS if horizon <= 20)
HISTORY, ORIGINS, WARM = 31, 900, 300
SERIES, MANY, FEW = 256, 512, 128


@pytest.fixture(scope="module", params=PROCESSES)
def lasting(request: pytest.FixtureRequest) -> Quoted:
    """What is quoted for a process whose dynamics stay as they are, from its first origin on."""
    points = HISTORY + WARM + ORIGINS + max(HORIZONS) - 1
    values = PROCESSES[request.param](np.random.default_rng(51), points, MANY)
    return quoted(values, HISTORY, HORIZONS).between(0, WARM + ORIGINS)


@pytest.fixture(scope="module", params=PROCESSES)
def by_day(request: pytest.FixtureRequest) -> tuple[Quoted, Quoted]:
    """The same of series by day, with a conditional scale; and of these without one."""
    points = HISTORY + WARM + ORIGINS + max(HORIZONS) - 1
    values = PROCESSES[request.param](np.random.default_rng(57), points, FEW)
    both = (quoted(values, HISTORY, HORIZONS, by_day=with_scale) for with_scale in (True, False))
    now, without = (rule.between(WARM, WARM + ORIGINS) for rule in both)
    return now, without


@pytest.mark.parametrize("interval", INTERVALS)
def test_intervals_of_series_by_day_cover_what_they_say(by_day, interval):
    off = np.abs(by_day[0].coverage(interval) - interval)
    # a quarter of the series: standard errors are twice those of `lasting`
    assert (off <= np.where(np.array(HORIZONS) <= 20, 1.5, 2.5)).all(), np.round(off, 2).tolist()


def test_the_loss_with_a_conditional_scale_is_not_above_that_without_one(by_day):
    now, without = by_day
    ratios = now.loss() / without.loss()
    assert ratios.max() <= 1.003, np.round(ratios, 4).tolist()


def test_a_conditional_scale_makes_quantiles_of_garch_sharper():
    values = PROCESSES["GARCH(1,1) walk"](np.random.default_rng(58), HISTORY + WARM + ORIGINS + 20, FEW)
    now, without = (quoted(values, HISTORY, NEAR, by_day=with_scale).between(WARM, -20) for with_scale in (True, False))
    ratios = now.loss() / without.loss()
    assert (ratios <= 0.997).all(), np.round(ratios, 4).tolist()
    # better than any quantiles that stay the same, near
    assert (now.loss()[:2] <= 0.99 * now.loss(now.oracle())[:2]).all()


@pytest.mark.parametrize("interval", INTERVALS)
def test_intervals_cover_what_they_say(lasting, interval):
    off = np.abs(lasting.between(WARM).coverage(interval) - interval)
    assert (off <= np.where(np.array(HORIZONS) <= 20, 1.0, 1.5)).all(), np.round(off, 2).tolist()


def test_the_loss_is_near_that_of_the_best_quantiles_that_stay_the_same(lasting):
    warm = lasting.between(WARM, every=5)
    ratios = warm.loss() / warm.loss(warm.oracle())
    assert (ratios <= np.where(np.array(HORIZONS) <= 20, 1.04, 1.05)).all(), np.round(ratios, 4).tolist()


def test_the_loss_is_not_above_that_of_the_former_rule(lasting):
    present = lasting.first(FEW)
    errors = present.errors[:, : len(NEAR)]
    # what it starts from, here the first errors in the place of the history's steps, is forgotten after 300 origins
    former = tracked_quantiles(errors, NEAR, np.abs(errors[:HISTORY, 0]).mean(axis=0))
    ratios = present.between(WARM).loss()[: len(NEAR)] / Quoted(NEAR, errors, former).between(WARM).loss()
    assert ratios.max() <= 1.003, np.round(ratios, 4).tolist()


@pytest.mark.parametrize("by_day", [False, True])
@pytest.mark.parametrize("interval", [80, 95])
def test_over_the_year_after_a_threefold_break_intervals_cover_to_three_points(interval, by_day):
    before = 500
    values = broken_walk(3.0, HISTORY + before)(np.random.default_rng(52), HISTORY + before + 255, SERIES)
    # the last value before the break is known at origin `before`
    year = quoted(values, HISTORY, (1, 2, 3, 4, 5), by_day=by_day).between(before, before + 250)
    assert np.abs(year.coverage(interval) - interval).max() <= 3.0, year.coverage(interval).tolist()


@pytest.mark.parametrize("months", [120, 264])
def test_intervals_of_growing_series_cover_to_three_points(months):
    values = growth(0.008, 0.03)(np.random.default_rng(53), 24 + months, 2 * SERIES)
    coverage = quoted(values, 24, (1, 2, 3, 4, 5)).coverage(80)
    assert np.abs(coverage - 80).max() <= 3.0, coverage.tolist()


@pytest.mark.parametrize(("share", "horizons"), [(0.05, (1,)), (0.1, (1,)), (0.2, (1,)), (0.3, (1, 2, 3, 4, 5))])
def test_series_that_mostly_rest_are_covered(share, horizons):
    values = stairs(share)(np.random.default_rng(54), HISTORY + 1000, SERIES)
    assert quoted(values, HISTORY, horizons).coverage(95).min() >= 93.0


@pytest.mark.parametrize("origins", [15, 25, 40])
@pytest.mark.parametrize(("rate", "deviation"), [(0.0, 0.05), (0.03, 0.05), (0.05, 0.03)])
def test_short_series_are_covered_from_their_first_origin_on(origins: int, rate: float, deviation: float) -> None:
    values = growth(rate, deviation)(np.random.default_rng(55), 8 + origins, SERIES)
    coverage = quoted(values, 8, (1, 2, 3, 4, 5, 6)).coverage(95)
    assert coverage.min() >= 90.0, coverage.tolist()


@pytest.mark.parametrize("by_day", [False, True])
def test_an_explosion_is_forgotten_at_once(by_day):
    values = np.cumsum(np.random.default_rng(56).normal(size=(HISTORY + 700, SERIES)), axis=0)
    quiet: Any = quoted(values, HISTORY, (1,), by_day=by_day).width(80)
    values[HISTORY + 400] += 1e6  # one value; the next one is back
    loud = quoted(values, HISTORY, (1,), by_day=by_day)
    after = loud.between(402, 442)
    assert after.width(80)[0] <= 3.0 * quiet[0]
    assert after.coverage(80)[0] == pytest.approx(85.0, abs=10.0)


def test_quantiles_of_seasonal_forecasters_are_not_held_to_the_steps_of_the_season():
    # errors are some hundred times smaller in square than the steps that the history has made
    generator = np.random.default_rng(12)
    shares = []
    for _ in range(12):
        season = generator.normal(0, 20, 12)
        level = np.cumsum(generator.normal(0, 1, 420))
        observations = series(100 + level + season[np.arange(420) % 12] + generator.normal(0, 1, 420))
        spec = spec_of(
            days=420, first=60, horizon=3, season=12, forecasters=("naive", "seasonal-naive(12)", "holt-winters(12)")
        )
        output = replay(observations, spec)
        first = output.origins.first
        actual, quantiles = output.origins.released[first:, None], output.quantiles[first:]
        inside = (actual >= quantiles[:, LOW]) & (actual <= quantiles[:, HIGH])
        known = np.isfinite(actual[:, 0]).all(axis=-1)
        shares.append([inside[known][:120].mean(axis=0), inside[known][120:].mean(axis=0)])
    coverage = np.mean(shares, axis=0)  # (part, forecaster, horizon)
    assert (np.abs(coverage - 0.8) < 0.07).all(), np.round(coverage, 3)
