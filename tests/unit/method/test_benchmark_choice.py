"""Which benchmark `auto` takes, and how far trust looks ahead: by what was known when the period began alone."""

from __future__ import annotations

import math
from datetime import date

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Observations, RunSpec, TooLittleData
from pulse_core.spec import AUTO
from tests.strategies import replayed, rewritten_after, specs_for
from tests.unit.method.running import backtest_of, replay, series, spec_of, train

BEFORE, DAYS = 80, 140
SIMPLE = ("naive", "drift")


def trend(count: int = DAYS, step: float = 1.0, seed: int = 1) -> np.ndarray:
    """A line with noise: drift is the best of the simple forecasters."""
    return np.asarray(step * np.arange(count) + np.random.default_rng(seed).normal(0, 0.3, count))


def swings(count: int = DAYS, seed: int = 2) -> np.ndarray:
    """A pattern of seven days with noise: seasonal-naive is the best of the simple forecasters."""
    return np.asarray(np.arange(count) % 7 * 3.0 + np.random.default_rng(seed).normal(0, 0.3, count))


def choosing(first: int = BEFORE, **fields) -> RunSpec:
    return spec_of(days=DAYS, first=first, benchmark=AUTO, **{"forecasters": SIMPLE, "min_history": 5} | fields)


def benchmark_of(values: np.ndarray, spec: RunSpec) -> str:
    return str(backtest_of(series(values), spec).record.benchmark)


@pytest.mark.parametrize(
    ("values", "season", "expected"),
    [
        (trend(), None, "drift"),
        (np.cumsum(np.random.default_rng(3).normal(size=DAYS)), None, "naive"),
        (swings(), 7, "seasonal-naive"),
        (trend(), 7, "drift"),
        (np.full(DAYS, 4.0), 7, "naive"),
    ],
    ids=["trend", "walk", "season", "trend beside a season", "constant"],
)
def test_the_simple_forecaster_of_the_least_loss_is_taken(values, season, expected):
    assert benchmark_of(values, choosing(season=season)) == expected


def test_the_simple_forecasters_are_named_by_asking_for_the_best_of_them():
    spec = spec_of(benchmark=AUTO, forecasters=("ses", "drift"), season=4)
    assert spec.forecasters == ("naive", "seasonal-naive", "ses", "drift")


def test_each_variable_has_its_own():
    spec = choosing()
    walk = np.cumsum(np.random.default_rng(3).normal(size=DAYS))
    members = [series(values, name) for values, name in ((trend(), "a"), (walk, "b"))]
    result = train(members, attrs.evolve(spec, variables=("a", "b")))
    assert [summary.benchmark for summary in result.variables] == ["drift", "naive"]
    assert [np.isnan(summary.trust).all(axis=(1, 2)).tolist() for summary in result.variables] == [
        [False, True],
        [True, False],
    ]


@pytest.mark.parametrize(("known", "expected"), [(29, "naive"), (30, "drift")])
def test_with_fewer_than_thirty_earlier_errors_it_is_naive(known, expected):
    # the first origin is day 4, and at the first of the period one error more is known
    assert benchmark_of(trend(), choosing(first=4 + known, horizon=1)) == expected


def test_errors_that_become_known_later_choose_nothing():
    # a value a day, each released ten days on: at day 43 the errors of origins up to day 32 are known
    values = trend()
    late = attrs.evolve(series(values), known_at=series(values).timestamps + np.timedelta64(10, "D"))
    chosen = [backtest_of(late, choosing(first=first, horizon=1)).record.benchmark for first in (43, 44)]
    assert chosen == ["naive", "drift"]


@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(1, 4), st.sampled_from([None, 3]))
def test_it_is_that_of_the_least_mean_loss_over_all_horizons_on_common_origins(seed, horizon, season):
    generator = np.random.default_rng(seed)
    values = np.cumsum(generator.normal(generator.uniform(0, 1), 1, DAYS)) + generator.uniform(0, 2) * swings()
    spec = choosing(horizon=horizon, season=season, min_history=1)
    output = replay(series(values), spec)
    names = [*SIMPLE, *(["seasonal-naive"] if season else [])]
    losses = dict.fromkeys(names, 0.0)
    for origin in range(output.origins.first):
        for ahead in range(1, horizon + 1):
            # an error is known at the first origin of the period where its target is not after it
            if origin + ahead > output.origins.first:
                continue
            errors = {name: abs(values[origin + ahead] - output.forecasts(name)[origin, ahead - 1]) for name in names}
            if not any(map(math.isnan, errors.values())):
                losses = {name: losses[name] + errors[name] for name in names}
    assert output.benchmark == min(names, key=losses.__getitem__)


@settings(max_examples=60)
@given(st.data())
def test_rows_known_after_the_period_began_choose_neither_benchmark_nor_span(data):
    observations = data.draw(replayed())
    fields = {"benchmark": AUTO, "forecasters": SIMPLE, "trust_span": None}
    spec = attrs.evolve(data.draw(specs_for(observations)), **fields)
    try:
        output = replay(observations, spec)
    except TooLittleData:
        return
    began = output.point.origin_known_at[output.origins.first]
    rewritten = data.draw(rewritten_after(observations, began))
    for rows in (rewritten, observations.known_by(began)):
        other = replay(rows, spec)
        assert (other.benchmark, other.span) == (output.benchmark, output.span)


@pytest.mark.parametrize("values", [trend(), swings()], ids=["trend", "season"])
def test_another_future_of_a_long_series_chooses_neither_benchmark_nor_span(values):
    spec = choosing(season=7)
    before = backtest_of(series(values), spec).record
    # what comes is a walk of large steps; where it began sooner another benchmark would be taken
    turned = np.append(values[: BEFORE + 1], 1000 * np.random.default_rng(4).normal(size=DAYS - BEFORE - 1))
    after = backtest_of(series(turned), spec).record
    assert (before.benchmark, before.span) == (after.benchmark, after.span)
    assert before.benchmark != "naive"


def dated(unit: str, count: int = 120, skip_weekends: bool = False) -> Observations:
    """A series by an ordinary calendar, each value known at its timestamp."""
    first = np.datetime64("2000-01-03")
    stamps = (
        np.busday_offset(first, np.arange(count))
        if skip_weekends
        else np.arange(count).astype(f"timedelta64[{unit}]") + first.astype(f"datetime64[{unit}]")
    ).astype("datetime64[us]")
    return Observations("x", stamps, np.random.default_rng(5).normal(size=count), stamps)


def quarters(count: int = 60) -> Observations:
    monthly = dated("M", 3 * count)
    stamps = monthly.timestamps[::3]
    return Observations("x", stamps, monthly.values[::3], stamps)


def irregular(count: int = 90, gap: int = 7) -> Observations:
    """Every so many days, or a day less, or more."""
    days = np.cumsum(gap + np.random.default_rng(6).integers(-1, 2, count))
    stamps = np.datetime64("2000-01-03", "us") + days * np.timedelta64(1, "D")
    return Observations("x", stamps, np.random.default_rng(7).normal(size=count), stamps)


def span_of(observations: Observations, **fields) -> int:
    """The span of a run over the last third of a series."""
    start, end = (
        observations.timestamps[index].astype("datetime64[D]").item() for index in (len(observations) * 2 // 3, -1)
    )
    spec = RunSpec(variables=("x",), start=start, end=end, forecasters=SIMPLE, min_history=3, **fields)
    return backtest_of(observations, spec).record.span


@pytest.mark.parametrize(
    ("observations", "expected"),
    [
        (dated("D", skip_weekends=True), 250),
        (dated("D"), 365),
        (dated("W"), 52),
        (dated("M"), 12),
        (quarters(), 4),
        (dated("Y", 40), 1),
    ],
    ids=["business days", "days", "weeks", "months", "quarters", "years"],
)
def test_trust_looks_about_a_year_ahead_by_the_calendar(observations, expected):
    assert span_of(observations) == expected


def test_without_a_calendar_it_looks_as_many_origins_ahead_as_the_last_year_had():
    observations = irregular()
    start = observations.timestamps[60]
    year = observations.timestamps[:60] >= start.astype("datetime64[D]") - np.timedelta64(365, "D")
    assert 45 < int(year.sum()) < 60
    assert span_of(observations) == int(year.sum())


def test_without_a_calendar_it_looks_at_least_twelve_origins_ahead():
    assert span_of(irregular(gap=90)) == 12


def test_a_span_that_is_asked_for_is_taken():
    assert span_of(dated("M"), trust_span=7) == 7


def test_a_later_start_may_have_another_span_but_a_later_end_has_not():
    observations = irregular()
    spec = RunSpec(variables=("x",), start=date(2001, 3, 1), end=date(2001, 9, 1), forecasters=SIMPLE, min_history=3)
    spans = {
        backtest_of(observations, attrs.evolve(spec, end=end)).record.span
        for end in (date(2001, 6, 1), date(2001, 8, 1), date(2001, 9, 1))
    }
    assert len(spans) == 1
