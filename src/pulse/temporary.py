"""A temporary folder of results, which goes with the Run that holds it."""

from __future__ import annotations

import shutil
from tempfile import mkdtemp
from weakref import finalize


class TemporaryFolder:
    """A folder that is removed once nobody holds this object any more, or the process ends."""

    def __init__(self) -> None:
        self.path = mkdtemp(prefix="pulse-")
        self.remove = finalize(self, shutil.rmtree, self.path, ignore_errors=True)
