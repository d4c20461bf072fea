"""Adapters by name: a dotted path with the extra that installs its library, and registries of them by scheme."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import attrs

from pulse_adapters.location import Location
from pulse_core.errors import SettingsError
from pulse_core.extras import missing
from pulse_entrypoints.wiring.entry_points import plugins


@attrs.frozen
class Adapter:
    """The dotted path of an adapter, and the extra of `pulse-retrodiction` that installs the library it `needs`.

    The library is named where the adapter's module imports it only on use.
    """

    path: str
    extra: str = ""
    needs: str = ""

    def load(self) -> Any:
        """Import the adapter. Raises SettingsError with the install hint where a library is missing."""
        module, name = self.path.split(":")
        try:
            if self.needs:
                importlib.import_module(self.needs)
            return getattr(importlib.import_module(module), name)
        except ModuleNotFoundError as error:
            if not self.extra or (error.name or "").startswith("pulse_"):
                raise
            raise SettingsError([missing(error.name, self.extra)]) from error


@attrs.frozen
class Registry:
    """Stores or storages by scheme: the built-in ones first, then those of installed packages.

    Each is a function or class that is called with a Location and the command's settings, and opens nothing yet.
    """

    group: str
    built_in: Mapping[str, Adapter]

    def open(self, location: Location, settings: object) -> Any:
        """Return the store or storage of a location. Raises SettingsError for one that cannot be opened."""
        if location.scheme in self.built_in:
            return self.built_in[location.scheme].load()(location, settings)
        plugin = plugins(self.group).get(location.scheme)
        if plugin is None:
            message = f"no adapter for {location.scheme}://; name a local folder, or s3://bucket/folder"
            raise SettingsError([message])
        return plugin.open(location, settings)

    def needs(self, location: Location, extra: str) -> bool:
        """Whether the adapter of a location comes with this extra of `pulse-retrodiction`."""
        return location.scheme in self.built_in and self.built_in[location.scheme].extra == extra
