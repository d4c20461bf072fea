"""Hypothesis strategies for passes: any shape, order of feedback and kind of numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
from hypothesis import strategies as st

from pulse_core.backtest.custom_quantiles import CustomQuantiles
from pulse_core.backtest.volatility import Volatility
from tests.unit.kernel.passes import Array, PassInput, Positions, known_in_time, origins_of

Generator = np.random.Generator
EXTREME = np.array([0.0, -0.0, 1.0, -1.0, 1e300, -1e300, 1e-300, -1e-300, 5e-324, 2.5e-310, 1.7e308, -1.7e308, 1e154])

KINDS: dict[str, Callable[[Generator, tuple[int, ...]], Array]] = {
    "normal": lambda generator, shape: generator.normal(size=shape),
    "walk": lambda generator, shape: 50 + np.cumsum(generator.normal(size=shape), axis=0),
    "ties": lambda generator, shape: generator.integers(-2, 3, shape).astype(np.float64),
    "constant": lambda generator, shape: np.full(shape, float(generator.integers(-1, 2))),
    "extreme": lambda generator, shape: generator.choice(EXTREME, shape),
    "mixed": lambda generator, shape: np.where(
        generator.random(shape) < 0.9, generator.normal(size=shape), generator.choice(EXTREME, shape)
    ),
    "tiny": lambda generator, shape: 1e-300 * generator.normal(size=shape),
    "subnormal": lambda generator, shape: 5e-324 * generator.integers(-9, 10, shape).astype(np.float64),
    "huge": lambda generator, shape: 1e300 * generator.normal(size=shape),
}
SCALES = (1.0, 0.3, 1e-300, 1e300, 1.7e308, 5e-324, np.nan)

sizes = st.tuples(
    st.one_of(st.integers(1, 40), st.integers(1, 60)),
    st.one_of(st.integers(1, 5), st.integers(1, 14)),
    st.one_of(st.integers(1, 4), st.integers(1, 13)),
)


@st.composite
def pass_inputs(draw: st.DrawFn, /, **fields: Any) -> PassInput:
    """A pass over any numbers; `fields` are fixed."""
    count, forecasters, horizons = draw(sizes)
    generator = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    make = KINDS[draw(st.sampled_from([*KINDS]))]
    asleep = draw(st.sampled_from([0.0, 0.0, 0.1, 0.5]))
    with np.errstate(all="ignore"):
        released = make(generator, (count, horizons))
        forecasts = with_gaps(generator, make(generator, (count, forecasters, horizons)), asleep)
        if draw(st.booleans()):  # forecasters that are close to what happens, some of them equal
            forecasts = released[:, None] + np.round(forecasts, draw(st.integers(0, 3)))
            forecasts[np.isinf(forecasts)] = np.nan
        revised = released + draw(st.sampled_from([0.0, 0.5])) * make(generator, (count, horizons))
    counts = draw(feedback(count, horizons, generator))
    batch = batches(generator, count, draw(st.integers(0, count - 1)), draw(st.sampled_from([0.05, 0.3, 1.0])))
    unknown = np.arange(count)[:, None] >= counts[-1]
    scale = generator.choice(draw(st.sampled_from([(1.0,), (0.3, 2.0), SCALES])), count)
    with np.errstate(all="ignore"):
        step_square = generator.choice(scale, count) ** 2
    origins = origins_of(
        np.where(unknown, np.nan, released),
        feedback=counts,
        batch=batch.tolist(),
        scale=scale,
        step_square=step_square,
        steps=draw(st.sampled_from([0, 1, 20, 3000])),
        reported=np.where(unknown & (generator.random((count, horizons)) < 0.8), np.nan, revised),
        newest=make(generator, (count,)),
    )
    if draw(st.booleans()):
        origins = attrs.evolve(origins, volatility=volatility(generator, step_square, horizons))
    ensemble = draw(st.none() | st.integers(0, forecasters - 1)) if forecasters > 1 else None
    rows = [row for row in range(forecasters) if row != ensemble]
    if ensemble is not None:
        forecasts[:, ensemble] = np.nan
    drawn: dict[str, Any] = {
        "forecasts": forecasts,
        "origins": origins,
        "custom": custom_quantiles(generator, draw(st.integers(0, 2)), rows, (count, forecasters, horizons)),
        "members": tuple(draw(st.permutations(rows))[: draw(st.integers(1, len(rows)))]),
        "ensemble": ensemble,
        "benchmark": draw(st.integers(0, forecasters - 1)),
        "calibration": draw(st.sampled_from(["conformal", "conformal", "empirical"])),
        "trust_loss": draw(st.sampled_from(["absolute", "crps"])),
        "trust_half_life": draw(st.sampled_from([500.0, 20.0, 1.0])),
        "marks": tuple(draw(st.sets(st.integers(origins.first, count - 1)).map(sorted))),
    }
    return PassInput(**drawn | fields)


def with_gaps(generator: Generator, values: Array, share: float) -> Array:
    """Some values missing: single ones, and now and then all of a forecaster's."""
    values = np.where(generator.random(values.shape) < share, np.nan, values)
    if share:
        values[:, generator.random(values.shape[1]) < share / 3] = np.nan
    return values


@st.composite
def feedback(draw: st.DrawFn, count: int, horizons: int, generator: Generator) -> Positions:
    """How many errors are known at each origin: in time, or late and then several at once."""
    counts = known_in_time(count, horizons)
    waiting = draw(st.sampled_from([0.0, 0.5, 0.9]))
    for origin in range(1, count):
        held = generator.random(horizons) < waiting
        counts[origin] = np.where(held, counts[origin - 1], counts[origin])
    return counts


def batches(generator: Generator, count: int, before: int, share: float) -> Positions:
    """Batches that do not fall, the first `before` origins before the period; some batches have no origin."""
    steps = np.where(generator.random(count) < share, generator.integers(1, 4, count), 0)
    index = np.cumsum(steps)
    return np.asarray(np.where(np.arange(count) < before, -1, index - index[before]), dtype=np.int64)


def volatility(generator: Generator, step_square: Array, horizons: int) -> Volatility:
    """A conditional scale that begins anywhere, of any numbers above zero."""
    count = len(step_square)
    first = int(generator.integers(0, count))
    later = np.arange(count) >= first
    power = float(generator.choice([0.0, 1.0, 1.0, 300.0]))
    lean = generator.choice([-1.0, -0.3, 0.0, 0.5, 1.0], count)
    return Volatility(
        first,
        np.where(later[:, None], np.exp2(power * generator.normal(size=(count, horizons)).clip(-1, 1)), 1.0),
        np.where(later, lean, 0.0),
        np.where(later, 0.02, 0.04),
        np.where(later, float(generator.choice([1.0, 1e-300, 1e300])), step_square),
    )


def custom_quantiles(generator: Generator, count: int, rows: list[int], shape: tuple[int, int, int]) -> CustomQuantiles:
    """Quantiles that some forecasters bring; now and then none, or all of them the point."""
    pairs = len(rows) // 2
    count = min(count, pairs)
    levels = np.sort(generator.normal(size=(shape[0], 9, count, shape[2])), axis=1)
    levels *= generator.choice([1.0, 1.0, 0.0, 1e-300, 1e300], (shape[0], 1, count, shape[2]))
    missing = generator.random((shape[0], 1, count, shape[2])) < 0.1
    offsets = np.where(missing, np.nan, levels)
    spread = (offsets[:, 6] - offsets[:, 2]) / 2.563
    return CustomQuantiles(
        tuple(rows[:count]),
        tuple(rows[count : 2 * count]),
        np.ascontiguousarray(offsets),
        np.ascontiguousarray(np.where(spread > 0, spread, np.nan)),
    )
