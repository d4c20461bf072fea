"""The forecasts that every forecaster, combination and the ensemble would have made at every origin."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.ensemble import EnsembleRun, run_ensemble
from pulse_core.errors import ForecasterFailed, PulseError
from pulse_core.forecasters import Roster
from pulse_core.forecasters.base import Forecaster, Histories
from pulse_core.learning import Lessons
from pulse_core.origins import Origins, Stretches

Array = NDArray[np.float64]


@attrs.frozen(eq=False)
class Hindcasts:
    """What was forecast, in the roster's order.

    `forecasts` (forecaster, origin, horizon), NaN where there is none; the ensemble's run, if any, and the names of
    those it weighs, in its order.
    """

    forecasts: Array
    ensemble: EnsembleRun | None
    weighed: tuple[str, ...]


def hindcast(
    roster: Roster, stretches: Stretches, origins: Origins, lessons: Lessons, given: Mapping[str, Array]
) -> Hindcasts:
    """Make all forecasts; combinations and the ensemble are made of the roster's other forecasters.

    Those of some forecasters may be `given` (origin, horizon). Raises ForecasterFailed.
    """
    horizon = origins.released.shape[1]
    made: dict[str, Array] = {}
    for forecaster in roster.forecasters:
        forecasts = np.full((len(origins.variable), horizon), np.nan)
        if forecaster.name in given:
            forecasts[:] = given[forecaster.name]
        else:
            for places, histories in stretches:
                forecasts[places] = made_by(forecaster, histories, horizon)
        forecasts[~np.isfinite(forecasts)] = np.nan
        made[forecaster.name] = forecasts
    alone = np.stack(list(made.values()))
    for combination in roster.combinations:
        made[combination.name] = combination.combine(alone)
    ensemble = None
    if roster.ensemble is not None:
        ensemble = run_ensemble(alone, origins.released, origins.scale, lessons)
        made[roster.ensemble] = ensemble.forecasts
    return Hindcasts(
        np.stack([made[name] for name in roster.names]), ensemble, tuple(one.name for one in roster.forecasters)
    )


def made_by(forecaster: Forecaster, histories: Histories, horizon: int) -> Array:
    """Return a forecaster's hindcasts (origin, horizon). Raises ForecasterFailed whatever it raised."""
    place, mend = f"forecaster '{forecaster.name}'", "Mend it, or leave it out"
    try:
        made = np.asarray(forecaster.hindcast(histories, horizon), dtype=np.float64)
    except PulseError:
        raise
    except Exception as error:  # whatever a forecaster raises becomes one of ours
        raise ForecasterFailed(f"{type(error).__name__}: {error}", place, mend) from error
    expected = (len(histories.origin_path), horizon)
    if made.shape != expected:
        raise ForecasterFailed(f"returned shape {made.shape}, expected {expected}", place, mend)
    return made
