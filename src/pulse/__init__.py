"""Pulse for people: the package to import.

`forecasters_of` finds the forecasters that a spec names; `pulse.testing` holds the contract suites for plug-ins.
Services that embed Pulse import `pulse_core`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulse_core.version import __version__

if TYPE_CHECKING:
    from pulse_core.forecasters.base import Forecaster
    from pulse_core.spec import RunSpec

__all__ = ["__version__", "forecasters_of"]


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
