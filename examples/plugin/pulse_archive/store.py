"""A store of variables in one archive of numpy arrays (`.npz`): `--data archive://data.npz`."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from unicodedata import normalize

import attrs
import numpy as np

from pulse_adapters.location import Location
from pulse_core import Observations, StoreUnavailable, VariableNotFound


@attrs.frozen
class ArchiveStore:
    """Reads the arrays `<column>/<variable>` of an archive: timestamps, values, known_at (if any) and absent.

    It tells versions of its data apart by a hash of the file.
    """

    path: Path

    def names(self) -> Iterator[str]:
        """Yield the variables' names, sorted. Raises StoreUnavailable."""
        yield from _names(self._arrays(self._content()))

    def read(self, variable: str) -> Observations:
        """Return a variable's rows. Raises VariableNotFound and StoreUnavailable."""
        content = self._content()
        arrays = self._arrays(content)
        names, stored = _names(arrays), normalize("NFC", variable)
        if stored not in names:
            near = get_close_matches(variable, names)
            hint = f"Near: {', '.join(near)}" if near else ""
            raise VariableNotFound(f"no variable {variable!r}", str(self.path), hint)
        return Observations(
            variable,
            arrays[f"timestamps/{stored}"],
            arrays[f"values/{stored}"],
            arrays.get(f"known_at/{stored}"),
            absent=int(arrays[f"absent/{stored}"]),
            source=f"{self.path}, variable {variable}",
            version=_version(content),  # of the very bytes that the rows came in
        )

    def version(self, variable: str) -> str:  # noqa: ARG002  # one file, one version
        """Return a text that is another one whenever the rows are others. Raises StoreUnavailable."""
        return _version(self._content())

    def _content(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise StoreUnavailable(f"cannot be read: {error.strerror}", str(self.path), "Check the path") from error

    def _arrays(self, content: bytes) -> dict[str, np.ndarray]:
        try:
            with np.load(io.BytesIO(content)) as archive:
                return dict(archive)
        except (EOFError, OSError, ValueError, zipfile.BadZipFile) as error:
            message = f"is no archive of arrays: {error}"
            raise StoreUnavailable(message, str(self.path), "Write it with pulse_archive.store.write") from error


def open_archive(location: Location, settings: object) -> ArchiveStore:  # noqa: ARG001  # it has no settings
    """Open the store of a location: what the entry point names."""
    return ArchiveStore(Path(location.path))


def write(path: Path, variables: Iterable[Observations]) -> None:
    """Write an archive of these variables."""
    arrays: dict[str, np.ndarray] = {}
    for observations in variables:
        name = normalize("NFC", observations.variable)  # one spelling, whatever keyboard it came from
        arrays[f"timestamps/{name}"] = observations.timestamps
        arrays[f"values/{name}"] = observations.values
        arrays[f"absent/{name}"] = np.array(observations.absent)
        if observations.known_at is not None:
            arrays[f"known_at/{name}"] = observations.known_at
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _names(arrays: Iterable[str]) -> list[str]:
    return sorted(name.removeprefix("values/") for name in arrays if name.startswith("values/"))


def _version(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
