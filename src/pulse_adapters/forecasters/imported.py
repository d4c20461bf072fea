"""Custom forecasters named `module:Name`, imported from the current folder or the installed packages.

The folder is put at the front of `sys.path`, as `python -m` and other runners do, here and in every worker.
"""

from __future__ import annotations

import importlib
import inspect
import math
import re
import sys
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import attrs
import numpy as np

from pulse_adapters.forecasters.source_version import source_version
from pulse_core.errors import ForecasterFailed, PulseError, SettingsError
from pulse_core.forecasters.base import ONE_PASS_COST, PER_ORIGIN_COST, Forecaster, Histories, Values
from pulse_core.forecasters.per_origin import PerOriginForecaster
from pulse_core.levels import LEVELS

_NAME: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


@attrs.frozen
class ImportedForecaster(Forecaster):
    """A forecaster by its name, imported anew wherever it is unpickled. `folder` is where its module may lie.

    Its class is instantiated without arguments, anew for every unit, so that no unit leaves traces in the next. It is
    `per_origin` (see PerOriginForecaster, which obeys `refit_every`) unless the class has `hindcast`; it
    `brings_quantiles` where a class that is called origin by origin has `quantiles`. `season`, `cost`,
    `in_combinations` and `ignores_seasons` are its attributes of these names, where it has them.
    """

    name: str
    version: str
    folder: str
    refit_every: int = 1
    per_origin: bool = True
    brings_quantiles: bool = False
    season: int | None = None
    cost: float = PER_ORIGIN_COST
    in_combinations: bool = True
    ignores_seasons: bool = False
    unseen: tuple[str, ...] = ()

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """See Forecaster. Raises ForecasterFailed, also where the class is not the one that was named."""
        return self._checked(self._model().hindcast, histories, (len(histories), horizon))

    def hindcast_quantiles(self, histories: Histories, horizon: int) -> Values:
        """See QuantileForecaster. Raises ForecasterFailed, also where the class is not the one that was named."""
        model = self._model()
        if not isinstance(model, PerOriginForecaster):
            raise self._failed("it is not called origin by origin, so it brings no quantiles")
        return self._checked(model.hindcast_quantiles, histories, (1 + len(LEVELS), len(histories), horizon))

    def _model(self) -> Forecaster:
        try:
            source = _source(self.name, self.folder)
            model = model_of(self.name, source.version, _instance(self.name, source), self.refit_every)
        except SettingsError as error:
            raise self._failed(error.message) from error
        if source.version != self.version:
            raise self._failed("its source has changed since the run began, or that of what it imports")
        return model

    def _checked(
        self, method: Callable[[Histories, int], Values], histories: Histories, shape: tuple[int, ...]
    ) -> Values:
        try:
            forecasts = np.asarray(method(histories, shape[-1]), dtype=np.float64)
        except PulseError:
            raise
        except Exception as error:  # whatever custom code raises becomes a ForecasterFailed
            raise self._failed(_description(error)) from error
        if forecasts.shape != shape:
            raise self._failed(f"returned shape {forecasts.shape}, expected {shape}")
        if np.isinf(forecasts).any():
            raise self._failed("returned an infinite forecast")
        return forecasts

    def _failed(self, message: str) -> ForecasterFailed:
        return ForecasterFailed(message, f"forecaster '{self.name}'", "Correct the forecaster, or leave it out")


def is_import_name(name: str) -> bool:
    """Whether a forecaster's name is that of a class to import."""
    return ":" in name


def imported(name: str, folder: Path, refit_every: int = 1) -> ImportedForecaster:
    """Import `module:Name` and check that it can forecast. Raises SettingsError with the reason."""
    source = _source(name, str(folder))
    instance = _instance(name, source)
    model = model_of(name, source.version, instance, refit_every)
    attributes = declared(name, instance, model)
    return ImportedForecaster(name, source.version, str(folder), refit_every, **attributes, unseen=source.unseen)


def declared(name: str, instance: Any, model: Forecaster) -> dict[str, Any]:
    """Return what an instance declares of itself, as fields of ImportedForecaster. Raises SettingsError."""
    per_origin = isinstance(model, PerOriginForecaster)
    return {
        "per_origin": per_origin,
        "brings_quantiles": isinstance(model, PerOriginForecaster) and model.brings_quantiles,
        "season": _season(name, instance),
        "cost": _cost(name, instance, PER_ORIGIN_COST if per_origin else ONE_PASS_COST),
        "in_combinations": _flag(name, instance, "in_combinations", default=True),
        "ignores_seasons": _flag(name, instance, "ignores_seasons", default=False),
    }


def model_of(name: str, version: str, instance: Any, refit_every: int) -> Forecaster:
    """Return an instance as a Forecaster: itself where it has `hindcast`, else called origin by origin."""
    if callable(getattr(instance, "hindcast", None)):
        return instance  # type: ignore[no-any-return]  # has what a Forecaster's caller uses
    return PerOriginForecaster(name, version, instance, refit_every)


@attrs.frozen
class _Source:
    """The class behind a name, its version, and what that cannot see; see SourceVersion."""

    kind: type[Any]
    version: str
    unseen: tuple[str, ...]


@cache
def _source(name: str, folder: str) -> _Source:
    if not _NAME.fullmatch(name):
        raise _refused(name, "expected module:Name, such as my_models:Best")
    module_name, class_name = name.split(":")
    module = _module(name, module_name, folder)
    kind = getattr(module, class_name, None)
    if kind is None:
        offered = sorted(key for key, value in vars(module).items() if can_forecast(value))
        offer = f"it has {', '.join(offered)}" if offered else "it has no class that forecasts"
        raise _refused(name, f"module '{module_name}' ({_file(module)}) has no '{class_name}'; {offer}")
    if not inspect.isclass(kind):
        raise _refused(name, f"'{class_name}' in module '{module_name}' ({_file(module)}) is no class")
    if not can_forecast(kind):
        needed = "forecast(history, horizon), nor fit(history) and predict(fitted, history, horizon)"
        raise _refused(name, f"class '{class_name}' in {_file(module)} has no method {needed}")
    try:
        made = source_version(kind, module)
    except ValueError as error:
        raise _refused(name, str(error)) from error
    return _Source(kind, made.version, made.unseen)


def _module(name: str, module_name: str, folder: str) -> ModuleType:
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise _refused(name, f"module '{module_name}' needs '{error.name}', which is not installed") from error
        raise _refused(name, f"there is no module '{error.name}' in {folder} or among the packages") from error
    except (Exception, SystemExit) as error:  # whatever a custom module raises becomes a SettingsError
        raise _refused(name, f"importing module '{module_name}' raised {_description(error)}") from error


def _instance(name: str, source: _Source) -> Any:
    try:
        return source.kind()
    except (Exception, SystemExit) as error:  # whatever a custom class raises becomes a SettingsError
        raise _refused(name, f"'{source.kind.__name__}()' without arguments raised {_description(error)}") from error


def _season(name: str, instance: Any) -> int | None:
    season = getattr(instance, "season", None)
    if season is None:
        return None
    if type(season) is not int or season < 1:
        raise _refused(name, f"its attribute 'season' must be a whole number of at least 1, got {season!r}")
    return season


def _flag(name: str, instance: Any, attribute: str, *, default: bool) -> bool:
    """Return an attribute that is true or false."""
    flag = getattr(instance, attribute, default)
    if type(flag) is not bool:
        raise _refused(name, f"its attribute '{attribute}' must be True or False, got {flag!r}")
    return flag


def _cost(name: str, instance: Any, default: float) -> float:
    """Return roughly how many seconds an origin takes."""
    cost = getattr(instance, "cost", default)
    if not isinstance(cost, int | float) or not (math.isfinite(cost) and cost > 0):
        raise _refused(name, f"its attribute 'cost' must be seconds per origin, above 0, got {cost!r}")
    return float(cost)


def can_forecast(value: object) -> bool:
    """Whether it is a class with the methods that forecasting needs."""
    if not inspect.isclass(value):
        return False
    has = {method for method in ("forecast", "hindcast", "fit", "predict") if callable(getattr(value, method, None))}
    return bool(has & {"forecast", "hindcast"}) or {"fit", "predict"} <= has


def _file(module: ModuleType) -> str:
    return str(getattr(module, "__file__", None) or "no file")


def _description(error: BaseException) -> str:
    """Return an error's kind, its text and the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    line = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    if isinstance(error, SyntaxError) and error.filename:
        line = f" at {error.filename}:{error.lineno}"
    return f"{type(error).__name__}: {error}{line}"


def _refused(name: str, reason: str) -> SettingsError:
    return SettingsError([f"forecaster '{name}': {reason}"])
