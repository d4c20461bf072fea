"""Calibration once more, in plain loops over Python floats, each operation in its written order.

Conformal: errors over a scale s = sqrt(v G), v the faded mean square of errors one step ahead, G how squares grow with
the horizon; the quantile of an origin is c = s q, q the isotonic fit of u, and once its error e is known
u += rate w (tau - 1{e <= c}). With a conditional scale errors are over it, and u is raw + slope lean.
Empirical: the quantiles of all errors, linearly interpolated.
"""

from __future__ import annotations

import math
from bisect import insort_right
from collections import deque
from collections.abc import Sequence

import attrs

from pulse_core.kernel.special import log, student_t_quantile

TAUS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
WEIGHTS_BELOW = (6.438672084417295, 3.7756968642177364, 2.2644253044608966, 1.2587833483932027)
WEIGHTS = (*WEIGHTS_BELOW, 1.0, *reversed(WEIGHTS_BELOW))
"""(4 tau (1 - tau))^-0.8"""

WIDENINGS_BELOW = (7.262188231041189, 5.558315181143122, 3.9635616227247246, 2.1824046346793593)
WIDENINGS = (*WIDENINGS_BELOW, 1.5, *reversed(WIDENINGS_BELOW))
"""1.5 (1 + z^2), z the normal quantile"""

HUGE, TINY, HUGE_GROWTH = 2.0**980, 2.0**-900, 2.0**40
LN2 = math.log(2.0)
LOG_SERIES = (
    *(0.07308224842521703, 0.07665860800278021, 0.09091444562630861, 0.1111110556739754),
    *(0.14285714312987743, 0.19999999999949752, 0.3333333333333335, 1.0),
)
EXP_SERIES = (
    *(2.5100375832561234e-08, 2.7620075879983367e-07, 2.7557268480310024e-06, 2.4801521322368692e-05),
    *(0.00019841269863040545, 0.0013888888917196719, 0.008333333333330065, 0.041666666666624164),
    *(0.16666666666666669, 0.5000000000000001, 1.0, 1.0),
)


def polynomial(coefficients: Sequence[float], x: float) -> float:
    """By Horner's rule, highest first."""
    total = coefficients[0]
    for coefficient in coefficients[1:]:
        total = total * x + coefficient
    return total


def small_log(x: float) -> float:
    """log(x), 1 <= x <= 4."""
    twos = 2 if x > 2.8284271247461903 else int(x > 1.4142135623730951)
    y = x * (1.0, 0.5, 0.25)[twos]
    t = (y - 1.0) / (y + 1.0)
    return twos * LN2 + (t + t) * polynomial(LOG_SERIES, t * t)


def small_exp(x: float) -> float:
    """e^x, 0 <= x <= 2 log 2."""
    twos = 2 if x > 1.5 * LN2 else int(x > 0.5 * LN2)
    return (1.0, 2.0, 4.0)[twos] * polynomial(EXP_SERIES, x - twos * LN2)


def start(steps: int) -> list[float]:
    """Student's t quantiles over its standard deviation."""
    freedom = 4.0 + 2.0 * steps
    below = [float(student_t_quantile(freedom, tau)) / math.sqrt(freedom / (freedom - 2.0)) for tau in TAUS[:4]]
    return [*below, 0.0, *(-quantile for quantile in reversed(below))]


def bounded(square: float) -> float:
    """A square that is neither beyond the largest nor, if not 0, below the least."""
    return HUGE if square > HUGE else 0.0 if square < TINY else square


@attrs.frozen
class Situation:
    """What the steps so far tell at an origin: the conditional scale by horizon, how it leans, and the least rate of
    mean squares; `relative` from the first origin on that has such a scale."""

    relative: bool
    scale: Sequence[float]
    lean: float
    rate: float

    def over_scale(self, error: float, h: int) -> float:
        """An error of this origin, in its conditional scale."""
        return over(error, self.scale[h]) if self.relative else error


@attrs.frozen
class Quoted:
    """What an origin said of one horizon: the mean square, and quantiles before they are widened."""

    square: float
    quantiles: list[float]
    situation: Situation


class Conformal:
    """Quantiles of one forecaster at all horizons, by conformal PID control.

    `brings_spread`: the scale one step ahead is given at each origin and not learned. `leans`: there is a conditional
    scale, and errors are over it.
    """

    def __init__(self, horizons: int, *, brings_spread: bool = False, leans: bool = False) -> None:
        self.horizons, self.brings_spread, self.leans = horizons, brings_spread, leans
        self.slope = [[0.0] * len(TAUS) for _ in range(horizons)]
        self.none = Situation(False, [1.0] * horizons, 0.0, 0.04)
        self.raw = [start(h) for h in range(1, horizons + 1)]
        self.squares, self.growth = [math.nan] * horizons, [1.0] * horizons
        self.ratios, self.learned = [0.0] * horizons, [0] * horizons
        self.largest, self.steps = 0.0, math.nan
        self.history, self.start, self.scale = [0.0] * horizons, 0.0, 1.0
        self.error_squares, self.step_squares = 0.0, 0.0
        self.past: list[deque[Quoted]] = [deque() for _ in range(horizons)]

    @property
    def offsets(self) -> list[list[float]]:
        """The trackers, uncrossed."""
        return [isotonic(raw) for raw in self.raw]

    def learn(self, errors: Sequence[float | None], step: float | None = None) -> None:
        """Learn of the error of the oldest origin that waits for it at each horizon, or of none.

        `step` is what naive would have erred by one step ahead; without one it is the error.
        """
        oldest = self.past[0][0] if errors[0] is not None else None
        for h, error in enumerate(errors):
            if error is not None:
                quoted = self.past[h].popleft()
                self._track(h, quoted, quoted.situation.over_scale(error, h))
        if oldest is not None and errors[0] is not None:
            error = oldest.situation.over_scale(errors[0], 0)
            if math.isfinite(error) and oldest.square >= 0:
                move = error if step is None else oldest.situation.over_scale(step, 0)
                self._learn_squares(error, move, oldest.situation.rate)
        self._grow()

    def _track(self, h: int, quoted: Quoted, error: float) -> None:
        if not (math.isfinite(error) and quoted.square > 0):
            return
        self.learned[h] += 1
        count, steps = self.learned[h], h + 1.0
        relative = min(error * error, HUGE) / quoted.square
        share = max(1.0 / 500.0, 1.0 / count)
        self.ratios[h] = self.ratios[h] + share * (min(relative, 6.25 * self.growth[h]) - self.ratios[h])
        lasting = 320.0 if quoted.situation.relative else 80.0
        rate = max(1.0 / (lasting * steps), 4.0 / (count + 40.0 * steps))
        for k, tau in enumerate(TAUS):
            change = WEIGHTS[k] * tau - (WEIGHTS[k] if error <= quoted.quantiles[k] else 0.0)
            self.raw[h][k] = self.raw[h][k] + rate * change
            if self.leans:
                self.slope[h][k] = self.slope[h][k] + rate * quoted.situation.lean * change

    def _learn_squares(self, error: float, step: float, least: float) -> None:
        self.steps += 1.0
        if self.brings_spread:
            return
        latest = min(error * error, HUGE)
        change_of_scale = self._scale(latest, min(step * step, HUGE))
        for h, square in enumerate(self.squares):
            rate = max(least / math.sqrt(h + 1.0), 1.0 / self.steps)
            change = min(latest, max(16.0 * square, 0.25 * self.largest)) - square
            self.history[h] = self.history[h] - rate * self.history[h]
            moved = square + rate * change + self.history[h] * change_of_scale
            self.squares[h] = bounded(moved if square > 0 else latest)
        capped = min(latest, 16.0 * max(self.squares[0], self.largest))
        self.largest = bounded(max(0.998 * self.largest, capped))

    def _scale(self, latest: float, step: float) -> float:
        """By how much the factor of the history's mean square changes."""
        self.error_squares, self.step_squares = self.error_squares + latest, self.step_squares + step
        few, before = 0.5 * self.start, self.scale
        if few > 0:
            self.scale = min((self.error_squares + few) / (self.step_squares + few), 1.0)
        return self.scale - before

    def _grow(self) -> None:
        for h in range(self.horizons):
            if h or self.brings_spread:
                self.growth[h] = self._growth(h, self._prior(h + 1))

    def _growth(self, h: int, prior: float) -> float:
        growth = (self.learned[h] * self.ratios[h] + 20.0 * prior) / (self.learned[h] + 20.0)
        return max(min(growth, HUGE_GROWTH), 0.1)

    def _prior(self, ahead: int) -> float:
        """How squares would grow to so many steps if they went on from half of them as they grew to there."""
        near = (ahead + 1) // 2
        nearer = (near + 1) // 2
        if self.brings_spread:
            return self.growth[near - 1] if ahead > 1 else 1.0
        if ahead == 2:
            return self.growth[0] * 2.0
        most = near / nearer
        ratio = min(max(self.growth[near - 1] / self.growth[nearer - 1], 1.0), most * most)
        if ahead * nearer == near * near:
            return self.growth[near - 1] * ratio
        exponent = float(log(ahead / near)) / float(log(near / nearer))
        return self.growth[near - 1] * small_exp(exponent * small_log(ratio))

    def predict(
        self,
        given: Sequence[float],
        step_square: float = math.nan,
        steps: float = 0.0,
        situation: Situation | None = None,
    ) -> list[tuple[list[float], float]]:
        """Offsets and size by horizon; `given` are the forecasts, or the spreads that are brought."""
        if math.isnan(self.steps) and any(math.isfinite(number) for number in given):
            self._wake(bounded(step_square) if step_square > 0 else 0.0, steps)
        if self.brings_spread:
            self.squares = [bounded(spread * spread) if math.isfinite(spread) else math.nan for spread in given]
        few = max(self.steps, 1.0) if self.steps > 1 else 1.0
        widening = 40.0 / (few * (few + 40.0))
        now = self.none if situation is None else situation
        return [self._quote(h, math.sqrt(h + 1.0) * widening, now) for h in range(self.horizons)]

    def _wake(self, square: float, steps: float) -> None:
        self.steps, self.largest = steps, square
        self.squares, self.history, self.start = [square] * self.horizons, [square] * self.horizons, square
        if not self.brings_spread:
            self._grow()

    def _quote(self, h: int, widening: float, situation: Situation) -> tuple[list[float], float]:
        raw, square = self.raw[h], self.squares[h]
        if self.leans:
            raw = [level + situation.lean * slope for level, slope in zip(raw, self.slope[h], strict=True)]
        levels = isotonic(raw)
        size = math.sqrt(square * self.growth[h])
        self.past[h].append(Quoted(square, [size * level for level in levels], situation))
        middle = levels[len(levels) // 2]
        offsets = [
            middle + (level - middle) * (1.0 + wider * widening) for level, wider in zip(levels, WIDENINGS, strict=True)
        ]
        return offsets, size * situation.scale[h]


def isotonic(raw: Sequence[float]) -> list[float]:
    """The nearest numbers that do not fall, by pooling adjacent violators; what is pooled is equal to the bit."""
    blocks: list[tuple[float, int]] = []
    for value in raw:
        total, count = value, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before = blocks.pop()
            total, count = before[0] + total, before[1] + count
        blocks.append((total, count))
    return [total / count for total, count in blocks for _ in range(count)]


@attrs.define
class Empirical:
    """The quantiles of all errors of one forecaster so far, by horizon; type 7 of Hyndman & Fan.

    `brings_spread`: of errors over the spread that is given, times the spread that is given.
    """

    horizons: int
    brings_spread: bool = attrs.field(default=False, kw_only=True)
    leans: bool = attrs.field(default=False, kw_only=True)
    errors: list[list[float]] = attrs.field(init=False)
    past: list[deque[float]] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.errors = [[] for _ in range(self.horizons)]
        self.past = [deque() for _ in range(self.horizons)]

    def learn(self, errors: Sequence[float | None], step: float | None = None) -> None:
        del step
        for h, error in enumerate(errors):
            if error is None:
                continue
            relative = over(error, self.past[h].popleft())
            if math.isfinite(relative):
                insort_right(self.errors[h], relative)

    def predict(
        self,
        given: Sequence[float],
        step_square: float = math.nan,
        steps: float = 0.0,
        situation: Situation | None = None,
    ) -> list[tuple[list[float], float]]:
        del situation
        quoted = []
        for h, number in enumerate(given):
            spread = number if self.brings_spread else 1.0
            self.past[h].append(spread)
            quoted.append(self._quote(self.errors[h], spread))
        return quoted

    def _quote(self, errors: Sequence[float], spread: float) -> tuple[list[float], float]:
        if not errors:
            return [0.0] * len(TAUS), math.nan
        offsets = []
        for tau in TAUS:
            position = tau * (len(errors) - 1)
            low = int(position)
            high = min(low + 1, len(errors) - 1)
            offsets.append(between(errors[low], errors[high], position - low))
        return offsets, 1.0 * spread


def over(dividend: float, divisor: float) -> float:
    """Divide as IEEE 754 does; Python raises where the divisor is zero."""
    if divisor != 0:
        return dividend / divisor
    if dividend == 0 or math.isnan(dividend):
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def between(low: float, high: float, share: float) -> float:
    """The number so far on the way from low to high; their gap may be beyond a float64."""
    gap = high - low
    return low + share * gap if math.isfinite(gap) else (1.0 - share) * low + share * high


Calibrator = Conformal | Empirical
CALIBRATORS: dict[str, type[Calibrator]] = {"conformal": Conformal, "empirical": Empirical}
