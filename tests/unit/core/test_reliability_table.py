"""Reliability: of the trusts quoted long enough ago, how many came true; counted once more from a run's tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_core import Observations, RunResult, RunSpec
from pulse_core.results import RELIABILITY
from pulse_core.scores.reliability import reliability_of
from tests.fakes import FakeSink
from tests.unit.core.runs import known, run, series, spec_of
from tests.unit.core.test_trust_in_tables import rows_of

FIRST, BINS = 39, 10
NAMES = ("naive", "drift", "mean", "theta", "ar")
SPAN = 12


def walk(variable: str = "x", seed: int = 1, count: int = 200) -> Observations:
    return series(100 + np.cumsum(np.random.default_rng(seed).normal(0.1, 1, count)), variable)


def late_walk() -> Observations:
    """Released in bulk, so that several actuals become known at once."""
    numbers = walk(seed=2, count=600).values.tolist()
    return known([(day, value, day + 3 - day % 4) for day, value in enumerate(numbers)])


def spec_for(*variables: str, **fields: Any) -> RunSpec:
    defaults: dict[str, Any] = {"horizon": 3, "min_history": 12, "forecasters": NAMES, "trust_span": SPAN}
    return spec_of(*variables, days=610, **defaults | fields)


def counted(observations: Observations, spec: RunSpec) -> np.ndarray:
    """(horizon, bin, RELIABILITY) from the table of hindcasts."""
    sink = FakeSink()
    run(observations, spec, sink=sink, hindcasts=True)
    rows = rows_of(sink, "hindcasts")
    moments = sorted({key[2] for key in rows})
    counts = np.zeros((spec.horizon, BINS, len(RELIABILITY)))
    for ahead in range(1, spec.horizon + 1):
        for begin in range(FIRST, len(moments) - SPAN, SPAN):
            block = moments[begin : begin + SPAN]
            if any(np.isnan(rows["naive", ahead, moment]["first_release"]) for moment in block):
                continue
            touched = set()
            for name in spec.forecasters:
                said = rows[name, ahead, block[0]]["trust"]
                if np.isnan(said):
                    continue
                lost = [(loss(rows["naive", ahead, at]), loss(rows[name, ahead, at])) for at in block]
                bin_of = min(int(said * BINS), BINS - 1)
                came_true = sum(rival for rival, _ in lost) > sum(own for _, own in lost)
                counts[ahead - 1, bin_of, :3] += 1, said, came_true
                touched.add(bin_of)
            for bin_of in touched:
                counts[ahead - 1, bin_of, 3] += 1
    return counts


def loss(row: dict[str, Any]) -> float:
    return float(abs(row["first_release"] - row["point"]))


@pytest.mark.parametrize("observations", [walk(), late_walk()], ids=["a value a day", "released in bulk"])
def test_the_counts_are_those_of_the_trusts_in_the_table_that_have_come_of_age(observations):
    spec = spec_for()
    (summary,) = run(observations, spec).variables
    expected = counted(observations, spec)
    assert expected[..., 0].sum() > 40
    np.testing.assert_allclose(summary.reliability, expected, rtol=1e-12)


@pytest.mark.parametrize("ahead", [1, 2, 3])
def test_before_the_actuals_of_a_span_from_the_fortieth_origin_on_nothing_is_counted(ahead):
    spec = spec_for()
    for origins, some in ((FIRST + SPAN + ahead, True), (FIRST + SPAN + ahead - 1, False)):
        count = 11 + origins  # the twelfth value is the first origin
        (summary,) = run(walk(count=count), spec).variables
        assert summary.reliability[ahead - 1].any() == some, count


MEMBERS = [walk(f"v{seed}", seed) for seed in range(5)]
VARIABLES = tuple(member.variable for member in MEMBERS)


def result_of(members: Sequence[Observations], **fields: Any) -> RunResult:
    return run(members, spec_for(*(member.variable for member in members)), **fields)


@pytest.mark.parametrize("unit_size", [1, 2, 5])
def test_any_cut_into_units_gives_the_same_table(unit_size):
    assert repr(result_of(MEMBERS, unit_size=unit_size).reliability()) == repr(result_of(MEMBERS).reliability())


def test_the_table_of_a_run_is_made_of_the_counts_of_its_variables():
    result = result_of(MEMBERS)
    alone = [result_of([member]).variables[0].reliability for member in MEMBERS]
    assert [summary.reliability.tobytes() for summary in result.variables] == [counts.tobytes() for counts in alone]
    totals = np.sum(alone, axis=0)
    for each in result.reliability().bins:
        count, said, true, blocks = totals[each.horizon - 1, round(each.low * BINS)]
        assert (each.count, each.pairs) == (count, blocks)
        assert each.trust == pytest.approx(said / count)
        assert each.true == pytest.approx(true / count)
    assert sum(each.count for each in result.reliability().bins) == totals[..., 0].sum()


@given(st.integers(0, 1000), st.permutations(range(6)))
def test_the_order_of_variables_changes_no_count_and_no_judgement(seed, order):
    generator = np.random.default_rng(seed)
    counts = [drawn(generator) for _ in range(6)]
    before, after = reliability_of(counts).bins, reliability_of([counts[index] for index in order]).bins
    assert [(one.horizon, one.low, one.count, one.pairs, one.bad) for one in before] == [
        (one.horizon, one.low, one.count, one.pairs, one.bad) for one in after
    ]
    for one, other in zip(before, after, strict=True):
        assert (one.trust, one.true, *one.band) == pytest.approx((other.trust, other.true, *other.band), nan_ok=True)


def drawn(generator: np.random.Generator) -> np.ndarray:
    """Counts of a variable whose trusts come true as often as they say."""
    count = generator.integers(0, 12, size=(2, BINS)).astype(float)
    centre = (np.arange(BINS) + 0.5) / BINS
    true = generator.binomial(count.astype(int), centre)
    return np.stack([count, count * centre, true, np.minimum(count, 4)], axis=-1)


def test_trusts_that_come_true_as_they_say_are_seldom_called_bad():
    generator, bad, bins = np.random.default_rng(3), 0, 0
    for _ in range(60):
        result = reliability_of([drawn(generator) for _ in range(25)])
        bad, bins = bad + len(result.bad), bins + len(result.bins)
    assert bad <= 0.03 * bins, f"{bad} of {bins}"


def test_trusts_that_never_come_true_are_called_bad_where_there_are_enough_of_them():
    generator = np.random.default_rng(4)
    boasting = [drawn(generator) for _ in range(25)]
    for counts in boasting:
        counts[0, 9, 2] = 0
        counts[1, 9, :] = 0
    boasting[0][1, 9] = 20, 19, 0, 20
    result = reliability_of(boasting)
    assert [(each.horizon, each.low) for each in result.bad] == [(1, 0.9)]


def test_without_a_variable_there_is_no_table():
    assert reliability_of([]).bins == ()
