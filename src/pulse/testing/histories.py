"""Histories for tests of forecasters, and the same histories with another future; hypothesis strategies for both."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from hypothesis import strategies as st

from pulse_core import Histories, Values

PREDICTOR_ROWS = 2
"""The changes of one predictor, the newest and the one before it."""
_NUMBERS = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6, allow_subnormal=False))
_LATER_NUMBERS = st.one_of(_NUMBERS, st.sampled_from([1e12, -1e12]))


@attrs.frozen(eq=False)
class Path:
    """Values (n,) as a vintage knew them, the lengths that its origins know, and changes of a predictor (2, n)."""

    values: Values
    lengths: tuple[int, ...]
    predictor: Values | None


def histories_of(vintages: Sequence[Path]) -> Histories:
    """Return the histories of the origins of these paths; predictors only where every path has them."""
    predictors = tuple(path.predictor for path in vintages if path.predictor is not None)
    return Histories(
        tuple(path.values for path in vintages),
        np.array([index for index, path in enumerate(vintages) for _ in path.lengths], dtype=np.int64),
        np.array([length for path in vintages for length in path.lengths], dtype=np.int64),
        predictors=predictors if len(predictors) == len(vintages) else (),
    )


def random_walk(size: int, seed: int = 0) -> Path:
    """Return a random walk with an origin at its end."""
    steps = np.random.default_rng(seed).normal(size=size)
    return Path(100.0 + np.cumsum(steps), (size,), None)


@st.composite
def paths(draw: st.DrawFn, shortest: int, longest: int) -> list[Path]:
    """One to three paths with some origins each, all with a predictor or all without.

    Origins know `shortest` to `longest` values.
    """
    with_predictor = draw(st.booleans())
    return [draw(_path(shortest, longest, with_predictor=with_predictor)) for _ in range(draw(st.integers(1, 3)))]


@st.composite
def futures(draw: st.DrawFn, shortest: int, longest: int) -> tuple[list[Path], int, list[Path], int]:
    """Paths and one of their origins; then paths with that origin, by its index there, and all else anew.

    What the origin knows is the same in both: the first values of its path, and the changes of the predictor by then.
    """
    vintages = draw(paths(shortest, longest))
    index = draw(st.integers(0, len(vintages) - 1))
    path = vintages[index]
    position = draw(st.integers(0, len(path.lengths) - 1))
    length = path.lengths[position]
    origin = sum(len(earlier.lengths) for earlier in vintages[:index]) + position
    with_predictor = path.predictor is not None
    earlier, later = (
        [draw(_path(shortest, longest, with_predictor=with_predictor)) for _ in range(draw(st.integers(0, 1)))]
        for _ in range(2)
    )
    continued = draw(_continued(path, length, shortest, longest))
    other_origin = sum(len(path.lengths) for path in earlier) + continued.lengths.index(length)
    return vintages, origin, [*earlier, continued, *later], other_origin


@st.composite
def _path(draw: st.DrawFn, shortest: int, longest: int, *, with_predictor: bool) -> Path:
    """A path of drawn values, or a random walk, so that a long one costs hypothesis little."""
    size = draw(st.integers(shortest, longest))
    if draw(st.booleans()):
        values = random_walk(size, draw(st.integers(0, 99))).values
    else:
        values = np.array(draw(_exactly(size, _NUMBERS)))
    lengths = draw(st.lists(st.integers(shortest, size), min_size=1, max_size=6, unique=True))
    predictor = draw(_predictor(size)) if with_predictor else None
    return Path(values, tuple(sorted(lengths)), predictor)


@st.composite
def _continued(draw: st.DrawFn, path: Path, length: int, shortest: int, longest: int) -> Path:
    """The path up to a length, its origin there, and another future: none, or other values and other origins."""
    later = draw(st.lists(_LATER_NUMBERS, max_size=max(1, longest // 4)))
    values = np.append(path.values[:length], later)
    lengths = draw(st.lists(st.integers(shortest, len(values)), max_size=4))
    predictor = None
    if path.predictor is not None:
        predictor = np.concatenate([path.predictor[:, :length], draw(_predictor(len(later)))], axis=1)
    return Path(values, tuple(sorted({*lengths, length})), predictor)


@st.composite
def _predictor(draw: st.DrawFn, size: int) -> Values:
    """Recent changes of another variable, unknown at first."""
    changes = np.random.default_rng(draw(st.integers(0, 99))).normal(size=(PREDICTOR_ROWS, size))
    changes[:, : draw(st.integers(0, 3))] = np.nan
    return changes


def _exactly(size: int, numbers: st.SearchStrategy[float]) -> st.SearchStrategy[list[float]]:
    return st.lists(numbers, min_size=size, max_size=size)
