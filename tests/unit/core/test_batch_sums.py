"""Batches carry sums; any way of merging them gives the same total."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_core.scores.sums import SUMS, BatchSums
from tests.strategies import values

SHAPE = (2, 3, len(SUMS))


@st.composite
def sums(draw: st.DrawFn, least: int = 1) -> BatchSums:
    batches = sorted(draw(st.sets(st.integers(0, 50), min_size=least, max_size=12)))
    scale = draw(st.lists(values(), min_size=len(batches), max_size=len(batches)))
    seed = draw(st.integers(0, 2**32 - 1))
    drawn = np.random.default_rng(seed).normal(size=(len(batches), *SHAPE))
    return BatchSums(batches, drawn * np.array(scale).reshape(-1, 1, 1, 1))


def parts_of(total: BatchSums, group_of: list[int]) -> list[BatchSums]:
    """Shares of the batches; `places` says which share each goes to."""
    groups = np.array(group_of)
    return [
        BatchSums(total.batches[groups == group], total.values[groups == group]) for group in dict.fromkeys(group_of)
    ]


def merged(parts: list[BatchSums], generator: np.random.Generator) -> BatchSums:
    """Merge in a random tree."""
    while len(parts) > 1:
        first, second = sorted(generator.choice(len(parts), 2, replace=False), reverse=bool(generator.integers(2)))
        earlier, later = parts[first], parts[second]
        parts = [part for part in parts if part is not earlier and part is not later] + [earlier.merge(later)]
    return parts[0]


@given(st.data())
def test_merging_in_any_order_and_grouping_gives_the_same_bits(data):
    expected = data.draw(sums())
    size = len(expected.batches)
    groups = data.draw(st.lists(st.integers(0, 4), min_size=size, max_size=size))
    again = merged(parts_of(expected, groups), np.random.default_rng(data.draw(st.integers(0, 999))))
    assert again == expected
    assert again.total().tobytes() == expected.total().tobytes()


@given(sums())
def test_the_total_is_the_sum_over_batches(batch_sums):
    for cell in np.ndindex(SHAPE):
        column = batch_sums.values[(slice(None), *cell)]
        size = math.fsum(abs(column))
        assert batch_sums.total()[cell] == pytest.approx(math.fsum(column), rel=1e-12, abs=1e-12 * size)


def test_no_batches_total_to_zero():
    assert not BatchSums([], np.zeros((0, *SHAPE))).total().any()


def test_parts_that_share_a_batch_do_not_merge():
    part = BatchSums([0, 1], np.ones((2, *SHAPE)))
    with pytest.raises(ValueError, match="each once"):
        part.merge(BatchSums([1], np.ones((1, *SHAPE))))


def test_batches_out_of_order_are_refused():
    with pytest.raises(ValueError, match="in order"):
        BatchSums([1, 0], np.ones((2, *SHAPE)))


@pytest.mark.parametrize("shape", [(1, 2, 3), (2, 2, 3, len(SUMS)), (1, 2, 3, len(SUMS) + 1)])
def test_values_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="expected"):
        BatchSums([0], np.ones(shape))


@given(sums())
def test_sums_survive_pickling_read_only(batch_sums):
    again = pickle.loads(pickle.dumps(batch_sums))
    assert again == batch_sums
    assert not again.values.flags.writeable
