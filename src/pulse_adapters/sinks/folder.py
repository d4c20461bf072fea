"""A ResultSink in a folder: `<root>/units/<kk>/<key>` for records, `<root>/<run id>/` for a run's files and parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs

from pulse_adapters.sinks.storage_sink import Output, PlaceSink
from pulse_adapters.storage.folder import Folder


@attrs.frozen(init=False)
class FilesystemSink(PlaceSink):
    """A PlaceSink in the folder `root`; `result.json` is also put at every path in `outputs`."""

    def __init__(self, root: str | Path, outputs: Sequence[str | Path] = ()) -> None:
        self.__attrs_init__(Folder(root), tuple(output_file(path) for path in outputs))

    @property
    def root(self) -> Path:
        """The folder."""
        return Path(self.place.address(""))


def output_file(path: str | Path) -> Output:
    """Return a file of this machine as one more place for a run's result."""
    file = Path(path)
    return Output(Folder(file.parent), file.name)
