"""Diebold-Mariano statistics, measures and evidence to the bit."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pulse_core.kernel import bindings
from pulse_core.scores.measures import MEASURES, all_measures
from pulse_core.scores.sums import SUMS
from tests.unit.kernel import plain_comparison
from tests.unit.kernel.pass_inputs import EXTREME, KINDS, with_gaps
from tests.unit.kernel.passes import bits

kinds = st.sampled_from([*KINDS])
seeds = st.integers(0, 1 << 32)


@settings(max_examples=200)
@given(st.integers(0, 200), st.integers(1, 13), kinds, seeds)
def test_a_statistic_is_that_of_plain_loops(count, horizon, kind, seed):
    with np.errstate(all="ignore"):
        differences = KINDS[kind](np.random.default_rng(seed), (count,))
    result = bindings.diebold_mariano_statistic(differences, horizon)
    assert bits(result) == bits(plain_comparison.diebold_mariano(differences.tolist(), horizon))


@pytest.mark.parametrize("count", [2, 3, 20, 31, 32, 33, 64, 65, 100])
@pytest.mark.parametrize("difference", [0.0, 1.5, 0.1, -0.7e-9, 1e150])
@pytest.mark.parametrize("horizon", [1, 5, 13])
def test_losses_that_always_differ_by_the_same_have_no_statistic(count, difference, horizon):
    assert math.isnan(bindings.diebold_mariano_statistic(np.full(count, difference), horizon))


@pytest.mark.parametrize("scale", [1e-9, 3e-10])
def test_a_variance_is_told_from_rounding(scale):
    # of squares about the mean 10 scale^2, and of 1e-20 times the squared mean times 10
    differences = 1.0 + scale * np.array([1.0, -1.0] * 5)
    assert math.isfinite(bindings.diebold_mariano_statistic(differences, 1))
    assert math.isnan(bindings.diebold_mariano_statistic(1.0 + scale / 20 * np.array([1.0, -1.0] * 5), 1))


def test_the_differences_that_are_given_stay_as_they_are():
    differences = np.random.default_rng(4).normal(size=50)
    before = differences.copy()
    bindings.diebold_mariano_statistic(differences, 3)
    assert bits(differences) == bits(before)


@settings(max_examples=60)
@given(st.integers(1, 60), st.integers(1, 14), st.integers(1, 13), kinds, seeds, st.data())
def test_statistics_of_cells_are_those_of_their_common_origins(count, forecasters, horizons, kind, seed, data):
    generator, benchmark = np.random.default_rng(seed), data.draw(st.integers(0, forecasters - 1))
    stride = -(-forecasters * horizons // 4) * 4
    with np.errstate(all="ignore"):
        cells = with_gaps(generator, KINDS[kind](generator, (count, stride)), 0.2)
        reported = with_gaps(generator, KINDS[kind](generator, (count, horizons)), 0.1)
        statistic, common = bindings.comparisons(cells, reported, forecasters, benchmark)
    for forecaster in range(forecasters):
        for h in range(horizons):
            losses = [
                [abs(actual - row[side * horizons + h]) for side in (forecaster, benchmark)]
                for row, actual in zip(cells.tolist(), reported[:, h].tolist(), strict=True)
            ]
            differences = [own - rival for own, rival in losses if math.isfinite(own - rival)]
            assert common[forecaster, h] == len(differences)
            plain = plain_comparison.diebold_mariano(differences, h + 1)
            assert bits(statistic[forecaster, h]) == bits(math.nan if forecaster == benchmark else plain)


def test_statistics_do_not_depend_on_how_many_are_told_at_a_time(monkeypatch):
    generator = np.random.default_rng(3)
    cells, reported = generator.normal(size=(50, 36)), generator.normal(size=(50, 5))
    at_once = bindings.comparisons(cells, reported, 7, 2)
    monkeypatch.setattr(bindings, "_COMPARED_AT_ONCE", 1)
    for whole, part in zip(at_once, bindings.comparisons(cells, reported, 7, 2), strict=True):
        assert whole.tobytes() == part.tobytes()


@settings(max_examples=60)
@given(st.integers(0, 60), st.integers(1, 14), st.integers(1, 13), kinds, seeds, st.data())
def test_losses_on_common_origins_are_those_of_plain_loops(count, forecasters, horizons, kind, seed, data):
    generator, rival = np.random.default_rng(seed), data.draw(st.integers(0, forecasters - 1))
    stride = bindings.whole_lanes(forecasters * horizons)
    with np.errstate(all="ignore"):
        cells = with_gaps(generator, KINDS[kind](generator, (count, stride)), 0.2)
        cells[:, forecasters * horizons :] = np.nan
        reported = with_gaps(generator, KINDS[kind](generator, (count, horizons)), 0.1)
        errors = reported[:, None] - cells[:, : forecasters * horizons].reshape(count, forecasters, horizons)
    losses = bindings.common_losses(cells, reported, forecasters, rival)
    assert losses.shape == (forecasters, horizons, 2)
    for forecaster in range(forecasters):
        for h in range(horizons):
            own, other = (errors[:, row, h].tolist() for row in (forecaster, rival))
            assert bits(losses[forecaster, h]) == bits(plain_comparison.common_losses(own, other))


sums = st.floats(-10, 1e6) | st.integers(0, 20).map(float) | st.sampled_from([*EXTREME.tolist(), math.nan, math.inf])


@settings(max_examples=100)
@given(st.data())
def test_measures_are_those_of_plain_loops(data):
    count = data.draw(st.integers(1, 5))
    values = data.draw(arrays(np.float64, (count, len(SUMS)), elements=sums))
    rows = np.array(data.draw(st.lists(st.integers(0, count - 1), max_size=7)), dtype=np.int64)
    columns = np.empty((len(MEASURES) - 1, len(rows)))
    bindings.write_measures(values, rows, columns)
    plain = [
        [score if math.isfinite(score) else math.nan for score in plain_comparison.measures(values[row].tolist())]
        for row in rows
    ]
    assert bits(columns.T) == bits(np.array(plain).reshape(len(rows), len(MEASURES) - 1))


def test_counts_of_origins_are_not_in_the_units_of_the_data():
    values = np.ones((1, len(SUMS)))
    scores = dict(zip(MEASURES, all_measures(values, 3)[0].tolist(), strict=False))
    assert scores["n"] == scores["hit_rate_count"] == 1.0
    assert scores["me"] == 8.0


def test_a_row_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="beyond the sums"):
        bindings.write_measures(np.zeros((2, len(SUMS))), np.array([2]), np.empty((len(MEASURES) - 1, 1)))


@settings(max_examples=60)
@given(st.integers(0, 6), st.integers(1, 9), seeds)
def test_totals_are_taken_in_order(count, size, seed):
    values = np.random.default_rng(seed).normal(size=(count, size)) * 10.0 ** np.arange(count)[:, None]
    expected = np.zeros(size) if not count else values[0].copy()
    for row in values[1:]:
        expected = expected + row
    assert bits(bindings.total(values)) == bits(expected)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000)), min_size=1, max_size=8))
def test_evidence_where_wins_do_not_lead_is_that_of_plain_loops(pairs):
    won, lost = np.array([sorted(pair) for pair in pairs], dtype=np.float64).T.copy()
    expected = [plain_comparison.evidence_behind(w, b) for w, b in zip(won.tolist(), lost.tolist(), strict=True)]
    assert bits(bindings.evidence_behind(won, lost)) == bits(expected)


@pytest.mark.parametrize(("won", "lost"), [(0, 0), (0, 5), (3, 3), (7, 30), (40, 45)])
def test_evidence_is_that_of_exact_arithmetic(won, lost):
    trials = won + lost
    terms = sum(math.comb(trials + 1, index) for index in range(won + 1))
    exact = Fraction(terms, (trials + 1) * math.comb(trials, won))
    result = bindings.evidence_behind(np.array([float(won)]), np.array([float(lost)]))[0]
    assert result == pytest.approx(float(exact), rel=1e-14)
