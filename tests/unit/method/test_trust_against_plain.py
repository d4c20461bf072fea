"""The pass over whole variables against plain trust: late releases, gaps, revisions, at several horizons.

What is known when is read from the releases themselves; the losses are those of the forecasts as they were made.
"""

from __future__ import annotations

import math

import attrs
import numpy as np
import pytest

from pulse_core import Observations, RunSpec
from pulse_core.backtest.hindcasts import hindcast
from pulse_core.backtest.learning import LearningPass
from pulse_core.backtest.origins import Origins, origins_of
from pulse_core.backtest.variable import histories_of
from pulse_core.data.point_in_time import PointInTime, point_in_time
from pulse_core.forecasters.registry import resolve
from pulse_core.levels import LEVELS
from pulse_core.scores.evidence import log10_of
from pulse_core.scores.trust import STATE, trust_probability
from pulse_core.scores.win_rate import win_rates
from tests.plain_trust import BenchmarkScale, PlainPair, Settings
from tests.unit.method.running import FIRST_DAY, spec_of

FORECASTERS = ("naive", "drift", "ses", "ar", "ensemble")
COUNT = 170
KNOTS = (0.0, *LEVELS, 1.0)


def days_of(late: bool) -> int:
    """Days are released three at a time where they are late, and make one origin together."""
    return 3 * COUNT if late else COUNT


def releases(seed: int, *, late: bool, gaps: bool, revised: bool, still: bool) -> Observations:
    """A walk with a pull to its mean, released in batches of days, with days missing, and values revised later."""
    generator, count = np.random.default_rng(seed), days_of(late)
    values = np.zeros(count)
    for day in range(1, count):
        values[day] = 0.9 * values[day - 1] + generator.normal()
    if still:
        values[60:75] = values[60]
    days = np.arange(count)
    known = np.ceil((days + generator.integers(0, 6, count)) / 3) * 3 if late else days.astype(np.float64)
    rows = [(known[day], day, values[day]) for day in days if not gaps or generator.random() > 0.1]
    if revised:
        rows += [(moment + 5, day, value + generator.normal()) for moment, day, value in rows if day % 4 == 0]
    rows.sort()
    start = np.datetime64(FIRST_DAY, "us")
    moments, stamps = (
        start + np.array([row[index] for row in rows]).astype(np.int64) * np.timedelta64(1, "D") for index in (0, 1)
    )
    return Observations("x", stamps, [row[2] for row in rows], moments)


@attrs.frozen(eq=False)
class Passed:
    """A variable after its pass: losses (origin, forecaster, horizon), and what was told in the period."""

    spec: RunSpec
    point: PointInTime
    origins: Origins
    errors: np.ndarray
    losses: np.ndarray
    states: np.ndarray
    evidence: np.ndarray


def passed(observations: Observations, spec: RunSpec) -> Passed:
    point, forecasters = point_in_time(observations, spec), resolve(spec.forecasters)
    origins = origins_of(point, spec)
    hindcasts = hindcast(forecasters, histories_of(point), spec.horizon, {}, target=spec.target)
    learning = LearningPass(hindcasts, origins, forecasters, spec, spec.benchmark, np.array([], dtype=np.int64))
    parts = list(learning.states(0, len(origins)))
    shown = hindcasts.shown
    actual = np.array(
        [[actual_of(point, origin, step) for step in range(1, spec.horizon + 1)] for origin in range(len(origins))]
    )[:, None]
    errors = actual - hindcasts.forecasts[:, :shown]
    quantiles = np.concatenate([part.quantiles for part in parts])[:, :, :shown]
    return Passed(
        spec=spec,
        point=point,
        origins=origins,
        errors=errors,
        losses=np.abs(errors) if spec.trust_loss == "absolute" else crps(actual, quantiles),
        states=np.concatenate([part.states for part in parts])[origins.first :, ..., :shown],
        evidence=np.concatenate([part.evidence for part in parts])[origins.first :, ..., :shown],
    )


def actual_of(point: PointInTime, origin: int, step: int) -> float:
    """The first release so many steps on; none where it is not known by the end."""
    at = int(point.origin_step[origin]) + step
    return float(point.step_first[at]) if at < len(point.step_first) else math.nan


def crps(actual: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Twice the pinball loss over the level, by trapezoids; `quantiles` (origin, level, forecaster, horizon)."""
    total = np.zeros(quantiles[:, 0].shape)
    for index, level in enumerate(LEVELS):
        apart = actual - quantiles[:, index]
        total += (KNOTS[index + 2] - KNOTS[index]) * np.maximum(level * apart, (level - 1) * apart)
    return total


class Replay:
    """All pairs of a variable at one horizon, origin by origin."""

    def __init__(self, output: Passed, horizon: int, span: int) -> None:
        self.output, self.horizon = output, horizon
        settings = Settings(output.spec.trust_half_life, span)
        self.pairs = [PlainPair(horizon, settings) for _ in output.spec.forecasters]
        self.scale = BenchmarkScale()
        self.learned: set[int] = set()

    def learn(self, now: int) -> None:
        """What became known, in the order in which it did, then of the origins."""
        known_at = self.output.point.step_known_at
        fresh = []
        for origin in range(now):
            step = int(self.output.point.origin_step[origin]) + self.horizon
            is_known = step < len(known_at) and known_at[step] <= self.output.point.origin_known_at[now]
            if is_known and origin not in self.learned:
                fresh.append((known_at[step], origin))
        for _, origin in sorted(fresh):
            self.learned.add(origin)
            self.scale.learn(float(self.output.errors[origin, 0, self.horizon - 1]))
            if origin >= self.output.origins.first:
                for pair in self.pairs:
                    pair.learn()

    def forecast(self, now: int) -> None:
        first = self.output.origins.first
        of_its_process = range(first + (now - first) % self.horizon, now, self.horizon)
        allowed = self.learned.issuperset(of_its_process)
        losses = self.output.losses[now, :, self.horizon - 1].tolist()
        for loss, pair in zip(losses, self.pairs, strict=True):
            pair.forecast(loss, losses[0], self.scale.value, allowed)


CASES: dict[str, dict[str, bool]] = {
    "in time": {},
    "late": {"late": True},
    "gaps": {"gaps": True},
    "revised": {"revised": True},
    "still": {"still": True},
    "all": {"late": True, "gaps": True, "revised": True, "still": True},
}


def assert_told(output: Passed, replays: list[Replay], now: int, span: int) -> None:
    """All that is told at an origin is what plain loops make of it."""
    row = now - output.origins.first
    states = dict(zip(STATE, output.states[row], strict=True))
    log10_e, log10_against = log10_of(output.evidence[row])
    for replay in replays:
        for column, pair in enumerate(replay.pairs):
            at = replay.horizon - 1, column
            plain = pair.state
            told = [states[name][at] for name in STATE]
            expected = [plain[name] for name in ("r", "n", "lambda_h", "W", "A")] + [pair.wins.wins, pair.wins.losses]
            numbers = [math.nan if number is None else number for number in expected]
            assert told == pytest.approx(numbers, rel=1e-9, abs=1e-12, nan_ok=True), (now, at)
            assert (log10_e[at], log10_against[at]) == pytest.approx(pair.evidence, rel=1e-9, abs=1e-12), (now, at)
    if row % 9 == 0:
        trust = trust_probability(output.states[row], span)
        rates = win_rates(states["wins"], states["losses"])
        for replay in replays:
            for column, pair in enumerate(replay.pairs):
                at = replay.horizon - 1, column
                probability = math.nan if pair.probability is None else pair.probability
                assert trust[at] == pytest.approx(probability, rel=1e-9, nan_ok=True), (now, at)
                if pair.wins.wins + pair.wins.losses:
                    assert rates[at] == pytest.approx(pair.win_rate, rel=1e-9), (now, at)


@pytest.mark.parametrize(("half_life", "trust_loss"), [(500.0, "absolute"), (20.0, "crps")])
@pytest.mark.parametrize("case", CASES)
def test_what_is_told_at_every_origin_is_what_plain_loops_make_of_the_releases(case, half_life, trust_loss):
    kinds: dict[str, bool] = {"late": False, "gaps": False, "revised": False, "still": False} | CASES[case]
    spec = spec_of(
        days=days_of(kinds["late"]),
        first=60,
        horizon=5,
        forecasters=FORECASTERS,
        trust_half_life=half_life,
        trust_loss=trust_loss,
    )
    output, span = passed(releases(sorted(CASES).index(case), **kinds), spec), 40
    replays = [Replay(output, horizon, span) for horizon in (1, 2, 5)]
    first = output.origins.first
    assert 0 < first < len(output.origins) - 60
    for now in range(len(output.origins)):
        for replay in replays:
            replay.learn(now)
        if now >= first:
            assert_told(output, replays, now, span)
            for replay in replays:
                replay.forecast(now)
    assert output.evidence.max() > 1.1
