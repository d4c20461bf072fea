"""Location: where data or results are, as a scheme and a path."""

from __future__ import annotations

import re
from typing import Final

import attrs

FOLDER: Final = "folder"
"""The scheme of a path without a scheme."""

_WITH_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)


@attrs.frozen
class Location:
    """A scheme, which decides on the adapter, and a path, which the adapter interprets.

    The text of a location is `scheme://path`, and the path alone for the scheme `folder`. An `exact` path is the start
    of every name as it stands; any other path is that of a folder or file, with or without its last slash.
    """

    scheme: str
    path: str
    exact: bool = False

    @classmethod
    def parse(cls, text: str) -> Location:
        """Return the location of a text. It is no URL: `?`, `#` and `%` are letters of a path."""
        match = _WITH_SCHEME.fullmatch(text)
        return cls(FOLDER, text) if match is None else cls(match[1].lower(), match[2])

    def __str__(self) -> str:
        return self.path if self.scheme == FOLDER else f"{self.scheme}://{self.path}"

    @property
    def public(self) -> str:
        """The text of the location without the user and password that its path may start with."""
        return self.path if self.scheme == FOLDER else f"{self.scheme}://{self.path.rpartition('@')[2]}"

    def split(self) -> tuple[Location, str]:
        """Return the location of the folder of this file, and the name of the file in it."""
        folder, slash, name = self.path.rpartition("/")
        return attrs.evolve(self, path=folder or slash), name
