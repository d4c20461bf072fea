"""The learners, scores and tests of METHOD.md once more, in plain loops; nothing is shared with the core."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from statistics import NormalDist

import attrs
import numpy as np

TAUS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
INTERVALS = {50: (0.25, 0.75), 80: (0.1, 0.9), 90: (0.05, 0.95), 95: (0.025, 0.975)}


@attrs.frozen
class Hindcast:
    """One forecast: when it was made, what it said, what came and when that became known (never: None)."""

    made: int
    point: float
    scale: float
    actual: float
    known: int | None
    newest: float = math.nan

    @property
    def error(self) -> float:
        return self.actual - self.point


def learned_at(hindcasts: Sequence[Hindcast], origin: int) -> list[Hindcast]:
    """Those whose actual has become known since the origin before, in order."""
    now = hindcasts[origin].made
    before = hindcasts[origin - 1].made if origin else -math.inf
    return [
        hindcast for hindcast in hindcasts[:origin] if hindcast.known is not None and before < hindcast.known <= now
    ]


@attrs.frozen
class Conditional:
    """What an origin's history tells of the errors to come; without `relative` it is of no account.

    The scale by horizon in units of the first, how it leans, the least rate of v, and the mean square of the history's
    steps in the first scale.
    """

    scale: Sequence[float]
    relative: bool = False
    lean: float = 0.0
    rate: float = 0.04
    square: float = math.nan


@attrs.define
class Horizon:
    """What is remembered of one forecaster at one horizon: trackers, slopes, v, g, G, n, and what origins said."""

    ahead: int
    u: list[float]
    slope: list[float] = attrs.field(factory=lambda: [0.0] * len(TAUS))
    v: float = math.nan
    ratio: float = 0.0
    growth: float = 1.0
    known: int = 0
    said: list[tuple[float, list[float], Conditional]] = attrs.field(factory=list)

    def learn(self, error: float) -> None:
        """Take in the error of the oldest origin that was not learned from yet."""
        square, quantiles, then = self.said.pop(0)
        if not (math.isfinite(error) and square > 0):
            return
        error /= then.scale[self.ahead - 1]
        self.known += 1
        self.ratio += max(1 / 500, 1 / self.known) * (min(error**2 / square, 6.25 * self.growth) - self.ratio)
        rate = max(1 / ((320 if then.relative else 80) * self.ahead), 4 / (self.known + 40 * self.ahead))
        for k, tau in enumerate(TAUS):
            change = rate * (4 * tau * (1 - tau)) ** -0.8 * (tau - (error <= quantiles[k]))
            self.u[k] += change
            self.slope[k] += then.lean * change

    def say(self, m: float, now: Conditional) -> tuple[list[float], float]:
        """Quantiles around the point as they are quoted; those before widening are kept until the error is known."""
        size = math.sqrt(self.v * self.growth)
        levels = pooled([u + now.lean * slope for u, slope in zip(self.u, self.slope, strict=True)])
        self.said.append((self.v, [size * level for level in levels], now))
        size *= now.scale[self.ahead - 1]
        m = max(m, 1.0)
        wider = [
            1 + 1.5 * (1 + NormalDist().inv_cdf(tau) ** 2) * math.sqrt(self.ahead) / m * 40 / (m + 40) for tau in TAUS
        ]
        middle = levels[4]
        return [size * (middle + (level - middle) * w) for level, w in zip(levels, wider, strict=True)], size


def tracked(
    by_horizon: Sequence[Sequence[Hindcast]],
    steps: Sequence[Sequence[float]],
    conditional: Sequence[Conditional] | None = None,
) -> list[list[tuple[list[float], float]]]:
    """The nine quantiles around the point and their scale at each origin, by horizon, of one forecaster.

    `steps` are those that the history had made at each origin.
    """
    told = conditional or [Conditional([1.0] * len(by_horizon))] * len(steps)
    horizons = starting(len(by_horizon))
    m = largest = math.nan
    history = History()
    quotes: list[list[tuple[list[float], float]]] = [[] for _ in by_horizon]
    for origin in range(len(by_horizon[0])):
        moves = [hindcast.actual - hindcast.newest for hindcast in learned_at(by_horizon[0], origin)]
        for errors in errors_at(by_horizon, origin):
            then = horizons[0].said[0][2] if horizons[0].said else told[origin]
            learn_each(horizons, errors)
            move = math.nan if errors[0] is None else moves.pop(0) / then.scale[0]
            if errors[0] is not None and math.isfinite(errors[0]):
                error = errors[0] / then.scale[0]
                m += 1
                squares_learn(horizons, error**2, m, largest, then.rate)
                history.learn(horizons, error, move, m, then.rate)
                largest = max(0.998 * largest, min(error**2, 16 * max(horizons[0].v, largest)))
            grow(horizons)
        points = [hindcasts[origin].point for hindcasts in by_horizon]
        if math.isnan(m) and any(math.isfinite(point) for point in points):
            m, largest = float(len(steps[origin])), wake(horizons, steps[origin], told[origin])
            history = History(largest, [largest] * len(horizons))
        for quoted, horizon in zip(quotes, horizons, strict=True):
            quoted.append(horizon.say(m, told[origin]))
    return quotes


def learn_each(horizons: Sequence[Horizon], errors: Sequence[float | None]) -> None:
    """Let each horizon learn of its error, where it has one."""
    for horizon, error in zip(horizons, errors, strict=True):
        if error is not None:
            horizon.learn(error)


@attrs.define
class History:
    """The part of each v that is still the history's mean square, which is scaled to the forecaster's errors."""

    square: float = 0.0
    parts: list[float] = attrs.field(factory=list)
    errors: float = 0.0
    moves: float = 0.0

    def factor(self) -> float:
        """Squared errors over squared steps, as if half an error as large as the history's step came first."""
        few = self.square / 2
        return min((self.errors + few) / (self.moves + few), 1.0) if few else 1.0

    def learn(self, horizons: Sequence[Horizon], error: float, move: float, m: float, rate: float) -> None:
        """Scale what is left by what the newest error says."""
        before = self.factor()
        self.errors, self.moves = self.errors + error**2, self.moves + move**2
        for h, horizon in enumerate(horizons):
            self.parts[h] *= 1 - max(rate / math.sqrt(horizon.ahead), 1 / m)
            horizon.v += self.parts[h] * (self.factor() - before)


def starting(count: int) -> list[Horizon]:
    """Horizons with Student's t quantiles over its standard deviation."""
    from scipy.stats import t

    freedoms = [4 + 2 * h for h in range(1, count + 1)]
    return [
        Horizon(h, (t.ppf(TAUS, freedom) / math.sqrt(freedom / (freedom - 2))).tolist())
        for h, freedom in enumerate(freedoms, start=1)
    ]


def wake(horizons: Sequence[Horizon], steps: Sequence[float], now: Conditional) -> float:
    """Begin with the mean square of the history's steps, which is returned."""
    square = float(np.mean(np.square(steps))) if steps else 0.0
    square = now.square if now.relative else square
    for horizon in horizons:
        horizon.v = square
    grow(horizons)
    return square


def errors_at(by_horizon: Sequence[Sequence[Hindcast]], origin: int) -> Iterable[tuple[float | None, ...]]:
    """The errors that became known, at each step the next one of each horizon."""
    fresh = [[hindcast.error for hindcast in learned_at(hindcasts, origin)] for hindcasts in by_horizon]
    return itertools.zip_longest(*fresh)


def squares_learn(horizons: Sequence[Horizon], square: float, m: float, largest: float, rate: float) -> None:
    """Learn of a squared error one step ahead; `largest` are the rare large ones, M."""
    for horizon in horizons:
        change = min(square, max(16 * horizon.v, largest / 4)) - horizon.v
        horizon.v = horizon.v + max(rate / math.sqrt(horizon.ahead), 1 / m) * change if horizon.v else square


def grow(horizons: Sequence[Horizon]) -> None:
    """Growth from h = 2 on, by what is known and how it went on from a quarter to half of the way."""
    growth = [horizon.growth for horizon in horizons]
    for h in range(2, len(horizons) + 1):
        p = math.ceil(h / 2)
        q = math.ceil(p / 2)
        power = 1.0
        if p != q:
            power = min(max(math.log(growth[p - 1] / growth[q - 1]) / math.log(p / q), 0.0), 2.0)
        prior, horizon = growth[p - 1] * (h / p) ** power, horizons[h - 1]
        growth[h - 1] = max(0.1, (horizon.known * horizon.ratio + 20 * prior) / (horizon.known + 20))
        horizon.growth = growth[h - 1]


def pooled(values: Sequence[float]) -> list[float]:
    """The nearest values that do not fall, by pooling adjacent violators."""
    blocks: list[list[float]] = []
    for value in values:
        blocks.append([value])
        while len(blocks) > 1 and math.fsum(blocks[-2]) / len(blocks[-2]) > math.fsum(blocks[-1]) / len(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    return [math.fsum(block) / len(block) for block in blocks for _ in block]


def empirical(hindcasts: Sequence[Hindcast]) -> list[list[float]]:
    """The nine quantiles at each origin, of all errors known by then."""
    quotes, errors = [], []
    for origin, here in enumerate(hindcasts):
        errors += [learned.error for learned in learned_at(hindcasts, origin) if math.isfinite(learned.error)]
        offsets = np.quantile(errors, TAUS).tolist() if errors else [math.nan] * len(TAUS)
        quotes.append([here.point + offset for offset in offsets])
    return quotes


@attrs.frozen
class Weighed:
    """The ensemble's weights and forecasts at a horizon, by origin, and its regret against each member at the end."""

    weights: list[list[float]]
    forecasts: list[float]
    regrets: list[float]


@attrs.define
class Weigher:
    """What the ensemble remembers at a horizon: sums of losses here, ML-Poly's R, sum of r^2 and B up to here."""

    lost: list[float]
    regrets: list[float]
    squares: list[float]
    largest: float = 0.0
    parts: list[tuple[float, float, float]] = attrs.field(factory=list)
    """What the part by losses and ML-Poly forecast at each origin, and ML-Poly's proportion."""

    def follow(self, spared: Sequence[float]) -> None:
        self.largest = max(self.largest, *(less**2 for less in spared))
        self.regrets = [regret + less for regret, less in zip(self.regrets, spared, strict=True)]
        self.squares = [square + less**2 for square, less in zip(self.squares, spared, strict=True)]


def weighed(by_horizon: Sequence[Sequence[Sequence[Hindcast]]]) -> list[Weighed]:
    """The ensemble of members' hindcasts (horizon, member, origin) at the same origins; a NaN point sleeps."""
    count = len(by_horizon[0])
    states = [Weigher([0.0] * count, [0.0] * count, [0.0] * count) for _ in by_horizon]
    results = [Weighed([], [], [0.0] * count) for _ in by_horizon]
    known = 0
    for origin in range(len(by_horizon[0][0])):
        fresh = [[first.index(past) for past in learned_at(first, origin)] for first, *_ in by_horizon]
        for pasts in itertools.zip_longest(*fresh):
            known += weigh_errors(by_horizon, states, results, pasts)
        lost = [0.0] * count
        for state, members, result in zip(states, by_horizon, results, strict=True):
            lost = [nearer + here for nearer, here in zip(lost, state.lost, strict=True)]
            points = [member[origin].point for member in members]
            combine(state, result, lost, points, known / (3 * known + 200))
    return results


def weigh_errors(
    by_horizon: Sequence[Sequence[Sequence[Hindcast]]],
    states: Sequence[Weigher],
    results: Sequence[Weighed],
    pasts: Sequence[int | None],
) -> bool:
    """Learn from the error of one origin, or of none, at each horizon; whether there was one a step ahead."""
    spared: list[list[float]] = []
    taught = False
    for h, (members, state, past) in enumerate(zip(by_horizon, states, pasts, strict=True)):
        if past is not None and members[0][past].scale > 0 and math.isfinite(results[h].forecasts[past]):
            actual, scale = members[0][past].actual, members[0][past].scale
            by_losses, followed, part = state.parts[past]
            spared.append([0.0] * len(members))
            for k, member in enumerate(members):
                asleep = not math.isfinite(member[past].point)
                loss = abs(actual - (by_losses if asleep else member[past].point)) / scale
                state.lost[k] += loss
                if not asleep:
                    results[h].regrets[k] += abs(actual - results[h].forecasts[past]) / scale - loss
                    spared[-1][k] = part * (abs(actual - followed) / scale - loss)
            taught = taught or h == 0
        if spared:
            state.follow([math.fsum(column) / len(spared) for column in zip(*spared, strict=True)])
    return taught


def combine(state: Weigher, result: Weighed, lost: Sequence[float], points: Sequence[float], proportion: float) -> None:
    """Weigh the members that are awake and forecast; `lost` are their losses up to this horizon."""
    awake = [k for k, point in enumerate(points) if math.isfinite(point)]
    least = min((lost[k] for k in awake), default=0.0)
    by_losses = {k: 1.0 if lost[k] == least else (least / lost[k]) ** 8 for k in awake}
    by_regret = {
        k: max(state.regrets[k], 0.0) / (state.largest + state.squares[k]) if state.regrets[k] > 0 else 0.0
        for k in awake
    }
    parts = []
    for gains in (by_losses, by_regret):
        total = math.fsum(gains.values())
        parts.append({k: gain / total if total else 1 / len(awake) for k, gain in gains.items()})
    forecasts = [math.fsum(weight * points[k] for k, weight in part.items()) if awake else math.nan for part in parts]
    state.parts.append((forecasts[0], forecasts[1], proportion))
    result.weights.append(
        [(1 - proportion) * parts[0].get(k, 0.0) + proportion * parts[1].get(k, 0.0) for k in range(len(points))]
    )
    result.forecasts.append((1 - proportion) * forecasts[0] + proportion * forecasts[1])


def pinball(actual: float, quantile: float, tau: float) -> float:
    return tau * (actual - quantile) if actual >= quantile else (1 - tau) * (quantile - actual)


def trapezoid(actual: float, quantiles: Sequence[float]) -> float:
    """The integral of twice the pinball loss, which is zero at 0 and 1."""
    knots = [(0.0, 0.0), *((t, 2 * pinball(actual, q, t)) for t, q in zip(TAUS, quantiles, strict=True)), (1.0, 0.0)]
    return math.fsum((b - a) * (fa + fb) / 2 for (a, fa), (b, fb) in itertools.pairwise(knots))


def winkler(actual: float, low: float, high: float, miss: float = 0.05) -> float:
    return high - low + 2 / miss * (max(low - actual, 0.0) + max(actual - high, 0.0))


def diebold_mariano(losses: Iterable[float], benchmark: Iterable[float], horizon: int) -> float | None:
    """Two-sided p-value by Harvey, Leybourne & Newbold (1997), eqs. 1-9; None where the variance is not positive."""
    from scipy.stats import t

    differences = [loss - rival for loss, rival in zip(losses, benchmark, strict=True)]
    n = len(differences)
    mean = math.fsum(differences) / n

    def autocovariance(lag: int) -> float:
        pairs = zip(differences[lag:], differences[: n - lag], strict=True)
        return math.fsum((now - mean) * (then - mean) for now, then in pairs) / n

    variance = (autocovariance(0) + 2 * math.fsum(autocovariance(lag) for lag in range(1, horizon))) / n
    if variance <= 0:
        return None
    statistic = mean / math.sqrt(variance)
    corrected = math.sqrt((n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n) * statistic
    return float(2 * t.sf(abs(corrected), n - 1))


def evidence(won: int, lost: int) -> Fraction:
    """The mean of (2p)^won (2(1-p))^lost over p in (1/2, 1]: with p = (1+x)/2, of (1+x)^won (1-x)^lost over x."""
    coefficients = [1]
    for sign in [1] * won + [-1] * lost:
        above = [0, *coefficients]
        coefficients = [low + sign * high for low, high in zip([*coefficients, 0], above, strict=True)]
    return sum((Fraction(c, power + 1) for power, c in enumerate(coefficients)), Fraction(0))


def log10_of(value: Fraction) -> float:
    """The logarithm of a fraction that may be beyond floats."""
    shift = value.numerator.bit_length() - value.denominator.bit_length()
    scaled = value / Fraction(2) ** shift
    return math.log10(float(scaled)) + shift * math.log10(2)
