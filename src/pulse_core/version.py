"""The two version numbers that every record's key contains."""

from typing import Final

__version__: Final = "0.1.0"

METHOD_REVISION: Final = 6
"""Raised whenever a change to the code changes a number, so that no older record is recalled for it."""
