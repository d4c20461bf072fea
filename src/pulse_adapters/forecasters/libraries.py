"""Forecasters of other libraries, named `library:Class`, such as statsforecast:AutoARIMA.

A library is a line in LIBRARIES and a file, which imports the library only inside its functions.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from typing import Any, Final, Protocol

import attrs
import numpy as np

from pulse_core.errors import ForecasterFailed, SettingsError
from pulse_core.extras import missing
from pulse_core.forecasters.base import PER_ORIGIN_COST, Forecaster, Histories, Positions, Values
from pulse_core.forecasters.per_origin import PerOriginForecaster
from pulse_core.levels import LEVELS

Warnings = tuple[tuple[type[Warning], str], ...]
"""Kinds of warnings: class, and a pattern that the message begins with or an empty text."""


class LibraryModel(Protocol):
    """What a library's file provides: a FittedForecaster with its version and the library's harmless warnings.

    A model with `quantiles` brings quantiles; see PerOriginForecaster.

    `fit` and `predict` leave no traces: equal arguments give equal forecasts, whatever was called in between.
    """

    @property
    def version(self) -> str:
        """The library's version and the parameters: what a record's key holds."""

    @property
    def seasons_needed(self) -> int:
        """See Forecaster; a model that needs a season is made without one only to be asked for its version."""

    @property
    def harmless(self) -> Warnings:
        """Warnings that say nothing about a forecast which its score does not say."""

    def fit(self, history: Values) -> Any:
        """See FittedForecaster."""

    def predict(self, fitted: Any, history: Values, horizon: int) -> Values:
        """See FittedForecaster."""


@attrs.frozen
class Library:
    """The path of the function that makes a model from (class name, season), and the extra that installs the library.

    The function raises ValueError, with the reason, for a class it does not serve. `of_object` is the path of the
    function that makes a model from an instance of the library's.
    """

    path: str
    extra: str
    of_object: str = ""

    def model(self, class_name: str, season: int | None) -> LibraryModel:
        """Import the library and make the model. Raises ModuleNotFoundError, ValueError."""
        module, function = self.path.split(":")
        model: LibraryModel = getattr(importlib.import_module(module), function)(class_name, season)
        return model

    def model_of(self, instance: Any) -> LibraryModel:
        """Make the model of an instance. Raises ValueError."""
        module, function = self.of_object.split(":")
        model: LibraryModel = getattr(importlib.import_module(module), function)(instance)
        return model


_LISTED: Final = 80
"""The names that a message lists at most."""

LIBRARIES: Final[Mapping[str, Library]] = {
    "statsforecast": Library(
        "pulse_adapters.forecasters.statsforecast_models:statsforecast_model",
        "models",
        "pulse_adapters.forecasters.statsforecast_models:statsforecast_object",
    ),
    "sklearn": Library(
        "pulse_adapters.forecasters.sklearn_models:sklearn_model",
        "models",
        "pulse_adapters.forecasters.sklearn_models:sklearn_object",
    ),
    "sktime": Library(
        "pulse_adapters.forecasters.sktime_models:sktime_model",
        "sktime",
        "pulse_adapters.forecasters.sktime_models:sktime_object",
    ),
}


@attrs.frozen
class LibraryForecaster(Forecaster):
    """A library's forecaster by its name, made anew wherever it is unpickled.

    Its season is the shortest of each variable, or `season` where that is not None.
    It is fitted at the first origin of a path, at every `refit_every`-th after it, and wherever a revision of older
    values begins a new path. So its forecasts do not depend on which variables share a unit.
    """

    name: str
    version: str
    season: int | None = None
    refit_every: int = 1
    brings_quantiles: bool = False
    seasons_needed: int = 0

    cost: float = PER_ORIGIN_COST
    per_origin: bool = attrs.field(default=True, init=False)

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """See Forecaster. Raises ForecasterFailed, also where this process has another version of the library."""
        forecasts = np.full((len(histories), horizon), np.nan)
        for origins, forecaster, path in self._by_path(histories):
            forecasts[origins] = forecaster.hindcast(path, horizon)
        return forecasts

    def hindcast_quantiles(self, histories: Histories, horizon: int) -> Values:
        """See QuantileForecaster. Raises ForecasterFailed as `hindcast` does."""
        forecasts = np.full((1 + len(LEVELS), len(histories), horizon), np.nan)
        for origins, forecaster, path in self._by_path(histories):
            forecasts[:, origins] = forecaster.hindcast_quantiles(path, horizon)
        return forecasts

    def _by_path(self, histories: Histories) -> Iterator[tuple[Positions, PerOriginForecaster, Histories]]:
        """Yield the origins of each path, the forecaster that is called for them, and their histories."""
        season = self.season or (histories.seasons[0] if histories.seasons else None)
        try:
            version = _version(self._model(self.season), self.refit_every)
            model = self._model(season)
        except SettingsError as error:
            raise self._failed(error.message) from error
        if version != self.version:
            raise self._failed(f"the run began with {self.version}, here is {version}")
        forecaster = PerOriginForecaster(self.name, self.version, model, self.refit_every)
        with calm(model.harmless):
            for _, positions in histories.by_path:
                origins = np.arange(positions.start, positions.stop)
                yield origins, forecaster, histories.select(origins)

    def _model(self, season: int | None) -> LibraryModel:
        return _model(self.name, season)

    def _failed(self, message: str) -> ForecasterFailed:
        return ForecasterFailed(message, f"forecaster '{self.name}'", "Install the same everywhere, or leave it out")


@attrs.frozen
class ObjectForecaster(LibraryForecaster):
    """A forecaster by an instance of a library's class, under any name; its season is in the instance."""

    library: str = attrs.field(kw_only=True)
    instance: Any = attrs.field(kw_only=True, eq=False, repr=False)

    def _model(self, season: int | None) -> LibraryModel:
        del season
        return LIBRARIES[self.library].model_of(self.instance)


def is_library_name(name: str) -> bool:
    """Whether a name is that of a library's forecaster; such names go before a module of the same name."""
    library, colon, _ = name.partition(":")
    return bool(colon) and library in LIBRARIES


def library_forecaster(name: str, season: int | None = None, refit_every: int = 1) -> LibraryForecaster:
    """Return the forecaster of this name, with a season of so many steps, or with each variable's own.

    Raises SettingsError where the library is missing (with the command that installs it), has no such class, or the
    class cannot forecast with the season alone.
    """
    model = _model(name, season)
    brings_quantiles = callable(getattr(model, "quantiles", None))
    needed = model.seasons_needed if season is None else 0
    return LibraryForecaster(name, _version(model, refit_every), season, refit_every, brings_quantiles, needed)


def object_forecaster(name: str, library: str, instance: Any, refit_every: int = 1) -> ObjectForecaster:
    """Return the forecaster of an instance of a library's class. Raises SettingsError where it cannot forecast."""
    try:
        model = LIBRARIES[library].model_of(instance)
    except ValueError as error:
        raise SettingsError([f"forecaster '{name}': {error}"]) from error
    version, brings_quantiles = _version(model, refit_every), callable(getattr(model, "quantiles", None))
    return ObjectForecaster(name, version, None, refit_every, brings_quantiles, library=library, instance=instance)


def state_of(instance: Any) -> str:
    """Return a text that differs where instances of one class do: part of the version of a model.

    It is the same in every process. (The bytes of pickle are not: they depend on which objects are one.)
    """
    state = _described(instance, ())
    return f"{type(instance).__name__} sha256:{hashlib.sha256(state.encode()).hexdigest()[:16]}"


def _described(value: Any, within: tuple[int, ...]) -> str:
    """Return a text of a value and all that it holds."""
    if id(value) in within:
        return "itself"
    within = (*within, id(value))
    if isinstance(value, np.ndarray):
        return f"array {value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    if isinstance(value, Mapping):
        items = sorted((str(key), _described(item, within)) for key, item in value.items())
        return f"{type(value).__name__}{items}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}{[_described(item, within) for item in value]}"
    return _described_object(value, within)


def _described_object(value: Any, within: tuple[int, ...]) -> str:
    if inspect.isclass(value) or inspect.isroutine(value):
        return f"{value.__module__}.{value.__qualname__}"
    if hasattr(value, "__dict__"):
        return f"{type(value).__module__}.{type(value).__qualname__} {_described(vars(value), within)}"
    return repr(value)


def class_of(class_name: str, offered: Mapping[str, type[Any]], arguments: Collection[str] = ()) -> type[Any]:
    """Return a class by its name. Raises ValueError for an unknown class, and for one that needs other `arguments`."""
    if class_name not in offered:
        lower = {name.lower(): name for name in offered}
        near = [lower[name] for name in get_close_matches(class_name.lower(), lower, n=3)]
        others = f" and {len(offered) - _LISTED} more" if len(offered) > _LISTED else ""
        there = f"it has {', '.join(list(offered)[:_LISTED])}{others}"
        hint = f"did you mean {' or '.join(near)}?" if near else there
        raise ValueError(f"the library has no '{class_name}'; {hint}")
    kind = offered[class_name]
    parameters = inspect.signature(kind).parameters.items()
    needed = sorted(name for name, parameter in parameters if parameter.default is parameter.empty)
    if missing := [name for name in needed if name not in arguments]:
        raise ValueError(
            f"it needs {', '.join(missing)}; construct it in a class of yours and name that class as module:Name"
        )
    return kind


@contextmanager
def calm(harmless: Warnings) -> Iterator[None]:
    """Compute with one thread, since parallel sums round differently, and without the harmless warnings.

    An overflow or a division by zero on the way to a forecast shows in the forecast, which is checked.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1), warnings.catch_warnings(), np.errstate(all="ignore"):
        for category, pattern in harmless:
            warnings.filterwarnings("ignore", pattern, category)
        yield


@cache
def _model(name: str, season: int | None) -> LibraryModel:
    prefix, _, class_name = name.partition(":")
    library = LIBRARIES[prefix]
    try:
        return library.model(class_name, season)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("pulse_"):
            raise
        raise SettingsError([f"forecaster '{name}': {missing(error.name, library.extra)}"]) from error
    except ValueError as error:
        raise SettingsError([f"forecaster '{name}': {error}"]) from error


def _version(model: LibraryModel, refit_every: int) -> str:
    return f"{model.version}, refit_every={refit_every}"
