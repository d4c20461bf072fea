"""What is told beside the numbers."""

from __future__ import annotations

import attrs

from pulse_adapters.published.cautions import (
    TrendingBenchmark,
    is_few,
    reliability_text,
    trending_text,
    unscored_text,
)
from pulse_core.scores.reliability import ReliabilityBin
from pulse_core.scores.trust import FEW

PRICES = TrendingBenchmark("prices", "naive", ("drift",), "holt", "drift", 0.127)
GOOD = ReliabilityBin(1, 0.6, 0.7, 300, 40, 0.65, 0.6, (-0.2, 0.1), bad=False)
BAD = attrs.evolve(GOOD, horizon=5, true=0.2, band=(-0.6, -0.3), bad=True)


def test_where_every_horizon_is_scored_nothing_is_told():
    assert unscored_text([("a", []), ("b", [])]) == ""


def test_horizons_without_a_score_are_told_once_for_all_variables_that_share_them():
    text = unscored_text([("a", [6]), ("b", [4, 5, 6]), ("c", [6]), ("d", []), ("e", [2, 6])])
    assert text == (
        "Forecast but not scored, for no origin of the period knows what came so far ahead: "
        "a, c 6 ahead; b 4 to 6 ahead; e 2, 6 ahead."
    )


def test_of_many_variables_without_a_score_some_are_named_and_the_others_counted():
    text = unscored_text((f"v{number}", [number + 1]) for number in range(9))
    assert text.endswith("v4 5 ahead; and 4 more variables.")
    assert "v0, v1, v2, v3, v4 and 4 more variables 3 ahead" in unscored_text((f"v{n}", [3]) for n in range(9))


def test_no_skill_over_the_benchmark_itself_is_told_where_it_does_best_one_step_ahead():
    text = trending_text([attrs.evolve(PRICES, simple="naive")])
    assert text == "naive is too easy a benchmark on 1 variable: compare with drift (--benchmark drift, or auto)."


def test_where_nothing_trends_nothing_is_told():
    assert trending_text([]) == ""


def test_a_trending_benchmark_is_told_with_what_to_do_and_the_skill_that_remains():
    assert trending_text([PRICES]) == (
        "naive is too easy a benchmark on 1 variable: compare with drift (--benchmark drift, or auto). "
        "The best against the best simple forecaster, 1 ahead: prices holt +12.7% over drift."
    )


def test_a_best_forecaster_that_is_the_simple_one_is_not_compared_with_itself():
    text = trending_text([attrs.evolve(PRICES, best="drift", skill=0.0)])
    assert text.endswith("1 ahead: prices drift, itself the best simple one.")


def test_a_benchmark_that_leans_to_one_side_but_is_the_best_simple_forecaster_is_no_reason_for_another():
    text = trending_text([attrs.evolve(PRICES, alternatives=(), simple="naive", skill=None)])
    assert text == (
        "naive is too easy a benchmark on 1 variable: its errors lean to one side, "
        "and no simple forecaster does better there."
    )


def test_of_many_variables_and_benchmarks_some_are_named_and_the_others_counted():
    many = [attrs.evolve(PRICES, variable=f"v{number}") for number in range(7)]
    text = trending_text([*many, attrs.evolve(PRICES, benchmark="mean")])
    assert text.startswith("The benchmark is too easy on 8 variables: compare with drift (--benchmark drift).")
    assert text.endswith("v4 holt +12.7% over drift, and 3 more variables.")


def test_trusts_that_came_true_are_not_told():
    assert reliability_text([GOOD]) == ""


def test_the_worst_bin_is_told_and_the_others_counted():
    told = "5 ahead, of 300 trusts from 60% to 70% (mean 65%) 20% came true"
    assert reliability_text([GOOD, BAD]).endswith(f"{told}.")
    assert reliability_text([attrs.evolve(BAD, true=0.3), BAD]).endswith(f"{told} (1 bin more is off).")
    assert reliability_text([attrs.evolve(BAD, true=0.3)] * 2 + [BAD]).endswith(f"{told} (2 bins more are off).")


def test_trust_of_few_origins_is_marked():
    assert [is_few(n) for n in (FEW - 0.1, float(FEW), None)] == [True, False, False]
