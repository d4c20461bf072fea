"""What the numbers depend on beside the data: the versions that must be the same wherever units are done."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import attrs

from pulse_core.version import METHOD_REVISION

PULSE = "pulse-retrodiction"
PACKAGES = (PULSE, "numpy")
_SHOWN = {PULSE: "pulse"}


@attrs.frozen
class Software:
    """Versions by name; None where a package is missing. Of Python the first two numbers count."""

    versions: Mapping[str, str | None]

    @classmethod
    @cache
    def here(cls) -> Software:
        """Return what is in this process."""
        installed = {name: _installed(name) for name in PACKAGES}
        return cls(
            {"python": "{}.{}".format(*sys.version_info[:2]), **installed, "method revision": str(METHOD_REVISION)}
        )

    @classmethod
    def reported(cls, packages: Mapping[str, str | None]) -> Software:
        """Return what Dask reports of a worker, which knows no method revision."""
        python = ".".join(str(packages.get("python")).split(".")[:2])
        return cls({"python": python, **{name: packages.get(name) for name in PACKAGES}})

    def differences(self, other: Software) -> list[str]:
        """Say what another process has that is not as here."""
        return [
            f"{_SHOWN.get(name, name)} {_said(there)} where {_said(self.versions.get(name))} is expected"
            for name, there in other.versions.items()
            if there != self.versions.get(name)
        ]


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _said(version: str | None) -> str:
    return "not installed" if version is None else version
