"""Whatever is quoted at an origin depends on rows known by then alone: to the bit, whatever comes later."""

from __future__ import annotations

from datetime import timedelta

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Observations, RunSpec, TooLittleData
from pulse_core.backtest.learning import LearningPass
from pulse_core.backtest.origins import Origins, origins_of
from pulse_core.data.point_in_time import PointInTime
from pulse_core.forecasters.registry import resolve
from pulse_core.results import VariableBacktest
from pulse_core.scores.trust import STATE
from pulse_core.spec import CALIBRATIONS, TRUST_LOSSES
from tests.plain_pairs import judged
from tests.plain_trust import TIE, Settings
from tests.strategies import replayed, rewritten_after, values
from tests.unit.kernel.passes import calibrator_state
from tests.unit.method.running import Replay, Teach, backtest_of, replay, series, spec_of

SEASON = 3
MICROSECOND = np.timedelta64(1, "us")
POSITIVE = st.floats(1e-3, 1e6) | st.integers(1, 4).map(float)

Law = tuple[Observations, Observations, RunSpec, np.datetime64]
Quoted = dict[tuple[np.datetime64, str], bytes]


@st.composite
def laws(draw: st.DrawFn, calibration: str = "conformal") -> Law:
    """Rows, the same rows cut at a moment or with another future, a spec, and the moment."""
    target = draw(st.sampled_from(["level", "change", "log-change"]))
    numbers = POSITIVE if target == "log-change" else values()
    original = draw(replayed(numbers))
    assert original.known_at is not None
    first, last = (moment.astype("datetime64[D]").item() for moment in original.known_at[[0, -1]])
    spec = RunSpec(
        variables=(original.variable,),
        start=first + timedelta(days=draw(st.integers(0, 6))),
        end=last + timedelta(days=120),
        batch_size_days=draw(st.integers(1, 9)),
        horizon=draw(st.integers(1, 3)),
        min_history=draw(st.integers(1, 4)),
        season=draw(st.sampled_from([None, SEASON])),
        actuals=draw(st.sampled_from(["first", "latest"])),
        target=target,
        calibration=calibration,
        benchmark=draw(st.sampled_from(["naive", "auto", "ses"])),
        trust_loss=draw(st.sampled_from(TRUST_LOSSES)),
        trust_half_life=draw(st.sampled_from([2.0, 500.0])),
        trust_span=draw(st.sampled_from([None, 3])),
    )
    moment = original.known_at[draw(st.integers(len(original) // 2, len(original) - 1))]
    later = numbers if target == "log-change" else None
    rewritten = original.known_by(moment) if draw(st.booleans()) else draw(rewritten_after(original, moment, later))
    return original, rewritten, spec, moment


def quoted(output: Replay, until: np.datetime64) -> Quoted:
    """The bits of all that was quoted at each origin of the period up to a moment."""
    point, counted = output.point, output.origins.batch >= 0
    offsets, sizes = calibration(output)
    in_favour, against = output.evidence
    bits: Quoted = {}
    for origin in np.flatnonzero(counted & (point.origin_known_at <= until)):
        at = point.origin_known_at[origin]
        for row, name in enumerate(output.spec.forecasters):
            bits[at, name] = np.ldexp(output.hindcasts.forecasts[origin, row], point.exponent).tobytes()
            bits[at, f"quantiles of {name}"] = np.ldexp(output.quantiles[origin, :, row], point.exponent).tobytes()
            bits[at, f"offsets of {name}"] = offsets[origin, :, row].tobytes()
            bits[at, f"spread of {name}"] = np.ldexp(sizes[origin, row], scaled(output)).tobytes()
            bits[at, f"trust in {name}"] = output.trust[origin, row].tobytes()
            bits[at, f"what trust in {name} is made of"] = output.states[origin, ..., row].tobytes()
            bits[at, f"evidence for {name}"] = in_favour[origin, row].tobytes()
            bits[at, f"evidence against {name}"] = against[origin, row].tobytes()
        bits[at, "weights"] = output.weights[origin].tobytes()
        bits[at, "benchmark and span"] = f"{output.benchmark} {output.span}".encode()
    return bits


def scaled(output: Replay) -> int:
    return output.point.exponent if output.spec.calibration == "conformal" else 0


def calibration(output: Replay) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (origin, level, forecaster, horizon) and sizes (origin, forecaster, horizon) as they stood."""
    seasons = output.point.seasonality.periods
    forecasters = resolve(output.spec.forecasters, simple=output.spec.simple).of_variable(seasons)
    no_marks = np.zeros(0, dtype=np.int64)
    learning = LearningPass(output.hindcasts, output.origins, forecasters, output.spec, output.benchmark, no_marks)
    states = []
    for origin in range(len(output.origins)):
        list(learning.states(origin, origin + 1))  # which asks for quantiles before the period too
        states.append(calibrator_state(learning))
    offsets, sizes = (np.stack(arrays) for arrays in zip(*states, strict=True))
    return offsets, sizes


def assert_law(law: Law, teach: Teach = origins_of) -> None:
    original, rewritten, spec, moment = law
    before, after = (quoted_of(rows, spec, moment, teach) for rows in (original, rewritten))
    assert before == after


def quoted_of(rows: Observations, spec: RunSpec, moment: np.datetime64, teach: Teach) -> Quoted:
    try:
        return quoted(replay(rows, spec, teach), moment)
    except TooLittleData:
        return {}


@settings(max_examples=80)
@given(laws())
def test_nothing_quoted_moves_with_rows_known_later(law):
    assert_law(law)


@settings(max_examples=40)
@given(laws("empirical"))
def test_no_empirical_quantile_moves_with_rows_known_later(law):
    assert_law(law)


def long_law(calibration: str = "conformal") -> Law:
    """A walk with enough before the period for learners to start at their limit, and another future from day 330."""
    generator = np.random.default_rng(21)
    original = series(50 + np.cumsum(generator.normal(size=380)))
    rewritten = attrs.evolve(original, values=np.append(original.values[:330], original.values[330:] * -3))
    spec = spec_of(days=400, first=310, horizon=3, season=SEASON, calibration=calibration)
    return original, rewritten, spec, original.timestamps[329]


@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_learners_that_started_before_the_period_do_not_look_ahead(calibration):
    assert_law(long_law(calibration))


def test_learners_start_two_hundred_and_fifty_origins_before_the_period():
    output = replay(long_law()[0], long_law()[2])
    assert int((output.origins.batch < 0).sum()) == 250


def one_early(point: PointInTime, spec: RunSpec) -> Origins:
    """Origins that are taught each error, of origins before them, one origin before it is known."""
    honest = origins_of(point, spec)
    return taught(honest, np.append(honest.known[1:], honest.known[-1:], axis=0))


def of_the_end(point: PointInTime, spec: RunSpec) -> Origins:
    """Origins that from the tenth on are taught all errors of the origins before them."""
    honest = origins_of(point, spec)
    later = np.repeat(honest.known[-1:], len(honest) - 10, axis=0)
    return taught(honest, np.append(honest.known[:10], later, axis=0))


def taught(origins: Origins, known: np.ndarray) -> Origins:
    """The origins with so many errors known, if these are of origins before them."""
    return attrs.evolve(origins, known=np.minimum(known, np.arange(len(origins))[:, None]))


@pytest.mark.parametrize("calibration", CALIBRATIONS)
@pytest.mark.parametrize("peeking", [one_early, of_the_end])
def test_the_law_catches_a_calibrator_that_learns_too_early(calibration, peeking):
    original, rewritten, spec, moment = long_law(calibration)
    spec = attrs.evolve(spec, forecasters=("naive", "mean"))
    before, after = (quoted_of(rows, spec, moment, peeking) for rows in (original, rewritten))
    moved = {key[1].split(" ")[0] for key in before if before[key] != after[key]}
    assert moved & {"spread", "quantiles", "offsets"}


def test_the_law_catches_an_ensemble_that_learns_too_early():
    original, rewritten, spec, moment = long_law()
    spec = attrs.evolve(spec, forecasters=("naive", "mean", "drift", "ensemble"))
    before, after = (quoted(replay(rows, spec, one_early), moment) for rows in (original, rewritten))
    assert any(before[key] != after[key] for key in before if key[1] == "weights")


def test_the_law_catches_trust_that_learns_too_early():
    original, _, spec, moment = long_law()
    spec = attrs.evolve(spec, forecasters=("naive", "mean"))
    # the higher forecast wins in one future, the lower one in the other
    future = np.arange(len(original)) >= 330
    before, after = (
        quoted(replay(attrs.evolve(original, values=original.values + move * future), spec, five_early), moment)
        for move in (100.0, -100.0)
    )
    for kind in ("trust in mean", "evidence for mean", "evidence against mean"):
        assert any(before[key] != after[key] for key in before if key[1] == kind), kind


def five_early(point: PointInTime, spec: RunSpec) -> Origins:
    """Origins that are taught errors, of origins before them, five origins before these are known."""
    honest = origins_of(point, spec)
    return taught(honest, np.append(honest.known[5:], np.repeat(honest.known[-1:], 5, axis=0), axis=0))


def knowing(point: PointInTime, spec: RunSpec) -> Origins:
    """Origins whose steps, from which quantiles start, depend on the last actual of all."""
    honest = origins_of(point, spec)
    return attrs.evolve(honest, step_square=honest.step_square * (2 + np.tanh(point.step_first[-1])), volatility=None)


def guessing(point: PointInTime, spec: RunSpec) -> Origins:
    """Origins whose conditional scale depends on the last actual of all."""
    honest = origins_of(point, spec)
    assert honest.volatility is not None
    scale = honest.volatility.scale * (2 + np.tanh(point.step_first[-1]))
    return attrs.evolve(honest, volatility=attrs.evolve(honest.volatility, scale=scale))


@pytest.mark.parametrize("knowing", [knowing, guessing])
def test_the_law_catches_a_calibrator_that_knows_something_of_the_future(knowing):
    original, rewritten, spec, moment = long_law()
    before, after = (quoted(replay(rows, spec, knowing), moment) for rows in (original, rewritten))
    assert any(before[key] != after[key] for key in before if key[1] == "spread of naive")


@settings(max_examples=40)
@given(laws())
def test_trust_and_evidence_at_a_moment_follow_from_the_outcomes_known_by_then(law):
    original, _, spec, moment = law
    spec = attrs.evolve(spec, actuals="first")
    try:
        output = replay(original, spec)
        spec = output.spec
        record = backtest_of(original.known_by(moment), spec).record
    except TooLittleData:
        return
    assert (record.benchmark, record.span) == (output.benchmark, output.span)
    newest = int(np.searchsorted(output.point.origin_known_at, moment, side="right")) - 1
    for row, name in enumerate(spec.forecasters):
        for ahead in range(1, spec.horizon + 1):
            cell = row, ahead - 1
            if name == output.benchmark:
                assert np.isnan(record.trust[-1][cell])
                assert np.isnan(record.evidence[cell]).all()
                continue
            # the run that ends then has the bits of what the longer one quoted then
            assert record.trust[-1][cell].tobytes() == output.trust[newest][cell].tobytes()
            sides = [side[newest][cell] for side in output.evidence]
            assert record.evidence[cell][:2].tobytes() == np.array(sides).tobytes()
            assert record.statistics[cell][: len(STATE)].tobytes() == output.states[newest, :, ahead - 1, row].tobytes()
            compare_with_plain(output, record, cell, newest)


def compare_with_plain(output: Replay, record: VariableBacktest, cell: tuple[int, int], newest: int) -> None:
    """Hold what was quoted at an origin to plain code, unless rounding may decide a tie."""
    row, ahead = cell[0], cell[1] + 1
    settings = Settings(output.spec.trust_half_life, output.span)
    plain = judged(output.steps(row, ahead), ahead, settings, until=newest)
    if any(0 < abs(difference) < 1e-6 for difference in plain.differences):
        return
    np.testing.assert_allclose(output.trust[newest][cell], plain.probabilities[-1], rtol=1e-7)
    np.testing.assert_allclose([side[newest][cell] for side in output.evidence], plain.evidence[-1], atol=1e-9)
    counted = plain.differences[: len(plain.differences) - len(plain.pair.pending)]
    assert record.won[:, *cell].sum() == sum(difference >= TIE for difference in counted)
    assert record.lost[:, *cell].sum() == sum(difference <= -TIE for difference in counted)
