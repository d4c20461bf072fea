"""The forecasts that every forecaster, combination and the ensemble would have made at every origin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, cast

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.backtest.calibration import LEVELS
from pulse_core.backtest.ensemble import EnsembleRun, run_ensemble
from pulse_core.backtest.learning import Lessons
from pulse_core.backtest.origins import Origins, Stretches
from pulse_core.backtest.own_quantiles import OwnQuotes, own_quotes
from pulse_core.errors import ForecasterFailed, PulseError
from pulse_core.forecasters.base import Forecaster, Histories, QuantileForecaster
from pulse_core.forecasters.registry import ForecasterSet

Array = NDArray[np.float64]

BLOCK: Final = 512
"""Origins that are combined at once."""


@attrs.frozen(eq=False)
class Hindcasts:
    """What was forecast, in the roster's order.

    `forecasts` (forecaster, origin, horizon), NaN where there is none; the ensemble's run, if any, and the names of
    those it weighs, in its order; the quantiles of those that bring their own.
    """

    forecasts: Array
    ensemble: EnsembleRun | None
    weighed: tuple[str, ...]
    own: OwnQuotes


def hindcast(
    roster: ForecasterSet,
    stretches: Stretches,
    origins: Origins,
    lessons: Lessons,
    given: Mapping[str, Array],
    *,
    keep_weights: bool = True,
) -> Hindcasts:
    """Make all forecasts; combinations and the ensemble are made of the roster's other forecasters.

    What some forecasters quote may be `given`, and is for those that bring quantiles; see quoted_by. The ensemble's
    weights at each origin are kept on request. Raises ForecasterFailed.
    """
    shape = (len(origins.variable), origins.released.shape[1])
    weighed = tuple(one.name for one in roster.forecasters)
    order = (*weighed, *(name for name in roster.names if name not in weighed))
    forecasts = np.full((len(order), *shape), np.nan)
    place = {name: forecasts[row] for row, name in enumerate(order)}
    for forecaster in roster.forecasters:
        _fill(place[forecaster.name], forecaster, stretches, given)
    alone = forecasts[: len(weighed)]
    for combination in roster.combinations:
        _in_blocks(combination.combine, alone, place[combination.name])
    for name, forecaster_name in roster.own_quantiles.items():
        place[name][:] = place[forecaster_name]
    ensemble = None
    if roster.ensemble is not None:
        ensemble = run_ensemble(alone, origins.released, origins.scale, lessons, keep_weights=keep_weights)
        place[roster.ensemble][:] = ensemble.forecasts
    if order != roster.names:
        forecasts = forecasts[[order.index(name) for name in roster.names]]
    return Hindcasts(forecasts, ensemble, weighed, own_quotes(roster.names, roster.own_quantiles, given))


def _fill(forecasts: Array, forecaster: Forecaster, stretches: Stretches, given: Mapping[str, Array]) -> None:
    if forecaster.name in given:
        forecasts[:] = given[forecaster.name][0]
    else:
        for places, histories in stretches:
            made = made_by(forecaster, histories, forecasts.shape[1])
            forecasts[places] = made
    infinite = np.isinf(forecasts)
    if infinite.any():
        forecasts[infinite] = np.nan


def _in_blocks(combine: Callable[[Array], Array], alone: Array, combined: Array) -> None:
    """Combine a block of origins at a time, so that what is computed on the way stays in a core's cache."""
    for first in range(0, len(combined), BLOCK):
        last = first + BLOCK
        combined[first:last] = combine(alone[:, first:last])


def made_by(forecaster: Forecaster, histories: Histories, horizon: int) -> Array:
    """Return a forecaster's hindcasts (origin, horizon). Raises ForecasterFailed whatever it raised."""
    return _checked(forecaster, forecaster.hindcast, histories, (len(histories.origin_path), horizon))


def quoted_rows(forecaster: Forecaster) -> int:
    """Return how many rows a forecaster quotes: the point, and the quantiles if it brings any."""
    return 1 + len(LEVELS) if forecaster.brings_quantiles else 1


def quoted_by(forecaster: Forecaster, histories: Histories, horizon: int) -> Array:
    """Return the points, then the quantiles of a forecaster that brings any; (row, origin, horizon), see quoted_rows.

    Raises ForecasterFailed whatever it raised.
    """
    if not forecaster.brings_quantiles:
        return made_by(forecaster, histories, horizon)[None]
    expected = (quoted_rows(forecaster), len(histories.origin_path), horizon)
    return _checked(forecaster, cast("QuantileForecaster", forecaster).hindcast_quantiles, histories, expected)


def _checked(
    forecaster: Forecaster,
    ask: Callable[[Histories, int], Array],
    histories: Histories,
    expected: tuple[int, ...],
) -> Array:
    place, hint = f"forecaster '{forecaster.name}'", "Mend it, or leave it out"
    try:
        made = np.asarray(ask(histories, expected[-1]), dtype=np.float64)
    except PulseError:
        raise
    except Exception as error:  # whatever a forecaster raises becomes one of ours
        raise ForecasterFailed(f"{type(error).__name__}: {error}", place, hint) from error
    if made.shape != expected:
        raise ForecasterFailed(f"returned shape {made.shape}, expected {expected}", place, hint)
    return made
