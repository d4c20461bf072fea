"""Pulse for people: the package to import.

`pulse.testing` holds the contract suites for plug-ins. Services that embed Pulse import `pulse_core`.
"""

from pulse_core.version import __version__

__all__ = ["__version__"]
