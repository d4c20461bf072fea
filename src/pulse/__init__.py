"""Pulse for people: the package to import.

    import pulse
    run = pulse.train(df, horizon=5)
    run.scores, run.hindcasts, run.trust
    run.forecast(10)

`train` trains on data that you have, `load` opens a finished run; both return a `Run`. `forecasters_of` finds the
forecasters that a spec names; `pulse.testing` holds the contract suites for plug-ins. Services that embed Pulse import
`pulse_core`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulse_core.version import __version__

if TYPE_CHECKING:
    from pulse.loading import load
    from pulse.run import Run
    from pulse.training import train
    from pulse_core.forecasters.base import Forecaster
    from pulse_core.spec import RunSpec

__all__ = ["Run", "__version__", "forecasters_of", "load", "train"]

_MODULES = {"train": "pulse.training", "load": "pulse.loading", "Run": "pulse.run"}
"""What is loaded when its name is first used: importing `pulse` costs next to nothing."""


def __getattr__(name: str) -> Any:
    """Load a public name's module. Raises AttributeError for any other name."""
    if name not in _MODULES:
        raise AttributeError(f"module 'pulse' has no attribute '{name}'")
    from importlib import import_module

    globals()[name] = value = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})


def forecasters_of(spec: RunSpec) -> tuple[Forecaster, ...]:
    """Return the forecasters that a spec names beside the built-in ones, found as the command line finds them.

    These are models of libraries (`statsforecast:AutoETS`, `sklearn:Ridge`; the extra `models`), your own classes
    (`module:Name`, from the working folder) and plug-ins. They are for the field `forecasters` of RetrodictionTraining
    and Forecasting.

    Raises SettingsError with all problems: InvalidSpec for a name that nobody knows; where a library is not installed,
    the message has the command that installs it.
    """
    from pulse_entrypoints.wiring.composition import forecasters_of as named  # heavy, and used by few

    return named(spec)
