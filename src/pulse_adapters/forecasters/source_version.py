"""The version of a forecaster's source: what a record's key holds of code that is not part of Pulse.

It is the one place that decides when a forecast by such code is out of date. It hashes the class's module, the modules
that this one imports and those that they import: all that belong to no installed package, and all of the class's own
package. Of other packages it takes the versions. What it cannot follow, files that are read and modules whose names are
computed, it names; a class that depends on such has an attribute `version`, which is then part of the version.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import attrs

from pulse_adapters.forecasters.import_statements import import_statements

_IN_ALL_KEYS: Final = frozenset({"numpy", "pulse", "pulse_adapters", "pulse_core", "pulse_entrypoints"})
"""Packages whose versions are in the keys of all records."""


@attrs.frozen
class SourceVersion:
    """The version of a class, and what may change its forecasts without changing it, in the words of a message."""

    version: str
    unseen: tuple[str, ...]


def source_version(kind: type[Any], module: ModuleType) -> SourceVersion:
    """Return the version of a class: its attribute `version`, if it has one, and the hash of its sources.

    `module` is where the class was looked up. Raises ValueError, with the reason, for an attribute that is no text, and
    where there is neither a source nor an attribute.
    """
    declared = _declared(kind)
    modules = {module.__name__, *(ancestor.__module__ for ancestor in kind.__mro__)}
    sources = _Sources({_top(name) for name in (module.__name__, kind.__module__)})
    for name in sorted(modules):
        sources.add(name)
    if declared is not None:  # whoever names a version takes care of what cannot be seen
        return SourceVersion(f"{declared}, sha256:{sources.digest()}", ())
    if not sources.files.keys() & {module.__name__, kind.__module__}:
        raise ValueError("its module has no file to tell versions by; give the class an attribute 'version'")
    return SourceVersion(f"sha256:{sources.digest()}", tuple(sources.unseen))


def _declared(kind: type[Any]) -> str | None:
    declared = getattr(kind, "version", None)
    if declared is not None and not isinstance(declared, str | int | float):
        raise ValueError(f"its attribute 'version' must be text, got {declared!r}")
    return None if declared is None else str(declared)


class _Sources:
    """Modules, followed through what they import; `own` are the class's own packages by their first names."""

    def __init__(self, own: set[str]) -> None:
        self._own = own
        self._specs: dict[str, ModuleSpec | None] = {}
        self._is_followed: dict[str, bool] = {}
        """By a package's first name."""
        self.files: dict[str, str] = {}
        """Hashes of sources by the names of modules, so that they may lie anywhere."""
        self.versions: dict[str, str] = {}
        """Versions of installed packages by their names."""
        self.unseen: list[str] = []

    def digest(self) -> str:
        """Return a hash of the sources and versions."""
        text = json.dumps([sorted(self.files.items()), sorted(self.versions.items())])
        return hashlib.sha256(text.encode()).hexdigest()

    def add(self, name: str) -> None:
        """Add a module, the packages that it is in, and all that they import."""
        waiting = [name]
        while waiting:
            parts = waiting.pop().split(".")
            for length in range(1, len(parts) + 1):
                module = ".".join(parts[:length])
                if module not in self._specs and not _is_known(module):
                    waiting += self._imports(module)

    def _imports(self, module: str) -> tuple[str, ...]:
        """Add one module, and return the names of what it imports; none where it is not followed."""
        spec = self._specs[module] = self._spec(module)
        if spec is None:
            if module in sys.modules:
                self.unseen.append(f"module '{module}', which has no file")
            return ()
        top = _top(module)
        if top == module:
            installed = _installed(spec)
            self.versions |= installed
            self._is_followed[top] = not installed or top in self._own
        source = _source(spec) if self._is_followed.get(top, False) else None
        if source is None:
            return ()
        self.files[module] = hashlib.sha256(source).hexdigest()
        if not str(spec.origin).endswith(".py"):
            return ()  # a compiled module
        is_package = spec.submodule_search_locations is not None
        statements = import_statements(source, module if is_package else module.rpartition(".")[0])
        self.unseen += [f"{what} ({Path(str(spec.origin)).name}, line {line})" for what, line in statements.unseen]
        return statements.names

    def _spec(self, module: str) -> ModuleSpec | None:
        """Return where a module is, without importing anything; None for what is no module."""
        loaded = getattr(sys.modules.get(module), "__spec__", None)
        if loaded is not None:
            return loaded  # type: ignore[no-any-return]  # attributes of modules have no types
        parent = module.rpartition(".")[0]
        try:
            if not parent:
                return find_spec(module)
            within = self._specs[parent]
            locations = None if within is None else within.submodule_search_locations
            return None if locations is None else PathFinder.find_spec(module, list(locations))
        except (ImportError, ValueError):
            return None


def _installed(spec: ModuleSpec) -> Mapping[str, str]:
    """Return names and versions of the installed packages that a first module is part of; none for loose sources.

    A package that is installed as a link to its sources, "editable", is loose: they change under one version.
    """
    places = spec.submodule_search_locations or ([spec.origin] if spec.has_location and spec.origin else [])
    if not any(_has_packages(str(Path(place).parent)) for place in places):
        return {}
    return {name: version(name) for name in _distributions().get(spec.name, ())}


@cache
def _has_packages(folder: str) -> bool:
    return any(Path(folder).glob("*.dist-info"))


@cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


def _source(spec: ModuleSpec) -> bytes | None:
    """Return the bytes of a module's file; None for a namespace package, which has none."""
    read = getattr(spec.loader, "get_data", None)
    if read is None or not spec.has_location or spec.origin is None:
        return None
    return bytes(read(spec.origin))


def _is_known(module: str) -> bool:
    """Whether it is part of Python, or its version is in all keys."""
    top = _top(module)
    return top in sys.stdlib_module_names or top in _IN_ALL_KEYS


def _top(module: str) -> str:
    return module.partition(".")[0]
