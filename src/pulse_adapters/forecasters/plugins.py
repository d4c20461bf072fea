"""Forecasters that installed packages offer as plug-ins, under plain names."""

from __future__ import annotations

from pathlib import Path

import attrs

from pulse_adapters.forecasters.imported import ImportedForecaster, imported
from pulse_core.errors import SettingsError
from pulse_core.forecasters.base import Forecaster, Histories, Values


@attrs.frozen
class PluginForecaster(Forecaster):
    """A class of an installed package under the name of its plug-in; see ImportedForecaster for what it needs."""

    name: str
    version: str
    inner: ImportedForecaster

    @property
    def per_origin(self) -> bool:
        """See Forecaster."""
        return self.inner.per_origin

    @property
    def brings_quantiles(self) -> bool:
        """See Forecaster."""
        return self.inner.brings_quantiles

    @property
    def season(self) -> int | None:
        """See Forecaster."""
        return self.inner.season

    @property
    def in_combinations(self) -> bool:
        """See Forecaster."""
        return self.inner.in_combinations

    @property
    def ignores_seasons(self) -> bool:
        """See Forecaster."""
        return self.inner.ignores_seasons

    @property
    def cost(self) -> float:
        """See Forecaster."""
        return self.inner.cost

    @property
    def unseen(self) -> tuple[str, ...]:
        """See Forecaster."""
        return self.inner.unseen

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """See Forecaster. Raises ForecasterFailed."""
        return self.inner.hindcast(histories, horizon)

    def hindcast_quantiles(self, histories: Histories, horizon: int) -> Values:
        """See QuantileForecaster. Raises ForecasterFailed."""
        return self.inner.hindcast_quantiles(histories, horizon)


def plugin_forecaster(name: str, target: str, folder: str, package: str, refit_every: int = 1) -> PluginForecaster:
    """Return the forecaster `target` (`module:Name`) of a package, whose modules lie in `folder`.

    Raises SettingsError, naming the package, where it cannot be imported.
    """
    try:
        inner = imported(target, Path(folder), refit_every)
    except SettingsError as error:
        raise SettingsError([f"forecaster '{name}' of {package}: {problem}" for problem in error.problems]) from error
    return PluginForecaster(name, f"{package}, {inner.version}", inner)
