"""Forecasters as a caller gives them: names, classes and instances, alone, in a list, or as a dict by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pulse_adapters.forecasters.objects import Named, named_forecaster
from pulse_core.errors import SettingsError
from pulse_core.forecasters.base import Forecaster

_OPTIONS: Final = ("forecasters", "benchmark")


def named(options: Mapping[str, Any]) -> tuple[tuple[Forecaster, ...], dict[str, Any]]:
    """Return the forecasters among the options that are no names, and the options with names in their place.

    Raises SettingsError with all problems.
    """
    refit_every = options.get("refit_every") or 1
    forecasters: dict[str, Forecaster] = {}
    problems: list[str] = []
    changed = dict(options)
    for option in _OPTIONS:
        value = options.get(option)
        if value is None or isinstance(value, str):
            continue
        entries = _entries(value)
        names = []
        for name, item in entries:
            try:
                given = Named(item, None) if isinstance(item, str) else named_forecaster(item, name, int(refit_every))
            except SettingsError as error:
                problems.extend(f"{option}: {problem}" for problem in error.problems)
                continue
            names.append(given.name)
            if given.forecaster is not None:
                if given.name in forecasters and forecasters[given.name] != given.forecaster:
                    problems.append(_twice(option, given.name))
                forecasters[given.name] = given.forecaster
        changed[option] = names if option == "forecasters" else names[0] if names else None
    if problems:
        raise SettingsError(problems)
    return tuple(forecasters.values()), changed


def _entries(value: Any) -> Iterable[tuple[str | None, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return [(None, item) for item in value]
    return [(None, value)]


def _twice(option: str, name: str) -> str:
    return f"{option}: two are named '{name}'; name them in a dict, such as {{'first': ..., 'second': ...}}"
