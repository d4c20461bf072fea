"""What installed packages add to Pulse: forecasters, stores and backends, by entry points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint
from importlib.metadata import entry_points as installed
from typing import Any, Final

import attrs

FORECASTERS: Final = "pulse.forecasters"
STORES: Final = "pulse.stores"
BACKENDS: Final = "pulse.backends"
GROUPS: Final = (FORECASTERS, STORES, BACKENDS)
"""A forecaster is a class with `forecast` or `hindcast`, or `fit` and `predict`; a store goes by the scheme of its
places and is called with the place; a backend is called with the number of workers, or None."""


@attrs.frozen(eq=False)
class Plugin:
    """What a package offers under a name in a group."""

    group: str
    name: str
    target: str
    package: str
    folder: str
    _entry_point: EntryPoint

    def load(self) -> Any:
        """Import it. Raises SettingsError, saying what happened."""
        from pulse_core.errors import SettingsError  # the core brings numpy, for which help must not wait

        try:
            return self._entry_point.load()
        except Exception as error:  # whatever another package raises becomes one of ours
            message = f"{type(error).__name__}: {error}"
            raise SettingsError(
                [f"'{self.name}' of {self.package} ({self.target}) cannot be loaded: {message}"]
            ) from error


def plugins(group: str) -> Mapping[str, Plugin]:
    """Return what packages offer in a group, by name; of one name, the first package's in their order."""
    found: dict[str, Plugin] = {}
    for plugin in sorted(_all(group), key=lambda one: (one.name, one.package)):
        found.setdefault(plugin.name, plugin)
    return found


def plugin_names(group: str) -> tuple[str, ...]:
    """Return the names in a group."""
    return tuple(plugins(group))


def _all(group: str) -> Iterator[Plugin]:
    for one in installed(group=group):
        package = one.dist
        name = f"{package.name} {package.version}" if package is not None else "an unknown package"
        folder = str(package.locate_file("")) if package is not None else ""
        yield Plugin(group, one.name, one.value, name, folder, one)
