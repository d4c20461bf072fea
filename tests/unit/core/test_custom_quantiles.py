"""Forecasters that bring quantiles: quoted as they are under one name, after calibration under another."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import LEVELS, MEASURES, InvalidSpec, PerOriginForecaster, RunSpec, VariableSummary
from pulse_core.forecasters.registry import resolve
from pulse_core.levels import NORMAL_QUANTILES
from pulse_core.results import PerOriginRecord
from tests.fakes import FakeSink
from tests.unit.core.models import Fixed, custom
from tests.unit.core.runs import backtested, day, failures, quotes, run, series, spec_of, training
from tests.unit.method.plain_learning import Conditional, Horizon

pytestmark = pytest.mark.usefixtures("asked_once")

PLAIN, QUOTED = "tests:Own", "tests:Own+quantiles"
NORMAL = np.array(NORMAL_QUANTILES)
DAYS = 3000
NOISE = np.random.default_rng(7).normal(size=DAYS)
LONG = spec_of(days=DAYS, horizon=1, batch_size_days=300, forecasters=("naive", PLAIN))
SHORT = [float(n * n % 11) for n in range(28)]
SPEC = spec_of(days=28, forecasters=("naive", PLAIN))


@attrs.define
class Normal:
    """Says that the next values are normal, of mean 0 and of a deviation that may depend on how many are known."""

    deviation: Callable[[int], float] = lambda count: 1.0
    calls: int = 0

    def forecast(self, history: Any, horizon: int) -> list[float]:
        return [0.0] * horizon

    def quantiles(self, history: Any, horizon: int) -> Any:
        self.calls += 1
        return np.repeat(self.deviation(len(history)) * NORMAL[:, None], horizon, axis=1)


@attrs.define
class FromTheMean:
    """Fitted: the mean, and quantiles a deviation around it. It spoils the histories it is handed."""

    fits: int = 0

    def fit(self, history: Any) -> tuple[float, float]:
        self.fits += 1
        return float(np.mean(history)), float(np.std(history))

    def predict(self, fitted: tuple[float, float], history: Any, horizon: int) -> list[float]:
        history[:] = 1e9
        return [fitted[0]] * horizon

    def quantiles(self, fitted: tuple[float, float], history: Any, horizon: int) -> Any:
        assert history[0] < 1e9
        return fitted[0] + fitted[1] * np.repeat(NORMAL[:, None], horizon, axis=1)


class Quoting(Fixed):
    """Zero, with these quantiles whatever the history."""

    def forecast(self, history: Any, horizon: int) -> Any:
        return [0.0] * horizon

    def quantiles(self, history: Any, horizon: int) -> Any:
        return super().forecast(history, horizon)


def summary_of(values: Any, model: Any, spec: RunSpec = LONG) -> VariableSummary:
    (summary,) = run(series(values), spec, forecasters=(custom(model),)).variables
    return summary


def score(summary: VariableSummary, name: str, measure: str) -> float:
    return float(summary.scores[summary.forecasters.index(name), 0, MEASURES.index(measure)])


def trapezoid(losses: Any) -> float:
    """The integral over the level with zero ends."""
    return float(np.trapezoid(np.r_[0.0, losses, 0.0], np.r_[0.0, LEVELS, 1.0]))


def test_a_forecaster_with_quantiles_has_a_second_name_after_its_own():
    result = run(series(SHORT), attrs.evolve(SPEC, forecasters=(PLAIN, "naive")), forecasters=(custom(Normal()),))
    assert result.variables[0].forecasters == result.spec.forecasters == (PLAIN, QUOTED, "naive")
    assert result.run_id == result.spec.run_id


def test_to_name_both_is_to_name_the_forecaster():
    given_both = attrs.evolve(SPEC, forecasters=("naive", PLAIN, QUOTED))
    runs = [run(series(SHORT), spec, forecasters=(custom(Normal()),)) for spec in (SPEC, given_both)]
    assert runs[0].digest == runs[1].digest
    assert runs[0].run_id == runs[1].run_id


@pytest.mark.parametrize(("names", "model"), [(("naive", QUOTED), Normal()), (("naive", PLAIN, QUOTED), Fixed([0.0]))])
def test_the_second_name_alone_or_of_a_forecaster_without_quantiles_is_unknown(names, model):
    with pytest.raises(InvalidSpec, match=r"tests:Own\+quantiles"):
        resolve(names, [custom(model)])


def test_what_is_quoted_as_it_is_is_scored_on_the_very_quantiles():
    summary = summary_of(NOISE, Normal())
    levels, actual = np.array(LEVELS)[:, None], NOISE[2:]
    above = actual - NORMAL[:, None]
    pinball = (levels * above - np.minimum(above, 0.0)).mean(axis=1)
    assert score(summary, QUOTED, "crps") == pytest.approx(trapezoid(2 * pinball), rel=1e-9)
    assert [score(summary, QUOTED, f"pinball_{level}") for level in LEVELS] == pytest.approx(pinball.tolist(), rel=1e-9)
    inside = np.abs(actual) <= NORMAL[-1]
    assert score(summary, QUOTED, "coverage_95") == pytest.approx(inside.mean(), rel=1e-9)
    assert score(summary, QUOTED, "width_95") == pytest.approx(2 * NORMAL[-1], rel=1e-9)
    missed = np.maximum(np.abs(actual) - NORMAL[-1], 0.0).mean()
    assert score(summary, QUOTED, "interval_score") == pytest.approx(2 * NORMAL[-1] + missed * 2 / 0.05, rel=1e-9)


def test_exact_normal_quantiles_have_the_scores_that_theory_gives_them():
    summary = summary_of(NOISE, Normal())
    # twice the expected pinball loss of the true quantile z is twice the density at z
    expected = trapezoid([2 * math.exp(-z * z / 2) / math.sqrt(2 * math.pi) for z in NORMAL_QUANTILES])
    assert score(summary, QUOTED, "crps") == pytest.approx(expected, rel=0.03)
    for nominal in (50, 80, 90, 95):
        assert score(summary, QUOTED, f"coverage_{nominal}") == pytest.approx(nominal / 100, abs=0.02)


def test_exact_quantiles_lose_little_by_calibration():
    summary = summary_of(NOISE, Normal())
    assert score(summary, PLAIN, "crps") == pytest.approx(score(summary, QUOTED, "crps"), rel=0.03)


@pytest.mark.parametrize("factor", [0.0, 0.3, 3.0])
def test_quantiles_that_do_not_cover_do_after_calibration(factor):
    summary = summary_of(NOISE, Normal(lambda count: factor))
    for nominal in (50, 80, 90, 95):
        assert abs(score(summary, QUOTED, f"coverage_{nominal}") - nominal / 100) > 0.03
        assert score(summary, PLAIN, f"coverage_{nominal}") == pytest.approx(nominal / 100, abs=0.02)


def test_calibration_keeps_what_the_forecaster_knows_of_the_spread():
    def deviation(count: int) -> float:
        return 5.0 if count % 2 else 1.0

    values = NOISE * [deviation(count) for count in range(DAYS)]
    with_quantiles, without = summary_of(values, Normal(deviation)), summary_of(values, Fixed([0.0]))
    assert score(with_quantiles, PLAIN, "crps") < 0.95 * score(without, PLAIN, "crps")


def test_calibration_is_that_of_the_plain_loop():
    spec = attrs.evolve(LONG, end=day(399).astype("datetime64[D]").item())
    rows = quotes(series(NOISE[:400]), spec, custom(Normal(lambda count: 0.2 + count % 3)))
    calibrator = Horizon(1, (scipy.stats.t.ppf(LEVELS, 6) / math.sqrt(1.5)).tolist())
    for count in range(2, 400):
        if count > 2:
            calibrator.learn(NOISE[count - 1])
            calibrator.growth = (calibrator.known * calibrator.ratio + 20) / (calibrator.known + 20)
        calibrator.v = (0.2 + count % 3) ** 2
        # one step is known at the first origin; each that follows is an error that is known
        expected, _ = calibrator.say(count - 1, Conditional([1.0]))
        row = rows["x", PLAIN, 1, day(count - 1).item()]
        quantiles = [float(np.frombuffer(row[f"q{level}"])[0]) for level in LEVELS]
        assert quantiles == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_the_empirical_calibration_is_of_errors_by_the_own_spread():
    spec = attrs.evolve(LONG, end=day(399).astype("datetime64[D]").item(), calibration="empirical")
    rows = quotes(series(NOISE[:400]), spec, custom(Normal(lambda count: 0.2 + count % 3)))
    relative = NOISE[2:399] / [0.2 + count % 3 for count in range(2, 399)]
    row = rows["x", PLAIN, 1, day(398).item()]
    quantiles = [float(np.frombuffer(row[f"q{level}"])[0]) for level in LEVELS]
    assert quantiles == pytest.approx((0.2 * np.quantile(relative, LEVELS)).tolist(), rel=1e-9)


def test_both_names_have_the_same_points_and_only_one_is_combined():
    spec = attrs.evolve(SPEC, forecasters=("naive", PLAIN, "mean-of-all", "median-of-all", "ensemble"))
    with_quantiles, without = summary_of(SHORT, Normal(), spec), summary_of(SHORT, Fixed([0.0, 0.0]), spec)
    assert score(with_quantiles, QUOTED, "mae") == score(with_quantiles, PLAIN, "mae")
    assert with_quantiles.scores[3:].tobytes() == without.scores[2:].tobytes()
    assert np.isnan(with_quantiles.weights[2]).all()
    assert with_quantiles.regret.tobytes() == without.regret.tobytes()


@settings(max_examples=25)
@given(st.lists(st.integers(-50, 50), min_size=8, max_size=20), st.data())
def test_nothing_that_is_quoted_depends_on_what_became_known_later(rows, data):
    cut = data.draw(st.integers(3, len(rows) - 1))
    other = [*rows[:cut], *data.draw(st.lists(st.integers(-50, 50), max_size=8))]
    table, other_table = (quotes(series(map(float, numbers)), SPEC, custom(FromTheMean())) for numbers in (rows, other))
    then = [key for key in table if key[3] <= day(cut - 1).item()]
    assert {name for _, name, _, _ in then} == {"naive", PLAIN, QUOTED}
    for key in then:
        columns = {name for name in table[key] if name.startswith("q")} | {"point", "weight", "trust"}
        assert {name: table[key][name] for name in columns} == {name: other_table[key][name] for name in columns}


def test_what_stands_beside_a_variable_changes_no_bit():
    data = series(SHORT, "a"), series([value * 1e6 for value in SHORT[:20]], "b")
    spec = attrs.evolve(SPEC, variables=("a", "b"))
    alone, beside = (
        training(*data, forecasters=(custom(FromTheMean()),), unit_size=size).execute(spec).digest for size in (1, 2)
    )
    assert alone == beside


def test_a_power_of_two_changes_no_relative_score():
    small, large = (summary_of([value * 2.0**k for value in SHORT], FromTheMean(), SPEC) for k in (-200, 200))
    for measure in ("coverage_50", "coverage_95", "msis", "skill_crps"):
        index = MEASURES.index(measure)
        assert small.scores[..., index].tobytes() == large.scores[..., index].tobytes()


GOOD = np.repeat(NORMAL[:, None], 2, axis=1)


@pytest.mark.parametrize(
    ("quantiles", "message"),
    [
        (GOOD[::-1], "quantiles that cross"),
        (GOOD.T, r"shape (2, 9), expected (9, 2) of a quantile"),
        (np.where(GOOD > 1.9, np.inf, GOOD), "an infinite quantile"),
        (np.where(GOOD > 1.9, np.nan, GOOD), "some quantiles of a step and not the others"),
        ("many", "no array of numbers"),
        (RuntimeError("no"), "RuntimeError: no"),
    ],
)
def test_quantiles_that_cannot_be_are_refused(quantiles, message):
    assert message in failures(series(SHORT), spec=SPEC, forecasters=(custom(Quoting(quantiles)),))["x"]


def test_without_quantiles_at_a_step_the_own_have_no_score_and_the_plain_are_those_of_all():
    nothing = np.full((9, 2), np.nan)
    silent, without = summary_of(SHORT, Quoting(nothing), SPEC), summary_of(SHORT, Fixed([0.0, 0.0]), SPEC)
    assert silent.scores[1].tobytes() == without.scores[1].tobytes()
    assert np.isnan([score(silent, QUOTED, "crps"), score(silent, QUOTED, "coverage_50")]).all()
    assert score(silent, QUOTED, "mae") == score(without, PLAIN, "mae")


def test_a_fitted_forecaster_is_fitted_once_for_both():
    model = FromTheMean()
    run(series(SHORT), SPEC, forecasters=(custom(model),))
    assert model.fits == 27


def test_a_forecaster_without_a_fit_brings_nothing_between_the_origins_it_is_called_at():
    forecaster = PerOriginForecaster(PLAIN, "1", Normal(), refit_every=7)
    record = backtested(series(SHORT), attrs.evolve(SPEC, horizon=1), forecaster)
    assert record is not None
    assert record.sums.values[:, 2, 0, 0].tolist() == [1, 1, 1, 1]


def test_quantiles_are_recorded_by_batch_and_not_asked_for_again():
    sink, model = FakeSink(), Normal()
    first = run(series(SHORT), SPEC, sink=sink, forecasters=(custom(model),))
    shapes = [record.quantiles.shape for record in sink.records.values() if isinstance(record, PerOriginRecord)]
    assert shapes == [(9, 6, 2), (9, 7, 2), (9, 7, 2), (9, 7, 2)]
    sink = FakeSink(
        records={key: record for key, record in sink.records.items() if isinstance(record, PerOriginRecord)}
    )
    calls = model.calls
    assert run(series(SHORT), SPEC, sink=sink, forecasters=(custom(model),)).digest == first.digest
    assert model.calls == calls


def test_quantiles_that_a_forecaster_begins_to_bring_are_asked_for():
    sink, model = FakeSink(), Normal()
    run(series(SHORT), SPEC, sink=sink, forecasters=(custom(Fixed([0.0, 0.0])),))
    run(series(SHORT), SPEC, sink=sink, forecasters=(custom(model),))
    assert model.calls == 27
