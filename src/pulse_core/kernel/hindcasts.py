"""The kernel's forecasters as typed Python functions: each writes what it would have forecast at the origins of a path.

`values` (n,) is the path, `lengths` (origin,) how many of them each origin knows (nondecreasing, from 1 to n), `out`
(origin, horizon) where the forecasts go: rows may lie apart, the steps of a row may not. NaN where there is none.
Grids of parameters are `padded`. A path is run along in stretches, so that a signal is heard between them. Arrays that
do not fit raise ValueError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from pulse_core.kernel.bindings import (
    LANES,
    Array,
    Positions,
    count,
    doubles,
    library,
    positions,
    rows,
    whole_lanes,
    writable,
)

LONGEST_STRETCH: Final = 1 << 16
"""Values that the kernel takes in one call: some 30 ms of the slowest forecaster."""

FIRST_STRETCH: Final = 1 << 12
"""Values of the first stretch where a table is as long as a stretch; each is as long as all before it together."""

AR_STATE: Final = 40

ORDERS: Final = 6
"""Orders of an autoregression, from 0 on."""

Penalties = Callable[[int, int], Array]
"""Return exp(penalty / n) of the orders at lengths first + 1 .. last: (last - first, ORDERS)."""


def naive(values: Array, lengths: Positions, out: Array) -> None:
    """Write the newest value."""
    _run(library().pulse_naive, values, lengths, out)


def drift(values: Array, lengths: Positions, out: Array) -> None:
    """Write the newest value and the mean step so far."""
    _run(library().pulse_drift, values, lengths, out)


def mean(values: Array, lengths: Positions, out: Array) -> None:
    """Write the mean so far."""
    _run(library().pulse_mean, values, lengths, out, doubles(np.empty(1), 1))


def window_mean(values: Array, lengths: Positions, out: Array, window: int) -> None:
    """Write the mean of the last `window` values."""
    _at_least_one("window", window)
    state = np.zeros(1 + window)
    _run(library().pulse_window_mean, values, lengths, out, doubles(state, 1 + window), count(window))


def ses_levels(values: Array, lengths: Positions, fade: Array, levels: Array, choices: Positions) -> None:
    """Write the level at each origin and the position of its alpha, both (origin,); `fade` (1, grid) is 1 - alpha."""
    grid, size = _grid(fade, 1)
    state = np.empty((2, size))
    path = doubles(values, len(values))
    _fit(lengths, writable(levels), writable(choices))
    for first, last, origins in stretches(values, lengths, LONGEST_STRETCH):
        number = origins.stop - origins.start
        library().pulse_ses_levels(
            path,
            *_stretch(lengths, first, last, origins),
            doubles(levels[origins], number),
            positions(choices[origins], number),
            grid,
            doubles(state, 2, size),
            count(size),
        )


def theta(values: Array, lengths: Positions, alphas: Array, smoothed: tuple[Array, Positions], out: Array) -> None:
    """Write the theta method's forecasts; `alphas` (1, grid); `smoothed`: what ses_levels wrote at the same origins."""
    grid, size = _grid(alphas, 1)
    state = np.empty(2 + size)
    levels, choices = smoothed
    path = doubles(values, len(values))
    _fit(lengths, levels, choices, writable(out))
    if len(choices) and not 0 <= choices.min() <= choices.max() < size:
        raise ValueError(f"expected choices of 0 to {size - 1}, got {choices.min()} to {choices.max()}")
    for first, last, origins in stretches(values, lengths, LONGEST_STRETCH):
        number = origins.stop - origins.start
        library().pulse_theta(
            path,
            *_stretch(lengths, first, last, origins),
            *_forecasts(out[origins], origins),
            doubles(levels[origins], number),
            positions(choices[origins], number),
            grid,
            doubles(state, 2 + size),
            count(size),
        )


def holt(values: Array, lengths: Positions, parameters: Array, out: Array) -> None:
    """Write the forecasts of Holt's method; `parameters` (3, grid): 1 - alpha, alpha beta, phi."""
    grid, size = _grid(parameters, 3)
    state = np.empty((3, size))
    damped = int((parameters[2] != 1.0).any())
    _run(library().pulse_holt, values, lengths, out, grid, doubles(state, 3, size), count(size), count(damped))


def dynamic_theta(values: Array, lengths: Positions, alphas: Array, weights: Array, out: Array) -> None:
    """Write the dynamic theta method's forecasts; `alphas` (2, grid): alpha, 1 - alpha; `weights` (weight,)."""
    grid, size = _grid(alphas, 2)
    number = len(weights)
    _at_least_one("number of weights", number)
    state = np.empty(3 + (3 + number) * size)
    addresses = grid, doubles(state, len(state)), count(size), doubles(weights, number), count(number)
    _run(library().pulse_dynamic_theta, values, lengths, out, *addresses)


def ar(values: Array, lengths: Positions, penalties: Penalties, out: Array, *, differenced: bool) -> None:
    """Write the forecasts of an autoregression, or of one on first differences, summed."""
    function = library().pulse_ari if differenced else library().pulse_ar
    state = np.empty(AR_STATE)
    path = doubles(values, len(values))
    _fit(lengths, writable(out))
    for first, last, origins in stretches(values, lengths, FIRST_STRETCH):
        end = stretch_end(first, FIRST_STRETCH)
        function(
            path,
            *_stretch(lengths, first, last, origins),
            *_forecasts(out[origins], origins),
            doubles(penalties(first, end), end - first, ORDERS),
            doubles(state, AR_STATE),
        )


def seasonal_naive(values: Array, lengths: Positions, season: int, out: Array) -> None:
    """Write the values of a season ago."""
    _at_least_one("season", season)
    _run(library().pulse_seasonal_naive, values, lengths, out, count(season))


def holt_winters(
    values: Array, lengths: Positions, parameters: Array, season: int, out: Array, *, flat: bool = False
) -> None:
    """Write the forecasts of Holt-Winters; `parameters` (4, grid): alpha, alpha beta, gamma (1 - alpha), phi.

    `flat`: it starts on the first season, without a trend; else on a line through the first two.
    """
    _at_least_one("season", season)
    grid, size = _grid(parameters, 4)
    state = np.empty((3 + season, size))
    addresses = grid, doubles(state, 3 + season, size)
    _run(library().pulse_holt_winters, values, lengths, out, *addresses, count(size), count(season), count(flat))


def double_seasonal(values: Array, lengths: Positions, parameters: Array, seasons: tuple[int, int], out: Array) -> None:
    """Write the forecasts from two seasons, the shorter first; `parameters` (4, grid): alpha, delta, omega, phi."""
    season, longer = seasons
    _at_least_one("season", season)
    if longer <= season:
        raise ValueError(f"expected a second season of more than {season} steps, got {longer}")
    grid, size = _grid(parameters, 4)
    state = np.empty((3 + season + longer, size))
    addresses = grid, doubles(state, *state.shape), count(size), count(season), count(longer)
    _run(library().pulse_double_seasonal, values, lengths, out, *addresses)


def adjusted(values: Array, lengths: Positions, season: int, factors: Array, *, ratios: bool) -> Array:
    """Return the path without its season, (n,), and write the season that its forecasts need into `factors`.

    Each value is adjusted by the season as known with it: divided where `ratios`, else lessened. The path is that of
    the origins that know two seasons or more; it holds nothing beyond the last origin.
    """
    _at_least_one("season", season)
    state, path = np.empty(1 + season), np.empty(len(values))
    addresses = doubles(path, len(path)), doubles(state, len(state))
    _run(library().pulse_adjust, values, lengths, factors, *addresses, count(season), count(ratios))
    return path


def exponentials(out: Array) -> None:
    """Replace each forecast of a logarithm by e to its power: within 1 unit in the last place."""
    if out.flags.c_contiguous:  # one row: no row ends within four numbers
        out = out.reshape(1, out.size)
    for first in range(0, len(out), LONGEST_STRETCH):
        block = writable(out)[first : first + LONGEST_STRETCH]
        library().pulse_exponentials(*rows(block, *block.shape), count(len(block)), count(block.shape[1]))


def mean_of_all(forecasts: Array, out: Array) -> None:
    """Write the mean of the finite ones of `forecasts` (origin, forecaster, horizon)."""
    _combine(library().pulse_mean_of_all, forecasts, out)


def median_of_all(forecasts: Array, out: Array) -> None:
    """Write the median of the finite ones of `forecasts` (origin, forecaster, horizon)."""
    _combine(library().pulse_median_of_all, forecasts, out)


def withhold(
    values: Array, lengths: Positions, cells: Array, forecasters: Positions, counts: Positions, first: int
) -> None:
    """Put NaN in the place of forecasts beyond reason, in `cells` (origin, forecaster x horizon); see kernel/reason.c.

    Judged are some `forecasters` alone; `counts` (forecaster, horizon) grow by what is withheld at the origins from
    `first` on.
    """
    number, horizons = counts.shape
    if len(forecasters) and not 0 <= forecasters.min() <= forecasters.max() < cells.shape[1] // horizons:
        raise ValueError(f"expected forecasters 0 to {cells.shape[1] // horizons - 1}, got {forecasters}")
    judged = positions(forecasters, number), count(number), count(horizons)
    to = positions(writable(counts), number, horizons)
    memory = doubles(np.empty(horizons), horizons), doubles(np.empty(3), 3)
    path = doubles(values, len(values))
    _fit(lengths, writable(cells))
    for begin, end, origins in stretches(values, lengths, LONGEST_STRETCH):
        stretch = _stretch(lengths, begin, end, origins)
        target = _forecasts(cells[origins], origins)
        counted = count(max(first - origins.start, 0))
        library().pulse_withhold(path, *stretch, *target, *judged, counted, to, *memory)


def padded(*parameters: Array) -> Array:
    """Return parameters (grid,) as (parameter, grid), as long as the kernel takes them: the last point repeated."""
    grid = np.stack(parameters)
    last = np.repeat(grid[:, -1:], whole_lanes(grid.shape[1]) - grid.shape[1], axis=1)
    return np.concatenate([grid, last], axis=1)


def stretches(values: Array, lengths: Positions, size: int) -> Iterator[tuple[int, int, slice]]:
    """Yield the stretches up to the last origin: first value, last value, the origins whose newest value is in it."""
    newest = int(lengths[-1]) if len(lengths) else 0
    if len(lengths) and not 1 <= lengths[0] <= newest <= len(values):
        raise ValueError(f"expected lengths of 1 to {len(values)}, got {lengths[0]} to {newest}")
    if len(lengths) > 2 and (lengths[1:] < lengths[:-1]).any():
        raise ValueError("expected lengths that do not fall")
    first, begin = 0, 0
    while first < newest:
        last = min(stretch_end(first, size), newest)
        end = len(lengths) if last == newest else int(np.searchsorted(lengths, last, side="right"))
        yield first, last, slice(begin, end)
        first, begin = last, end


def stretch_end(first: int, size: int) -> int:
    """Return where the stretch from `first` on ends, if the path goes on; `size` is the length of the first stretch."""
    return first + min(max(first, size), LONGEST_STRETCH)


def _run(function: Callable[..., None], values: Array, lengths: Positions, out: Array, *arguments: Any) -> None:
    path = doubles(values, len(values))
    _fit(lengths, writable(out))
    for first, last, origins in stretches(values, lengths, LONGEST_STRETCH):
        function(path, *_stretch(lengths, first, last, origins), *_forecasts(out[origins], origins), *arguments)


def _stretch(lengths: Positions, first: int, last: int, origins: slice) -> tuple[Any, ...]:
    number = origins.stop - origins.start
    return count(first), count(last), positions(lengths[origins], number), count(number)


def _forecasts(out: Array, origins: slice) -> tuple[Any, ...]:
    return *rows(out, origins.stop - origins.start, out.shape[1]), count(out.shape[1])


def _fit(lengths: Array | Positions, *of_origins: Array | Positions) -> None:
    """Raise ValueError unless each array has a row for each origin."""
    for array in of_origins:
        if len(array) != len(lengths):
            raise ValueError(f"expected {len(lengths)} origins, got {len(array)}")


def _at_least_one(name: str, number: int) -> None:
    if number < 1:
        raise ValueError(f"expected a {name} of 1 or more, got {number}")


def _grid(parameters: Array, height: int) -> tuple[Any, int]:
    """Return the address of a grid, and how many points it has."""
    size = parameters.shape[-1]
    if not size or size % LANES:
        raise ValueError(f"expected a grid of {LANES} points or a multiple, got {size}; see padded")
    return doubles(parameters, height, size), size


def _combine(function: Callable[..., None], forecasts: Array, out: Array) -> None:
    """Combine a block of origins at a time."""
    origins, forecasters, horizon = forecasts.shape
    _fit(forecasts, writable(out))
    scratch = np.empty((forecasters, LANES))
    for first in range(0, origins, LONGEST_STRETCH):
        block, target = forecasts[first : first + LONGEST_STRETCH], out[first : first + LONGEST_STRETCH]
        number = len(block)
        source = rows(block.reshape(number, forecasters * horizon, copy=False), number, forecasters * horizon)
        address, stride = rows(target, number, horizon)
        sizes = count(number), count(forecasters), count(horizon)
        function(*source, *sizes, address, stride, doubles(scratch, forecasters, LANES))
