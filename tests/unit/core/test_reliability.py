"""How often trusts came true: counted in plain loops, merged over variables, and called bad only with cause."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pulse_core.backtest.reliability_counts import BINS, FIRST_COUNTED, counted_origins, reliability_counts
from pulse_core.results import RELIABILITY
from pulse_core.scores.reliability import LEAST_PAIRS, ReliabilityBin, reliability_of

seeds = st.integers(0, 1 << 32)


@pytest.mark.parametrize(
    ("origins", "span", "counted"),
    [(39, 250, []), (40, 250, [39]), (289, 250, [39]), (290, 250, [39, 289]), (100, 20, [39, 59, 79, 99])],
)
def test_trusts_are_counted_from_the_fortieth_origin_on_as_far_apart_as_they_look_ahead(origins, span, counted):
    assert FIRST_COUNTED == 39
    assert counted_origins(origins, span).tolist() == counted


@given(st.integers(0, 6), st.integers(1, 4), st.integers(1, 5), seeds)
def test_counts_are_those_of_plain_loops(blocks, horizons, forecasters, seed):
    generator = np.random.default_rng(seed)
    shape = (blocks + 1, horizons, forecasters)
    trust = np.where(generator.random(shape) < 0.2, math.nan, np.round(generator.random(shape), 1))
    ahead = generator.integers(-2, 3, shape).cumsum(axis=0).astype(np.float64)
    ends = 39 + 10 * np.arange(1, blocks + 1)
    known = 100 - generator.integers(0, 90, horizons)
    expected = np.zeros((horizons, BINS, len(RELIABILITY)))
    for horizon in range(horizons):
        held = set()
        for block in range(blocks):
            for forecaster in range(forecasters):
                said = trust[block, horizon, forecaster]
                if math.isnan(said) or ends[block] > known[horizon]:
                    continue
                place = min(int(said * BINS), BINS - 1)
                rose = ahead[block + 1, horizon, forecaster] > ahead[block, horizon, forecaster]
                expected[horizon, place] += [1, said, float(rose), 0]
                held.add((block, place))
        for _, place in held:
            expected[horizon, place, 3] += 1
    np.testing.assert_allclose(reliability_counts(trust, ahead, known, ends), expected, rtol=1e-13)


def test_trust_of_one_is_in_the_last_bin_and_a_sum_that_stays_has_not_come_true():
    trust = np.array([[[1.0, 0.0, 0.3]], [[math.nan] * 3]])
    ahead = np.array([[[0.0, 1.0, 2.0]], [[0.0, 1.5, 1.5]]])
    counts = reliability_counts(trust, ahead, np.array([50]), np.array([49]))
    assert counts[0, 9].tolist() == [1, 1.0, 0, 1]
    assert counts[0, 0].tolist() == [1, 0.0, 1, 1]
    assert counts[0, 3].tolist() == [1, 0.3, 0, 1]


def variables(count: int, generator: np.random.Generator, excess: float = 0.0, blocks: int = 4) -> list[np.ndarray]:
    """Counts at one horizon of variables whose trusts, all in the bin from .6 to .7, come true so much more often."""
    tables = []
    for _ in range(count):
        table = np.zeros((1, BINS, 4))
        quoted = 5 * blocks
        true = generator.binomial(quoted, 0.65 + excess)
        table[0, 6] = [quoted, 0.65 * quoted, true, blocks]
        tables.append(table)
    return tables


def only_bin(tables: list[np.ndarray]) -> ReliabilityBin:
    (row,) = reliability_of(tables).bins
    return row


def test_a_bin_merges_its_variables():
    row = only_bin(variables(12, np.random.default_rng(1)))
    assert (row.horizon, row.low, row.high) == (1, 0.6, 0.7)
    assert (row.count, row.pairs) == (240, 48)
    assert row.trust == pytest.approx(0.65)


@given(st.integers(2, 12), seeds)
def test_a_band_is_the_textbooks_jackknife_over_variables_or_what_right_trusts_would_make_it(count, seed):
    generator = np.random.default_rng(seed)
    tables = variables(count, generator)
    row = only_bin([*tables, np.zeros((1, BINS, 4))])  # a variable without such trusts has no say
    quoted, said, true, blocks = (np.array([table[0, 6, index] for table in tables]) for index in range(4))
    ratios = [
        sum(true[j] - said[j] for j in range(count) if j != i) / sum(quoted[j] for j in range(count) if j != i)
        for i in range(count)
    ]
    mean = sum(ratios) / count
    error = math.sqrt((count - 1) / count * sum((ratio - mean) ** 2 for ratio in ratios))
    # the five trusts of a block come true together, or none does
    variances = [b * (n / b) ** 2 * (p / n) * (1 - p / n) for n, p, b in zip(quoted, said, blocks, strict=True)]
    right = stats.norm.ppf(0.995) * math.sqrt(sum(variances)) / sum(quoted)
    margin = max(stats.t.ppf(0.995, count - 1) * error, right)
    excess = row.true - row.trust
    expected = max(excess - margin, -1.0), min(excess + margin, 1.0)
    assert row.band == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_one_variable_has_no_band_and_is_never_bad():
    row = only_bin(variables(1, np.random.default_rng(1), excess=0.3, blocks=100))
    assert all(math.isnan(end) for end in row.band)
    assert not row.bad


@pytest.mark.parametrize("sign", [1, -1])
def test_trusts_that_come_true_too_often_or_too_seldom_are_bad_once_there_are_enough(sign):
    generator = np.random.default_rng(2)
    assert LEAST_PAIRS == 30
    # six variables of five blocks are thirty pairs
    enough, few = variables(6, generator, sign * 0.3, blocks=5), variables(29, generator, sign * 0.3, blocks=1)
    assert only_bin(enough).bad
    assert not only_bin(few).bad
    assert reliability_of(enough).bad == reliability_of(enough).bins


def test_trusts_that_come_true_as_often_as_they_say_are_seldom_bad():
    generator = np.random.default_rng(3)
    bad = sum(only_bin(variables(20, generator)).bad for _ in range(300))
    assert bad <= 9


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.02), (0.0, 0.1), (0.9, 1.0), (0.98, 1.0)])
@pytest.mark.parametrize(("count", "blocks"), [(5, 8), (30, 1)])
def test_right_trusts_near_the_ends_are_seldom_bad_though_all_of_them_come_out_alike(low, high, count, blocks):
    generator = np.random.default_rng(4)
    bad = 0
    for _ in range(200):
        tables = np.zeros((count, 1, BINS, 4))
        said = generator.uniform(low, high, (count, blocks))
        true = generator.random((count, blocks)) < said
        tables[:, 0, 0] = np.stack([np.full(count, blocks), said.sum(1), true.sum(1), np.full(count, blocks)], axis=-1)
        bad += only_bin(list(tables)).bad
    assert bad <= 6


def test_bins_come_by_horizon_and_from_low_to_high_and_only_where_a_trust_is():
    table = np.zeros((3, BINS, 4))
    table[0, 9] = table[2, 0] = table[2, 4] = [2, 1, 1, 1]
    rows = reliability_of([table]).bins
    assert [(row.horizon, row.low) for row in rows] == [(1, 0.9), (3, 0.0), (3, 0.4)]


def test_without_variables_or_trusts_the_table_is_empty():
    assert reliability_of([]).bins == ()
    assert reliability_of([np.zeros((2, BINS, 4))]).bins == ()
