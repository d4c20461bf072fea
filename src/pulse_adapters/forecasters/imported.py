"""A user's own forecaster, named `module:Name`, imported from the current folder or the installed packages.

The folder is put at the front of `sys.path`, as `python -m` and other runners do, here and in every worker.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
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

from pulse_core.backtest.calibration import LEVELS
from pulse_core.errors import ForecasterFailed, PulseError, SettingsError
from pulse_core.forecasters.base import ONE_PASS_COST, PER_ORIGIN_COST, Forecaster, Histories, Values
from pulse_core.forecasters.per_origin import PerOriginForecaster

_NAME: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


@attrs.frozen
class ImportedForecaster(Forecaster):
    """A forecaster by its name, found again wherever it is unpickled. `folder` is where its module may lie.

    Its class is instantiated without arguments, anew for every unit, so that none leaves traces in the next. It is
    `per_origin` (see PerOriginForecaster, which heeds `refit_every`) unless it has `hindcast`, and then
    `brings_quantiles` where it has `quantiles`.
    """

    name: str
    version: str
    folder: str
    refit_every: int = 1
    per_origin: bool = True
    brings_quantiles: bool = False
    cost: float = PER_ORIGIN_COST

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
            found = _find(self.name, self.folder)
            model = _made(found, self.name, self.refit_every)
        except SettingsError as error:
            raise self._failed(error.message) from error
        if found.version != self.version:
            raise self._failed("its source has changed since the run began")
        return model

    def _checked(
        self, ask: Callable[[Histories, int], Values], histories: Histories, expected: tuple[int, ...]
    ) -> Values:
        try:
            made = np.asarray(ask(histories, expected[-1]), dtype=np.float64)
        except PulseError:
            raise
        except Exception as error:  # whatever a user's code raises becomes one of ours
            raise self._failed(_told(error)) from error
        if made.shape != expected:
            raise self._failed(f"returned shape {made.shape}, expected {expected}")
        if np.isinf(made).any():
            raise self._failed("returned an infinite forecast")
        return made

    def _failed(self, message: str) -> ForecasterFailed:
        return ForecasterFailed(message, f"forecaster '{self.name}'", "Mend the forecaster, or leave it out")


def is_import_name(name: str) -> bool:
    """Whether a forecaster's name asks for an import."""
    return ":" in name


def imported(name: str, folder: Path, refit_every: int = 1) -> ImportedForecaster:
    """Import `module:Name` and see that it can serve. Raises SettingsError, saying what happened."""
    found = _find(name, str(folder))
    model = _made(found, name, refit_every)
    if isinstance(model, PerOriginForecaster):
        quantiles = model.brings_quantiles
        return ImportedForecaster(name, found.version, str(folder), refit_every, brings_quantiles=quantiles)
    cost = float(getattr(model, "cost", ONE_PASS_COST))
    return ImportedForecaster(name, found.version, str(folder), refit_every, per_origin=False, cost=cost)


@attrs.frozen
class _Found:
    """The class behind a name, and its version."""

    kind: type[Any]
    version: str


@cache
def _find(name: str, folder: str) -> _Found:
    if not _NAME.fullmatch(name):
        raise _refused(name, "expected module:Name, such as my_models:Best")
    module_name, class_name = name.split(":")
    module = _module(name, module_name, folder)
    kind = getattr(module, class_name, None)
    if kind is None:
        offered = sorted(key for key, value in vars(module).items() if _can_forecast(value))
        there = f"it has {', '.join(offered)}" if offered else "it has no class that forecasts"
        raise _refused(name, f"module '{module_name}' ({_place(module)}) has no '{class_name}'; {there}")
    if not inspect.isclass(kind):
        raise _refused(name, f"'{class_name}' in module '{module_name}' ({_place(module)}) is no class")
    if not _can_forecast(kind):
        needed = "forecast(history, horizon), nor fit(history) and predict(fitted, history, horizon)"
        raise _refused(name, f"class '{class_name}' in {_place(module)} has no method {needed}")
    return _Found(kind, _version(name, kind, module))


def _module(name: str, module_name: str, folder: str) -> ModuleType:
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise _refused(name, f"module '{module_name}' needs '{error.name}', which is not installed") from error
        raise _refused(name, f"there is no module '{error.name}' in {folder} or among the packages") from error
    except (Exception, SystemExit) as error:  # whatever a user's module raises becomes one of ours
        raise _refused(name, f"importing module '{module_name}' raised {_told(error)}") from error


def _made(found: _Found, name: str, refit_every: int) -> Forecaster:
    try:
        model = found.kind()
    except (Exception, SystemExit) as error:  # whatever a user's class raises becomes one of ours
        raise _refused(name, f"'{found.kind.__name__}()' without arguments raised {_told(error)}") from error
    if callable(getattr(model, "hindcast", None)):
        return model  # type: ignore[no-any-return]  # has what a Forecaster's caller uses
    return PerOriginForecaster(name, found.version, model, refit_every)


def _version(name: str, kind: type[Any], module: ModuleType) -> str:
    """Return the class attribute `version`, else the SHA-256 of the file that holds the class's module."""
    version = getattr(kind, "version", None)
    if isinstance(version, str | int | float):
        return str(version)
    if version is not None:
        raise _refused(name, f"its attribute 'version' must be text, got {version!r}")
    path = getattr(sys.modules.get(kind.__module__, module), "__file__", None)
    if path is None:
        raise _refused(name, "its module has no file to tell versions by; give the class an attribute 'version'")
    return f"sha256:{hashlib.sha256(Path(path).read_bytes()).hexdigest()}"


def _can_forecast(value: object) -> bool:
    if not inspect.isclass(value):
        return False
    has = {method for method in ("forecast", "hindcast", "fit", "predict") if callable(getattr(value, method, None))}
    return bool(has & {"forecast", "hindcast"}) or {"fit", "predict"} <= has


def _place(module: ModuleType) -> str:
    return str(getattr(module, "__file__", None) or "no file")


def _told(error: BaseException) -> str:
    """Return an error's kind, its text and the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    if isinstance(error, SyntaxError) and error.filename:
        place = f" at {error.filename}:{error.lineno}"
    return f"{type(error).__name__}: {error}{place}"


def _refused(name: str, why: str) -> SettingsError:
    return SettingsError([f"forecaster '{name}': {why}"])
