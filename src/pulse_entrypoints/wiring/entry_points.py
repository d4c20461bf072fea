"""Plug-ins: the forecasters, stores, storages and backends that installed packages add by entry points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint
from importlib.metadata import entry_points as installed
from typing import Any, Final

import attrs

from pulse_adapters.location import Location

FORECASTERS: Final = "pulse.forecasters"
STORES: Final = "pulse.stores"
STORAGES: Final = "pulse.storages"
BACKENDS: Final = "pulse.backends"
GROUPS: Final = (FORECASTERS, STORES, STORAGES, BACKENDS)
"""A forecaster is a class with `forecast` or `hindcast`, or `fit` and `predict`. A store or storage goes by its scheme
and is called with a Location and the command's settings. A backend is called with the number of workers, or None."""


@attrs.frozen(eq=False)
class Plugin:
    """An object of an installed package, under a name in a group."""

    group: str
    name: str
    target: str
    package: str
    folder: str
    _entry_point: EntryPoint

    def load(self) -> Any:
        """Import the object. Raises SettingsError with the error of the import."""
        from pulse_core.errors import SettingsError  # the core brings numpy, for which help must not wait

        try:
            return self._entry_point.load()
        except Exception as error:  # whatever another package raises becomes one of ours
            message = f"{type(error).__name__}: {error}"
            raise SettingsError(
                [f"'{self.name}' of {self.package} ({self.target}) cannot be loaded: {message}"]
            ) from error

    def open(self, location: Location, settings: object) -> Any:
        """Return the store or storage of a location. Raises SettingsError with the error of the package."""
        from pulse_core.errors import PulseError, SettingsError

        factory = self.load()
        try:
            return factory(location, settings)
        except PulseError:
            raise
        except Exception as error:  # whatever another package raises becomes one of ours
            message = f"'{self.name}' of {self.package} ({self.target}) cannot be opened"
            raise SettingsError([f"{message}: {type(error).__name__}: {error}"]) from error


def plugins(group: str) -> Mapping[str, Plugin]:
    """Return the plug-ins of a group by name; of several with one name, that of the first package by name."""
    by_name: dict[str, Plugin] = {}
    for plugin in sorted(_all(group), key=lambda plugin: (plugin.name, plugin.package)):
        by_name.setdefault(plugin.name, plugin)
    return by_name


def plugin_names(group: str) -> tuple[str, ...]:
    """Return the names in a group."""
    return tuple(plugins(group))


def _all(group: str) -> Iterator[Plugin]:
    for entry_point in installed(group=group):
        package = entry_point.dist
        name = f"{package.name} {package.version}" if package is not None else "an unknown package"
        folder = str(package.locate_file("")) if package is not None else ""
        yield Plugin(group, entry_point.name, entry_point.value, name, folder, entry_point)
