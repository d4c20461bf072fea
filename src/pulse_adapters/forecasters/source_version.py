"""The version of a forecaster's source: what a record's key holds of code that is not part of Pulse.

It is the one place that decides when a forecast by such code is out of date. Today it hashes the file of the class; a
class whose forecasts depend on other files names its version by itself.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def source_version(kind: type[Any], module: ModuleType) -> str:
    """Return the class attribute `version`, else the SHA-256 of the file of the class's module.

    `module` is where the class was looked up. Raises ValueError, with the reason, where there is neither.
    """
    version = getattr(kind, "version", None)
    if isinstance(version, str | int | float):
        return str(version)
    if version is not None:
        raise ValueError(f"its attribute 'version' must be text, got {version!r}")
    path = getattr(sys.modules.get(kind.__module__, module), "__file__", None)
    if path is None:
        raise ValueError("its module has no file to tell versions by; give the class an attribute 'version'")
    return f"sha256:{hashlib.sha256(Path(path).read_bytes()).hexdigest()}"
