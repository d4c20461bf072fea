"""Forecasters given as classes and instances of Python, in place of names.

A class that can be imported goes by its name, as on the command line: library classes as `library:Class`, others as
`module:Class`. A class of a notebook's cell or of a function, and every instance, goes by value: other processes get a
copy of it, made by cloudpickle.
"""

from __future__ import annotations

import copy
import hashlib
import inspect
import pickle
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import attrs

from pulse_adapters.forecasters.imported import ImportedForecaster, can_forecast, declared, imported, model_of
from pulse_adapters.forecasters.libraries import LIBRARIES, library_forecaster, object_forecaster
from pulse_core.errors import SettingsError
from pulse_core.forecasters.base import Forecaster

_PICKLER: Final = "cloudpickle"
_NEEDED: Final = "a method forecast(history, horizon), or fit(history) and predict(fitted, history, horizon)"


@attrs.frozen
class Named:
    """A forecaster and its name; none where the name alone is enough."""

    name: str
    forecaster: Forecaster | None


class PassedObject:
    """A class or an instance as it was given. It pickles by value, with what it uses of its module."""

    def __init__(self, source: Any) -> None:
        self.source = source

    def __reduce__(self) -> tuple[Callable[..., PassedObject], tuple[Any]]:
        if find_spec(_PICKLER) is not None:
            return _unpickled, (_pickled(self.source),)
        if _kind(self.source).__module__ == "__main__" and getattr(sys.modules["__main__"], "__file__", None) is None:
            raise _cannot_be_sent(self.source, "it is defined in a notebook or at a prompt")
        return PassedObject, (self.source,)

    def instance(self) -> Any:
        """Return a new instance, which leaves no traces in what was given."""
        return self.source() if inspect.isclass(self.source) else copy.deepcopy(self.source)


@attrs.frozen
class PassedForecaster(ImportedForecaster):
    """A forecaster by its class or instance; see ImportedForecaster for what that needs."""

    source: PassedObject = attrs.field(kw_only=True, eq=False, repr=False)

    def _model(self) -> Forecaster:
        return model_of(self.name, self.version, self.source.instance(), self.refit_every)


def named_forecaster(source: Any, name: str | None = None, refit_every: int = 1) -> Named:
    """Return the forecaster behind a class or an instance, under a name or one of its own.

    Raises SettingsError with the reason where it cannot forecast.
    """
    kind = _kind(source)
    library = kind.__module__.partition(".")[0]
    if inspect.isclass(source) and name is None:
        if library in LIBRARIES:
            path = f"{library}:{kind.__name__}"
            return Named(path, library_forecaster(path, refit_every=refit_every))
        if _is_importable(kind):
            path = f"{kind.__module__}:{kind.__qualname__}"
            return Named(path, imported(path, _folder(kind), refit_every))
    if library in LIBRARIES and not inspect.isclass(source):
        return _of_library(source, name, library, refit_every)
    if Forecaster in kind.__mro__ and not inspect.isclass(source) and name is None:
        return Named(source.name, source)
    return _by_value(source, name or kind.__name__, kind, refit_every)


def _of_library(source: Any, name: str | None, library: str, refit_every: int) -> Named:
    name = name or " ".join(repr(source).split())
    forecaster = object_forecaster(name, library, source, refit_every)
    return Named(forecaster.name, forecaster)


def _by_value(source: Any, name: str, kind: type[Any], refit_every: int) -> Named:
    if not can_forecast(kind):
        raise SettingsError([f"forecaster '{name}': {kind.__name__} has no {_NEEDED.removeprefix('a ')}"])
    try:
        instance = PassedObject(source).instance()
    except Exception as error:  # whatever a custom class raises becomes a SettingsError
        raise SettingsError([f"forecaster '{name}': a new instance raised {type(error).__name__}: {error}"]) from error
    version = _version(source, kind)
    attributes = declared(name, instance, model_of(name, version, instance, refit_every))
    return Named(name, PassedForecaster(name, version, "", refit_every, source=PassedObject(source), **attributes))


def _version(source: Any, kind: type[Any]) -> str:
    """Return the version that the class declares, with the instance's state; else the hash of the copy itself."""
    version = getattr(kind, "version", None)
    if isinstance(version, str | int | float):
        state = "" if inspect.isclass(source) else f", {sorted(vars(source).items())!r}"
        return f"{version}{state}"
    try:
        return f"sha256:{hashlib.sha256(_pickled(source)).hexdigest()}"
    except SettingsError:  # it can serve in this process alone, and is another one in the next
        return f"in this process: {id(kind)} {uuid4().hex}"


def _is_importable(kind: type[Any]) -> bool:
    if kind.__module__ == "__main__" or "." in kind.__qualname__ or kind.__module__ not in sys.modules:
        return False
    return getattr(import_module(kind.__module__), kind.__qualname__, None) is kind


def _folder(kind: type[Any]) -> Path:
    """Return the folder from which the class's module is imported."""
    file = getattr(sys.modules[kind.__module__], "__file__", None)
    if file is None:
        return Path.cwd()
    folder = Path(file).resolve().parent
    depth = kind.__module__.count(".") + (Path(file).name == "__init__.py")
    return folder.parents[depth - 1] if depth else folder


def _pickled(source: Any) -> bytes:
    """Return a copy as bytes. Raises SettingsError where it cannot be made, with the ways out."""
    try:
        return bytes(import_module(_PICKLER).dumps(source))
    except Exception as error:  # a foreign object's pickling may raise anything
        raise _cannot_be_sent(source, str(error)) from error


def _cannot_be_sent(source: Any, reason: str) -> SettingsError:
    ways = "put the class into a module and import it, or use backend='serial'"
    if find_spec(_PICKLER) is None:
        ways = f"install {_PICKLER} (pip install {_PICKLER}), {ways}"
    return SettingsError([f"forecaster {_kind(source).__name__} cannot be sent to other processes ({reason}); {ways}"])


def _kind(source: Any) -> type[Any]:
    kind: type[Any] = source if inspect.isclass(source) else type(source)
    return kind


def _unpickled(content: bytes) -> PassedObject:
    return PassedObject(pickle.loads(content))  # noqa: S301  # made by `_pickled` of this run
