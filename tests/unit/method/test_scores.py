"""Every score against a plain loop over what was quoted, and its sums, batch by batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Observations, RunSpec, TooLittleData
from pulse_core.plan import batch_index
from pulse_core.scores.measures import MEASURES, all_measures, why_null
from pulse_core.scores.sums import SUMS, BatchSums
from tests.strategies import replayed, round_values, specs_for
from tests.unit.method.plain_learning import INTERVALS, TAUS, pinball, trapezoid, winkler
from tests.unit.method.running import Replay, backtest_of, replay, series, spec_of

Case = tuple[int, float, float, list[float], float, float, float]
"""Batch, actual, point, quantiles, newest value, and the mean absolute and squared seasonal step at the origin."""


def judged(output: Replay, row: int, ahead: int) -> dict[int, Case]:
    """The cases by origin of the only variable; scales from the history once more."""
    point, spec = output.point, output.spec
    values = point.step_latest if spec.actuals == "latest" else point.step_first
    batch = batch_index(spec, point.origin_known_at)
    cases: dict[int, Case] = {}
    for origin, step in enumerate(point.origin_step):
        forecast = float(output.hindcasts.forecasts[origin, row, ahead - 1])
        if batch[origin] < 0 or step + ahead >= len(values) or not math.isfinite(forecast):
            continue
        actual = float(values[step + ahead])
        if not math.isfinite(actual):
            continue
        history = point.paths[point.origin_path[origin]][: point.origin_length[origin]].tolist()
        season = point.seasonality.shortest
        moves = [abs(now - then) for then, now in zip(history, history[season:], strict=False)]
        absolute, square = (math.fsum(move**power for move in moves) / len(moves) if moves else 0.0 for power in (1, 2))
        quantiles = output.quantiles[origin, :, row, ahead - 1].tolist()
        cases[origin] = (int(batch[origin]), actual, forecast, quantiles, history[-1], absolute, square)
    return cases


def expected(own_cases: dict[int, Case], rival: dict[int, Case]) -> dict[str, float]:
    """Every score; NaN where there is none."""
    all_of, sure = list(own_cases.values()), [case for case in own_cases.values() if math.isfinite(case[3][0])]
    both = [origin for origin in own_cases if origin in rival]
    certain = [o for o in both if math.isfinite(own_cases[o][3][0]) and math.isfinite(rival[o][3][0])]
    calls = [(f - n) * (y - n) for _, y, f, _, n, _, _ in all_of if n not in (f, y)]
    mean_of = {
        "me": [y - f for _, y, f, *_ in all_of],
        "mae": [abs(y - f) for _, y, f, *_ in all_of],
        "mase": [over(abs(y - f), absolute) for _, y, f, _, _, absolute, _ in all_of],
        "smape": [200 * over(abs(y - f), abs(y) + abs(f)) if y != f else 0.0 for _, y, f, *_ in all_of],
        "hit_rate": [float(call > 0) for call in calls],
        "crps": [trapezoid(y, q) for _, y, _, q, *_ in sure],
        "mean_quantile_loss": [2 * pinball(y, q, t) for _, y, _, qs, *_ in sure for q, t in zip(qs, TAUS, strict=True)],
        "interval_score": [winkler(y, q[0], q[-1]) for _, y, _, q, *_ in sure],
        "msis": [over(winkler(y, q[0], q[-1]), absolute) for _, y, _, q, _, absolute, _ in sure],
    }
    for index, tau in enumerate(TAUS):
        mean_of[f"pinball_{tau}"] = [pinball(y, q[index], tau) for _, y, _, q, *_ in sure]
    for interval, (low, high) in INTERVALS.items():
        ends = TAUS.index(low), TAUS.index(high)
        mean_of[f"coverage_{interval}"] = [float(q[ends[0]] <= y <= q[ends[1]]) for _, y, _, q, *_ in sure]
        mean_of[f"width_{interval}"] = [q[ends[1]] - q[ends[0]] for _, _, _, q, *_ in sure]
    scores = {name: mean(terms) for name, terms in mean_of.items()}
    scores["n"] = float(len(all_of))
    scores["rmse"] = math.sqrt(mean([(y - f) ** 2 for _, y, f, *_ in all_of]))
    scores["rmsse"] = math.sqrt(mean([over((y - f) ** 2, square) for _, y, f, _, _, _, square in all_of]))
    scores["skill_mae"] = skill([(abs(gap(own_cases[o])), abs(gap(rival[o]))) for o in both])
    scores["skill_mse"] = skill([(gap(own_cases[o]) ** 2, gap(rival[o]) ** 2) for o in both])
    scores["skill_crps"] = skill(
        [(trapezoid(*quantiles_and_actual(own_cases[o])), trapezoid(*quantiles_and_actual(rival[o]))) for o in certain]
    )
    return scores


def gap(case: Case) -> float:
    return case[1] - case[2]


def quantiles_and_actual(case: Case) -> tuple[float, list[float]]:
    return case[1], case[3]


def mean(terms: Sequence[float]) -> float:
    return math.fsum(terms) / len(terms) if terms and not any(map(math.isnan, terms)) else math.nan


def over(part: float, total: float) -> float:
    return part / total if total else math.nan


def skill(pairs: Sequence[tuple[float, float]]) -> float:
    other = math.fsum(theirs for _, theirs in pairs)
    return 1 - math.fsum(loss for loss, _ in pairs) / other if other else math.nan


def assert_scores(observations: Observations, spec: RunSpec, noise: float = 1e-9) -> None:
    output = replay(observations, spec)
    names = output.spec.forecasters
    benchmark = names.index(spec.benchmark)
    total = BatchSums(np.arange(len(output.sums)), output.sums).total()
    scores = all_measures(total, 0)
    size = max(1.0, float(np.nanmax(np.abs(output.point.step_first))))
    for row, name in enumerate(names):
        for ahead in range(1, spec.horizon + 1):
            reference = expected(judged(output, row, ahead), judged(output, benchmark, ahead))
            for measure, value in reference.items():
                score = scores[row, ahead - 1, MEASURES.index(measure)]
                close = math.isclose(score, value, rel_tol=noise, abs_tol=noise * size)
                assert close or (math.isnan(score) and math.isnan(value)), (name, ahead, measure, score, value)


def walk(count: int, seed: int) -> np.ndarray:
    return np.asarray(50 + np.cumsum(np.random.default_rng(seed).standard_t(3, count)))


@pytest.mark.parametrize("calibration", ["conformal", "empirical"])
@pytest.mark.parametrize("season", [None, 4])
def test_scores_of_a_long_series_are_those_of_a_plain_loop(calibration, season):
    spec = spec_of(days=200, first=130, horizon=2, season=season, calibration=calibration)
    assert_scores(series(walk(200, 51)), spec)


@settings(max_examples=40)
@given(st.data())
def test_scores_of_any_vintages_are_those_of_a_plain_loop(data):
    observations = data.draw(replayed(round_values()))
    spec = attrs.evolve(
        data.draw(specs_for(observations)),
        # rounding neither makes nor breaks a tie in these
        forecasters=("seasonal-naive(2)", "naive", "seasonal-naive(5)"),
        benchmark=data.draw(st.sampled_from(["naive", "seasonal-naive(5)"])),
        season=data.draw(st.sampled_from([None, 3])),
        calibration=data.draw(st.sampled_from(["conformal", "empirical"])),
    )
    try:
        assert_scores(observations, spec)
    except TooLittleData:
        return


@given(st.permutations(range(6)), st.integers(0, 5))
def test_sums_of_batches_merge_to_the_same_bits_in_any_order(order, cut):
    values = np.random.default_rng(52).normal(size=(6, 2, 3, len(SUMS))) * 10.0 ** np.arange(6)[:, None, None, None]
    uncut = BatchSums(np.arange(6), values)
    shares = [BatchSums([batch], values[batch : batch + 1]) for batch in order]
    left, right = shares[:cut], shares[cut:]
    merged = BatchSums(np.zeros(0, dtype=int), np.zeros((0, 2, 3, len(SUMS))))
    for share in (*right, *left):
        merged = merged.merge(share)
    assert merged == uncut
    assert merged.total().tobytes() == uncut.total().tobytes()


def test_scores_of_each_batch_are_those_of_its_own_origins():
    spec = spec_of(days=300, first=200, horizon=2, batch_size_days=20, forecasters=("naive", "mean", "ses"))
    output = replay(series(walk(300, 53)), spec)
    for batch in range(5):
        scores = all_measures(output.sums[batch], 0)
        for row in range(3):
            own, rival = (
                {origin: case for origin, case in judged(output, side, 2).items() if case[0] == batch}
                for side in (row, 0)
            )
            for measure, value in expected(own, rival).items():
                score = scores[row, 1, MEASURES.index(measure)]
                assert math.isclose(score, value, rel_tol=1e-9, abs_tol=1e-12) or (
                    math.isnan(score) and math.isnan(value)
                ), measure


def test_what_is_in_the_units_of_the_data_is_reported_in_them():
    values = walk(200, 54)
    spec = spec_of(days=200, first=150, forecasters=("mean",), horizon=1)
    plain, scaled = (all_scores(series(numbers), spec) for numbers in (values, values * 1024))
    in_units = {"me", "mae", "rmse", "crps", "mean_quantile_loss", "interval_score"}
    for index, measure in enumerate(MEASURES[:-1]):
        factor = 1024 if measure in in_units or measure.startswith(("pinball", "width")) else 1
        assert (scaled[1, 0, index] == factor * plain[1, 0, index]) or math.isnan(plain[1, 0, index]), measure


def all_scores(observations: Observations, spec: RunSpec) -> Any:
    record = backtest_of(observations, spec).record
    return all_measures(record.total, record.exponent)


@pytest.mark.parametrize("measure", MEASURES)
def test_every_score_has_a_reason_for_being_null(measure):
    assert why_null(measure, scored=False) != why_null(measure, scored=True)
