"""Whatever is quoted at an origin depends on rows known by then alone: to the bit, whatever comes later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Observations, RunSpec, TooLittleData
from pulse_core.backtest.calibration import CALIBRATORS, ConformalTracker
from pulse_core.backtest.evaluation import evaluate
from pulse_core.backtest.learning import NONE, Lessons, lessons
from pulse_core.data.point_in_time import PointInTime, point_in_time
from pulse_core.forecasters.registry import resolve
from tests.strategies import replayed, rewritten_after, values
from tests.unit.method.plain_learning import evidence, log10_of
from tests.unit.method.running import Replay, Teach, replay, series, spec_of

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
    one = draw(replayed(numbers))
    assert one.known_at is not None
    first, last = (moment.astype("datetime64[D]").item() for moment in one.known_at[[0, -1]])
    spec = RunSpec(
        variables=(one.variable,),
        start=first + timedelta(days=draw(st.integers(0, 6))),
        end=last + timedelta(days=120),
        batch_size_days=draw(st.integers(1, 9)),
        horizon=draw(st.integers(1, 3)),
        min_history=draw(st.integers(1, 4)),
        season=draw(st.sampled_from([None, SEASON])),
        actuals=draw(st.sampled_from(["first", "latest"])),
        target=target,
        calibration=calibration,
    )
    moment = one.known_at[draw(st.integers(len(one) // 2, len(one) - 1))]
    later = numbers if target == "log-change" else None
    other = one.known_by(moment) if draw(st.booleans()) else draw(rewritten_after(one, moment, later))
    return one, other, spec, moment


def quoted(done: Replay, until: np.datetime64) -> Quoted:
    """The bits of all that was quoted at each origin of the period up to a moment."""
    point, counted = done.points[0], done.origins.batch >= 0
    bits: Quoted = {}
    for origin in np.flatnonzero(counted & (point.origin_known_at <= until)):
        at = point.origin_known_at[origin]
        for place, name in enumerate(done.spec.forecasters):
            bits[at, name] = np.ldexp(done.made.forecasts[place, origin], point.exponent).tobytes()
            bits[at, f"quantiles of {name}"] = done.offsets[:, origin, :, place].tobytes()
            bits[at, f"spread of {name}"] = np.ldexp(done.sizes[origin, :, place], scaled(done)).tobytes()
        if done.made.ensemble is not None:
            bits[at, "weights"] = done.made.ensemble.weights[:, origin].tobytes()
    return bits


def scaled(done: Replay) -> int:
    return done.points[0].exponent if done.spec.calibration == "conformal" else 0


def assert_law(law: Law, teach: Teach = lessons) -> None:
    one, other, spec, moment = law
    before, after = (quoted_of(rows, spec, moment, teach) for rows in (one, other))
    assert before == after


def quoted_of(rows: Observations, spec: RunSpec, moment: np.datetime64, teach: Teach) -> Quoted:
    try:
        return quoted(replay([rows], spec, teach), moment)
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
    one = series(50 + np.cumsum(generator.normal(size=380)))
    other = attrs.evolve(one, values=np.append(one.values[:330], one.values[330:] * -3))
    spec = spec_of(days=400, first=310, horizon=3, season=SEASON, calibration=calibration)
    return one, other, spec, one.timestamps[329]


@pytest.mark.parametrize("calibration", CALIBRATORS)
def test_learners_that_started_before_the_period_do_not_look_ahead(calibration):
    assert_law(long_law(calibration))


def test_learners_start_two_hundred_and_fifty_origins_before_the_period():
    done = replay([long_law()[0]], long_law()[2])
    assert int((done.origins.batch < 0).sum()) == 250


def one_early(points: Sequence[PointInTime], horizon: int) -> Lessons:
    """Lessons that teach each error one step before it is known."""
    honest = lessons(points, horizon)
    return attrs.evolve(honest, learn=np.concatenate([honest.learn[1:], np.full_like(honest.learn[:1], NONE)]))


def of_the_end(points: Sequence[PointInTime], horizon: int) -> Lessons:
    """Lessons that teach the last error of all at the tenth origin."""
    honest = lessons(points, horizon)
    learn = honest.learn.copy()
    learn[10] = honest.learn.max(axis=0)
    return attrs.evolve(honest, learn=learn)


@pytest.mark.parametrize("calibration", CALIBRATORS)
@pytest.mark.parametrize("peeking", [one_early, of_the_end])
def test_the_law_catches_a_calibrator_that_learns_too_early(calibration, peeking):
    one, other, spec, moment = long_law(calibration)
    with pytest.raises(AssertionError, match=r"spread|quantiles"):
        assert_law((one, other, attrs.evolve(spec, forecasters=("naive", "mean")), moment), peeking)


def test_the_law_catches_an_ensemble_that_learns_too_early():
    one, other, spec, moment = long_law()
    spec = attrs.evolve(spec, forecasters=("naive", "mean", "drift", "ensemble"))
    before, after = (quoted(replay([rows], spec, one_early), moment) for rows in (one, other))
    assert any(before[place] != after[place] for place in before if place[1] == "weights")


class Knowing(ConformalTracker):
    """Peeks: what it quotes depends on an answer from the future."""

    def quote(self, scale, forecast):
        offsets, sizes = super().quote(scale, forecast)
        return offsets, sizes * Knowing.answer

    answer = 1.0


def test_the_law_catches_a_calibrator_that_knows_something_of_the_future(monkeypatch):
    one, other, spec, moment = long_law()
    monkeypatch.setitem(CALIBRATORS, "conformal", Knowing)
    before = quoted(replay([one], spec), moment)
    monkeypatch.setattr(Knowing, "answer", float(other.values[-1]))
    assert quoted(replay([other], spec), moment) != before


@settings(max_examples=40)
@given(laws())
def test_trust_and_evidence_at_a_moment_follow_from_the_outcomes_known_by_then(law):
    one, _, spec, moment = law
    spec = attrs.evolve(spec, actuals="first")
    try:
        whole = replay([one], spec)
        point = point_in_time(one.known_by(moment), spec)
    except TooLittleData:
        return
    cut = evaluate([point], spec, resolve(spec.forecasters))[0]
    wins, losses, proof = judged(whole, moment)
    np.testing.assert_allclose(cut.wins.sum(axis=0), wins, atol=1e-12)
    np.testing.assert_allclose(cut.losses.sum(axis=0), losses, atol=1e-12)
    np.testing.assert_allclose(cut.log10_e, proof, rtol=1e-9, atol=1e-12)


def judged(whole: Replay, moment: np.datetime64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weighted wins and losses, and evidence by interleaving, of the outcomes known by a moment."""
    point, spec = whole.points[0], whole.spec
    benchmark = spec.forecasters.index(spec.benchmark)
    shape = (len(spec.forecasters), spec.horizon)
    wins, losses, proof = np.zeros(shape), np.zeros(shape), np.full(shape, np.nan)
    mine = [origin for origin in np.flatnonzero(whole.origins.batch >= 0) if point.origin_known_at[origin] <= moment]
    for place in range(shape[0]):
        for ahead in range(1, spec.horizon + 1):
            counts = [[0, 0] for _ in range(ahead)]
            for order, origin in enumerate(mine):
                step = point.origin_step[origin] + ahead
                if step >= len(point.step_known_at) or point.step_known_at[step] > moment:
                    continue
                actual = point.step_first[step]
                rival, own = (abs(actual - whole.made.forecasts[one, origin, ahead - 1]) for one in (benchmark, place))
                if not np.isfinite(own + rival):
                    continue
                win = 0.5 if own == rival else float(own < rival)
                wins[place, ahead - 1] += win / ahead
                losses[place, ahead - 1] += (1 - win) / ahead
                if own != rival:
                    counts[order % ahead][int(own > rival)] += 1
            if place != benchmark:
                average = sum((evidence(*pair) for pair in counts), Fraction(0)) / ahead
                proof[place, ahead - 1] = log10_of(average)
    return wins, losses, proof
