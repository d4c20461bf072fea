"""The software that numbers depend on: versions that must be the same on all machines of a run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import attrs

from pulse_core.version import METHOD_REVISION

PULSE = "pulse-retrodiction"
PACKAGES = (PULSE, "numpy")
_SHOWN_NAMES = {PULSE: "pulse"}


@attrs.frozen
class Software:
    """Versions by name; None where a package is missing. Of Python the first two numbers count."""

    versions: Mapping[str, str | None]

    @classmethod
    @cache
    def here(cls) -> Software:
        """Return the versions in this process."""
        installed = {name: _installed(name) for name in PACKAGES}
        return cls(
            {"python": "{}.{}".format(*sys.version_info[:2]), **installed, "method revision": str(METHOD_REVISION)}
        )

    @classmethod
    def reported(cls, packages: Mapping[str, str | None]) -> Software:
        """Return the versions that Dask reports of a worker; it knows no method revision."""
        python = ".".join(str(packages.get("python")).split(".")[:2])
        return cls({"python": python, **{name: packages.get(name) for name in PACKAGES}})

    def differences(self, other: Software) -> list[str]:
        """Say which versions of another process are not those of this one."""
        return [
            f"{_SHOWN_NAMES.get(name, name)} {_text(version)} where {_text(self.versions.get(name))} is expected"
            for name, version in other.versions.items()
            if version != self.versions.get(name)
        ]


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _text(version: str | None) -> str:
    return "not installed" if version is None else version
