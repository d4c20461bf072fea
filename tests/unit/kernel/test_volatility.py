"""The conditional scale to the last bit, however it is cut; and what it says of series whose volatility is known."""

from __future__ import annotations

import ctypes
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core.backtest.volatility import decay, grid
from pulse_core.kernel import bindings
from pulse_core.kernel import volatility as kernel
from pulse_core.kernel.volatility import ConditionalScale, conditional_scale
from tests.unit.kernel.passes import Array, Positions, bits
from tests.unit.kernel.plain_volatility import expected

HORIZON = 5


def scale_of(values: Array, lengths: Positions | None = None) -> ConditionalScale:
    """The conditional scale of a path, at each of its times unless told which."""
    times = np.arange(1, len(values) + 1) if lengths is None else lengths
    return conditional_scale(values, times, HORIZON, grid(), decay(HORIZON))


def pieces(scale: ConditionalScale) -> list[bytes]:
    return [bits(scale.scale), bits(scale.lean), bits(scale.excess)]


def numbers() -> st.SearchStrategy[float]:
    """Ties and round numbers, ordinary numbers, and some whose squares overflow or vanish."""
    extreme = st.sampled_from([1e300, -1e300, 1.7e308, -1.7e308, 1e-300, 5e-324, 0.0])
    return st.one_of(st.integers(-2, 2).map(float), st.floats(1, 1e3), st.floats(-1e3, 1e3), extreme)


paths = st.lists(st.floats(0.5, 2), min_size=1, max_size=70).map(np.array) | st.lists(
    numbers(), min_size=1, max_size=70
).map(np.array)


def series(kind: str, count: int = 700) -> Array:
    """A walk around a level, noise around a mean, growth, or steps that mostly rest."""
    noise = np.random.default_rng(41).standard_t(5, count)
    if kind == "walk":
        return np.asarray(50 + np.cumsum(noise))
    if kind == "noise":
        return noise
    if kind == "growth":
        return np.asarray(np.exp(0.02 * np.cumsum(noise)))
    return np.asarray(np.cumsum(np.where(np.arange(count) % 3 == 0, np.round(noise, 1), 0.0)))


def assert_plain(values: Array) -> None:
    scale, plain = scale_of(values), expected(values.tolist(), HORIZON)
    assert bits(scale.scale) == bits([time.scale for time in plain])
    assert bits(scale.lean) == bits([time.lean for time in plain])
    assert bits(scale.excess) == bits([time.excess for time in plain])


@settings(max_examples=100)
@given(paths)
def test_a_scale_is_that_of_the_formula_s_operations_in_order(values):
    assert_plain(values)


@pytest.mark.parametrize("kind", ["walk", "noise", "growth", "rests"])
def test_a_long_path_has_it_too(kind):
    assert_plain(series(kind))


def test_a_path_that_rests_for_long_before_it_moves_has_it_too():
    assert_plain(np.append(np.full(80, 50.0), series("walk", 100)))


def test_a_path_that_falls_to_zero_has_it_too():
    values = series("growth")
    values[400] = 0.0
    assert_plain(values)


@given(paths, st.integers(1, 9), st.data())
def test_it_does_not_depend_on_how_the_path_is_cut_nor_on_what_comes_later(values, stretch, data):
    whole = scale_of(values)
    count = data.draw(st.integers(1, len(values)))
    with patch.object(kernel, "LONGEST_STRETCH", stretch):
        cut = scale_of(values[:count])
    for name in ("scale", "lean", "excess"):
        assert bits(getattr(cut, name)) == bits(getattr(whole, name)[:count])


@given(paths, st.data())
def test_origins_are_any_times_in_order(values, data):
    lengths = np.array(sorted(data.draw(st.lists(st.integers(1, len(values)), max_size=9))), dtype=np.int64)
    whole, some = scale_of(values), scale_of(values, lengths)
    for name in ("scale", "lean", "excess"):
        assert bits(getattr(some, name)) == bits(getattr(whole, name)[lengths - 1])


@given(paths)
def test_every_build_gives_the_same_bits(values):
    outputs = []
    for name in (bindings.BASELINE, bindings.AVX2):
        library = bindings._open(name)
        if name == bindings.AVX2 and not library.pulse_has_avx2():
            pytest.skip("this machine has no AVX2")
        with patch.object(kernel, "library", lambda library=library: library):
            outputs.append(pieces(scale_of(values)))
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("power", [-300, 300])
def test_numbers_twice_as_large_have_a_scale_twice_as_large(power):
    values = series("growth")
    usual, scaled = scale_of(values), scale_of(np.ldexp(values, power))
    assert bits(np.ldexp(usual.scale, power)) == bits(scaled.scale)
    assert bits(usual.lean) == bits(scaled.lean)
    assert bits(usual.excess) == bits(scaled.excess)


def test_nothing_is_written_beside_what_is_asked_for():
    values, points = series("walk", 90), grid().shape[1]
    guarded = np.full(3 * 4 + 2, -7.0)
    lean, excess = np.full(5, -7.0), np.full(5, -7.0)
    lengths = np.array([10, 20, 90])
    memory = np.zeros(12 + 6 * points)
    memory[12 + 3 * points :] = 1.0
    bindings.library().pulse_volatility(
        *(bindings.doubles(values, 90), bindings.count(0), bindings.count(90), bindings.positions(lengths, 3)),
        *(bindings.count(3), ctypes.byref(ctypes.c_char.from_buffer(guarded.data), 8), bindings.count(4)),
        *(ctypes.byref(ctypes.c_char.from_buffer(array.data), 8) for array in (lean, excess)),
        *(bindings.doubles(grid(), 4, points), bindings.doubles(decay(4), 2, 2, 4)),
        *(bindings.doubles(memory, len(memory)), bindings.count(points)),
    )
    for array in (guarded, lean, excess):
        assert array[0] == array[-1] == -7.0
        assert (array[1:-1] != -7.0).all()
