"""Forecasters as a caller gives them: names, classes and instances, alone, in a list, or as a dict by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pulse_adapters.forecasters.objects import named_forecaster
from pulse_core.errors import InvalidSpec, SettingsError
from pulse_core.forecasters.base import Forecaster
from pulse_core.forecasters.registry import resolve

_ANOTHER: Final = "naive"
_OPTIONS: Final = ("forecasters", "benchmark")


def named(options: Mapping[str, Any]) -> tuple[tuple[Forecaster, ...], dict[str, Any]]:
    """Return the forecasters among the options that are no names, and the options with names in their place.

    Raises SettingsError with all problems.
    """
    forecasters: dict[str, Forecaster] = {}
    problems: list[str] = []
    changed = dict(options)
    for option in _OPTIONS:
        value = options.get(option)
        if value is None or isinstance(value, str):
            continue
        names = []
        for name, item in _entries(value):
            try:
                names.append(_add(item, name, _refit_every(options), forecasters))
            except SettingsError as error:
                problems.extend(f"{option}: {problem}" for problem in error.problems)
        changed[option] = names if option == "forecasters" else "".join(names[:1])
    if problems:
        raise SettingsError(problems)
    return tuple(forecasters.values()), changed


def _add(item: Any, name: str | None, refit_every: int, forecasters: dict[str, Forecaster]) -> str:
    """Add the forecaster behind a name, class or instance, unless its name is enough; return its name."""
    if isinstance(item, str):
        return item
    given = named_forecaster(item, name, refit_every)
    if given.forecaster is None:
        return given.name
    if _is_built_in(given.name):
        raise SettingsError([f"'{given.name}' is the name of a built-in forecaster; choose another"])
    if forecasters.setdefault(given.name, given.forecaster) != given.forecaster:
        hint = "name them in a dict, such as {'first': ..., 'second': ...}"
        raise SettingsError([f"two are named '{given.name}'; {hint}"])
    return given.name


def _refit_every(options: Mapping[str, Any]) -> int:
    """Return the option where it is sound; the layers of settings report one that is not."""
    value = options.get("refit_every", 1)
    return int(str(value)) if str(value).isdecimal() else 1


def _entries(value: Any) -> Iterable[tuple[str | None, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return [(None, item) for item in value]
    return [(None, value)]


def _is_built_in(name: str) -> bool:
    try:
        resolve([_ANOTHER, name])  # a combination needs another forecaster beside it
    except InvalidSpec:
        return False
    return True
