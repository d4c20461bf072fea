"""Forecasters on logarithms: what adds up there multiplies in levels. Logarithms and powers are the kernel's own."""

from __future__ import annotations

import attrs
import numpy as np

from pulse_core.forecasters.base import Histories, InPlaceForecaster, Values
from pulse_core.kernel import hindcasts as kernel
from pulse_core.kernel import special


@attrs.frozen
class OnLogarithms(InPlaceForecaster):
    """Another forecaster on the logarithms of the values: exp of what it forecasts of them.

    Named as the other one after `log-`. Nothing at an origin that knows a value of 0 or below. The forecast is the
    median where the logarithm's is: no variance is added. Values are taken over the first one of their history: so a
    constant is forecast to go on to the bit, and values times a power of two give the same bits times that power.
    """

    of: InPlaceForecaster
    own_version: str = "1"

    @property
    def name(self) -> str:
        """The name in results."""
        return f"log-{self.of.name}"

    @property
    def version(self) -> str:
        """See Forecaster."""
        return f"{self.own_version} of {self.of.version}"

    @property
    def season(self) -> int | None:
        """See Forecaster."""
        return self.of.season

    @property
    def in_combinations(self) -> bool:
        """See Forecaster."""
        return self.of.in_combinations

    @property
    def ignores_seasons(self) -> bool:
        """See Forecaster."""
        return self.of.ignores_seasons

    @property
    def seasons_needed(self) -> int:
        """See Forecaster."""
        return self.of.seasons_needed

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        self.of.hindcast_into(in_logarithms(histories), out)
        kernel.exponentials(out)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # what is infinite is no forecast
            for path, origins in histories.by_path:
                out[origins] *= histories.paths[path][0]


def in_logarithms(histories: Histories) -> Histories:
    """Return the histories with the logarithms of their values over the first, NaN for a value of 0 or below."""
    if "logarithms" not in histories.shared:
        histories.shared["logarithms"] = attrs.evolve(histories, paths=tuple(map(_logarithms, histories.paths)))
    logarithms: Histories = histories.shared["logarithms"]
    return logarithms


def _logarithms(values: Values) -> Values:
    with np.errstate(all="ignore"):  # a ratio that is no float64 is no value
        ratios = values / values[0]
        return np.where((values > 0.0) & (ratios > 0.0) & np.isfinite(ratios), special.log(ratios), np.nan)
