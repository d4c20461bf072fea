"""Hindcasts: what every forecaster, combination and the ensemble forecasts at every origin of a variable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.backtest.custom_quantiles import CustomQuantiles, custom_quantiles
from pulse_core.errors import ForecasterFailed, PulseError
from pulse_core.forecasters.base import Forecaster, Histories, InPlaceForecaster, QuantileForecaster
from pulse_core.forecasters.numbers import real_numbers
from pulse_core.forecasters.registry import ForecasterSet
from pulse_core.kernel.bindings import whole_lanes
from pulse_core.kernel.hindcasts import withhold
from pulse_core.kernel.memory import on_lines
from pulse_core.levels import LEVELS
from pulse_core.spec import LEVEL

Array = NDArray[np.float64]

PerOrigin = Mapping[str, Array]
"""What forecasters that are called origin by origin forecast, by name; see forecast_rows."""


@attrs.frozen(eq=False)
class Hindcasts:
    """What was forecast by the forecasters `names`, of which the first `shown` are the run's.

    The others are simple forecasters that only check the benchmark.
    `cells` (origin, stride): forecaster after forecaster, its horizons side by side, NaN where there is no forecast and
    behind the last; the ensemble's column is NaN until the pass has filled it. `custom`: the quantiles that forecasters
    bring. `beyond_reason` (forecaster, horizon): how many forecasts of the period were beyond reason, and are none.
    """

    names: tuple[str, ...]
    shown: int
    horizon: int
    cells: Array
    custom: CustomQuantiles
    beyond_reason: NDArray[np.int64]

    @property
    def forecasts(self) -> Array:
        """The forecasts as a view, (origin, forecaster, horizon)."""
        count = len(self.names)
        return self.cells[:, : count * self.horizon].reshape(len(self.cells), count, self.horizon)


def hindcast(
    forecasters: ForecasterSet,
    histories: Histories,
    horizon: int,
    per_origin: PerOrigin,
    *,
    target: str = LEVEL,
    first: int = 0,
) -> Hindcasts:
    """Make all forecasts but the ensemble's; combinations are made of others (see ForecasterSet.combined).

    What is in `per_origin` is not made again. Forecasts beyond reason are none, and counted from the origin `first` on.
    Raises ForecasterFailed.
    """
    names = (*forecasters.names, *(forecaster.name for forecaster in forecasters.hidden))
    cells = on_lines(len(histories), whole_lanes(len(names) * horizon))
    cells[:, len(names) * horizon :] = np.nan
    custom = custom_quantiles(names, forecasters.custom_quantiles, per_origin)
    beyond_reason = np.zeros((len(names), horizon), dtype=np.int64)
    hindcasts = Hindcasts(names, len(forecasters.names), horizon, cells, custom, beyond_reason)
    forecasts = hindcasts.forecasts
    if forecasters.ensemble is not None:
        forecasts[:, names.index(forecasters.ensemble)] = np.nan
    for forecaster in (*forecasters.forecasters, *forecasters.hidden):
        _fill(forecasts[:, names.index(forecaster.name)], forecaster, histories, per_origin)
    _withhold(hindcasts, (*forecasters.forecasters, *forecasters.hidden), histories, first)
    combined = forecasters.combined(target)
    members = _members(forecasts, [names.index(forecaster.name) for forecaster in combined])
    for combination in forecasters.combinations:
        combination.combine_into(members, forecasts[:, names.index(combination.name)])
    for name, plain in forecasters.custom_quantiles.items():
        forecasts[:, names.index(name)] = forecasts[:, names.index(plain)]
        hindcasts.beyond_reason[names.index(name)] = hindcasts.beyond_reason[names.index(plain)]
    return hindcasts


def _withhold(hindcasts: Hindcasts, forecasters: Sequence[Forecaster], histories: Histories, first: int) -> None:
    """Withhold the forecasts of these that are beyond reason, and count those of the origins from `first` on."""
    rows = np.array([hindcasts.names.index(forecaster.name) for forecaster in forecasters], dtype=np.int64)
    counts = np.zeros((len(rows), hindcasts.horizon), dtype=np.int64)
    for path, origins in histories.by_path:
        lengths, cells = histories.origin_length[origins], hindcasts.cells[origins]
        withhold(histories.paths[path], lengths, cells, rows, counts, max(first - origins.start, 0))
    hindcasts.beyond_reason[rows] = counts


def _members(forecasts: Array, rows: Sequence[int]) -> Array:
    """Return some forecasters' forecasts, side by side at each origin; a view where they stand first."""
    if list(rows) == list(range(len(rows))):
        return forecasts[:, : len(rows)]
    return np.ascontiguousarray(forecasts[:, list(rows)])


def _fill(forecasts: Array, forecaster: Forecaster, histories: Histories, per_origin: PerOrigin) -> None:
    if forecaster.name in per_origin:
        forecasts[:] = per_origin[forecaster.name][0]
    elif isinstance(forecaster, InPlaceForecaster):
        forecaster.hindcast_into(histories, forecasts)
    else:
        unshared = attrs.evolve(histories)  # it shares no results with the others
        forecasts[:] = hindcasts_of(forecaster, unshared, forecasts.shape[1])


def hindcasts_of(forecaster: Forecaster, histories: Histories, horizon: int) -> Array:
    """Return a forecaster's hindcasts (origin, horizon). Raises ForecasterFailed whatever it raised."""
    return _checked(forecaster, forecaster.hindcast, histories, (len(histories.origin_path), horizon))


def row_count(forecaster: Forecaster) -> int:
    """Return how many rows a forecaster has: the point, and the quantiles if it brings any."""
    return 1 + len(LEVELS) if forecaster.brings_quantiles else 1


def forecast_rows(forecaster: Forecaster, histories: Histories, horizon: int) -> Array:
    """Return the points, then the quantiles of a forecaster that brings any; (row, origin, horizon), see row_count.

    Raises ForecasterFailed whatever it raised.
    """
    if not forecaster.brings_quantiles:
        return hindcasts_of(forecaster, histories, horizon)[None]
    expected = (row_count(forecaster), len(histories.origin_path), horizon)
    return _checked(forecaster, cast("QuantileForecaster", forecaster).hindcast_quantiles, histories, expected)


def is_repeatable(forecaster: Forecaster, histories: Histories, horizon: int) -> bool:
    """Whether a forecaster, asked twice at the newest origin, forecasts the same. Raises ForecasterFailed."""
    newest = len(histories) - 1
    values = histories.paths[histories.origin_path[newest]][: histories.origin_length[newest]]
    predictors = [changes[:, : len(values)] for changes in histories.predictors[histories.origin_path[newest] :][:1]]
    rows = [
        forecast_rows(
            forecaster,
            attrs.evolve(
                histories,
                paths=(values,),
                origin_path=np.zeros(1, int),
                origin_length=np.full(1, len(values)),
                predictors=predictors,
            ),
            horizon,
        )
        for _ in range(2)
    ]
    first, second = rows
    return np.array_equal(first, second, equal_nan=True)


def _checked(
    forecaster: Forecaster,
    method: Callable[[Histories, int], Array],
    histories: Histories,
    expected: tuple[int, ...],
) -> Array:
    context, hint = f"forecaster '{forecaster.name}'", "Correct it, or leave it out"
    try:
        rows = real_numbers(method(histories, expected[-1]))
    except PulseError:
        raise
    except (Exception, SystemExit) as error:  # whatever a forecaster raises becomes one of ours
        raise ForecasterFailed(f"{type(error).__name__}: {error}", context, hint) from error
    if rows.shape != expected:
        raise ForecasterFailed(f"returned shape {rows.shape}, expected {expected}", context, hint)
    return rows
