"""The core against a plain refit from scratch at every origin."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pulse_core import Observations, RunSpec, VariableSummary
from pulse_core.results import TRUST
from pulse_core.scores.measures import MEASURES, all_measures
from tests.backtests import KeptBacktest, by_batch, kept_backtests
from tests.plain_pairs import Judged
from tests.plain_trust import TIE
from tests.reference import NEAR, Case, Report, report
from tests.strategies import replayed, resolved, round_values, specs_for
from tests.unit.core.real import real_series, released_late
from tests.unit.core.reference_scores import doubtful, scores, standing, trust, verdict
from tests.unit.core.runs import REFERENCE, ended

IN_UNITS = ("me", "mae", "rmse")
BY_COMPARISON = ("hit_rate", "smape")
TARGETS = ("level", "change", "log-change")
Cases = dict[str, dict[int, list[Case]]]


def close(value: float, expected: float | None, noise: float) -> bool:
    if expected is None:
        return math.isnan(value)
    return math.isclose(value, expected, rel_tol=1e-9, abs_tol=noise)


def assert_scores(values: NDArray[np.float64], expected: Report, cases: Cases, context: str) -> None:
    """Compare an array (forecaster, horizon, measure) with the reference's cases of the same origins."""
    for row, (name, horizons) in enumerate(cases.items()):
        for ahead, here in horizons.items():
            correct = scores(here)
            shaky = doubtful(name, here, expected)
            for measure, right in correct.items():
                value = float(values[row, ahead - 1, MEASURES.index(measure)])
                noise = 1e-12 * expected.size if measure in IN_UNITS else 1e-9 * (1 + abs(right or 0))
                comparable = not (shaky and measure in BY_COMPARISON)
                assert not comparable or close(value, right, noise), (context, name, ahead, measure, value, right)


def assert_matches_reference(observations: Observations, spec: RunSpec) -> Report | None:
    expected = report(observations, spec)
    with kept_backtests() as backtests:
        result = ended(observations, spec)
    if result.failures:
        assert expected is None
        return expected
    assert expected is not None
    if expected.clear:
        assert_summary(result.variables[0], expected, spec)
        (record,) = backtests.values()
        assert_batches(record, expected, spec)
    return expected


def assert_summary(summary: VariableSummary, expected: Report, spec: RunSpec) -> None:
    assert by_batch(summary.batches, summary.origins, len(expected.origins)).tolist() == expected.origins
    assert summary.benchmark == spec.benchmark
    assert_scores(summary.scores, expected, expected.cases, "total")
    spec = attrs.evolve(spec, trust_span=summary.span)
    for row, (name, horizons) in enumerate(expected.cases.items()):
        for ahead, here in horizons.items():
            values = summary.trust[row, ahead - 1].tolist()
            stands = standing(here, expected.earlier[ahead], spec)
            if name == spec.benchmark or np.isnan(stands.differences).all():
                assert np.isnan(values).all()
            elif not doubtful(name, here, expected) and not too_small(stands, expected):
                correct = trust(here, stands)
                for value, right, message in zip(values, correct, TRUST, strict=True):
                    right_or_none = None if math.isnan(right) else right
                    assert close(value, right_or_none, 1e-9), (name, ahead, message, value, right)
                code = verdict(correct, scores(here)["skill_mae"])
                assert summary.verdicts[row, ahead - 1] == code, (name, ahead)


def too_small(stands: Judged, expected: Report) -> bool:
    """Whether the benchmark's errors are as small as rounding."""
    return any(0 < scale <= NEAR * expected.size for scale in stands.scales)


def assert_batches(result: KeptBacktest, expected: Report, spec: RunSpec) -> None:
    for row, batch in enumerate(result.batches.tolist()):
        cases = {
            name: {ahead: [case for case in here if case.batch == batch] for ahead, here in horizons.items()}
            for name, horizons in expected.cases.items()
        }
        alone = all_measures(result.sums.values[row], result.exponent)
        assert_scores(alone, expected, cases, f"batch {batch}")
        assert_counts(result, expected, spec, row)


def assert_counts(result: KeptBacktest, expected: Report, spec: RunSpec, position: int) -> None:
    """Wins and losses stand in the batch in which they became known; `position` is among those with an origin."""
    batch = int(result.batches[position])
    for row, (name, horizons) in enumerate(expected.cases.items()):
        for ahead, here in horizons.items():
            stands = standing(here, expected.earlier[ahead], spec)
            if doubtful(name, here, expected) or too_small(stands, expected):
                continue
            known = [
                difference
                for case, difference in zip(here, stands.differences, strict=True)
                if case.release_batch == batch
            ]
            counts = result.won[position, row, ahead - 1], result.lost[position, row, ahead - 1]
            assert counts == (sum(d >= TIE for d in known), sum(d <= -TIE for d in known)), (name, ahead, batch)


@st.composite
def specs_of_reference(
    draw: st.DrawFn, observations: Observations, targets: tuple[str, ...] = ("level", "change")
) -> RunSpec:
    """A spec for this series with the forecasters that have a reference here; the others have theirs elsewhere."""
    return attrs.evolve(
        draw(specs_for(observations, targets)),
        forecasters=draw(st.permutations(REFERENCE)),
        benchmark=draw(st.just("naive") | st.sampled_from(REFERENCE)),
        season=draw(st.sampled_from([None, 1, 3])),
    )


@given(st.data())
def test_scores_and_trust_equal_a_refit_at_every_origin(data):
    observations = data.draw(replayed())
    assert_matches_reference(observations, data.draw(specs_of_reference(observations)))


@given(st.data())
def test_logarithmic_changes_equal_a_refit_at_every_origin(data):
    observations = data.draw(replayed(round_values(1)))
    # logarithms round: no value may come back, or a mean change that should be zero is a rounding error
    ages = 1 + np.pi / 1000 * np.arange(len(observations))
    observations = attrs.evolve(observations, values=observations.values * ages)
    assert_matches_reference(observations, data.draw(specs_of_reference(observations, ("log-change",))))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("actuals", ["first", "latest"])
@pytest.mark.parametrize("variable", ["spx_close", "wti_price"])
def test_a_real_series_released_late_and_revised_equals_a_refit_at_every_origin(variable, actuals, target):
    observations = released_late(real_series(variable, 2000, 200))
    spec = real_spec(
        observations, actuals=actuals, target=target, batch_size_days=20, trust_half_life=20.0, trust_span=30
    )
    expected = assert_matches_reference(observations, spec)
    assert expected is not None
    assert nothing_was_left_out(expected)


def test_a_monthly_series_equals_a_refit_at_every_origin():
    observations = resolved(real_series("core_cpi", 500, 200))
    expected = assert_matches_reference(observations, real_spec(observations, batch_size_days=91))
    assert expected is not None
    assert nothing_was_left_out(expected)


def real_spec(observations: Observations, **fields: Any) -> RunSpec:
    assert observations.known_at is not None
    first, last = (moment.astype("datetime64[D]").item() for moment in observations.known_at[[0, -1]])
    period = {"start": first + (last - first) // 3, "end": last - timedelta(days=9), "horizon": 4, "min_history": 10}
    return RunSpec(variables=(observations.variable,), forecasters=REFERENCE, **period | fields)


def nothing_was_left_out(expected: Report) -> bool:
    every = [(name, here) for name, horizons in expected.cases.items() for here in horizons.values()]
    left_out = {name for name, here in every if doubtful(name, here, expected)}
    # an alpha of 1 repeats y_n, and ties with naive
    return expected.clear and sum(expected.origins) > 50 and left_out <= {"ses"}
