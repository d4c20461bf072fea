"""Every place of results there is. One more is one more line, and is then held to all contracts of places and sinks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from pulse_adapters.sinks.folder import Folder
from pulse_adapters.sinks.places import Place
from tests.fakes import FakePlace


@contextmanager
def _folder() -> Iterator[Place]:
    with TemporaryDirectory() as folder:
        yield Folder(Path(folder, "results"))


PLACES: dict[str, Callable[[], AbstractContextManager[Place]]] = {
    "fake": lambda: nullcontext(FakePlace()),
    "folder": _folder,
}
