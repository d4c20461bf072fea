"""FolderSink: a ResultSink in a folder, for services that embed Pulse; layout.py names its files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs

from pulse_adapters.sinks.storage_sink import Output, StorageSink
from pulse_adapters.storage.folder import FolderStorage


@attrs.frozen(init=False)
class FolderSink(StorageSink):
    """A StorageSink in the folder `root`; `result.json` is written to every path of `outputs` too."""

    def __init__(self, root: str | Path, outputs: Sequence[str | Path] = ()) -> None:
        self.__attrs_init__(FolderStorage(root), tuple(output_file(path) for path in outputs))

    @property
    def root(self) -> Path:
        """The folder."""
        return Path(self.storage.address(""))


def output_file(path: str | Path) -> Output:
    """Return a file of this machine as a further output of a run's result."""
    file = Path(path)
    return Output(FolderStorage(file.parent), file.name)
