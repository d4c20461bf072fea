"""Which data files a folder of a bucket holds, learned with as few listings as may be, and forgotten in time.

A folder of up to 10,000 objects is listed once for a process; of a larger one each variable's own files are listed
when it is asked for. So the key of a variable is known without guessing, and that it has two files is seen.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from itertools import islice
from threading import Lock
from typing import Final

import attrs

from pulse_adapters.aws.bucket import Bucket, Listed
from pulse_adapters.stores.formats.registry import SUFFIXES, variable_of

AN_HOUR: Final = 3_600.0
LISTED_WHOLE: Final = 10_000
_LONGEST_KEY: Final = 1_024

Files = Mapping[str, tuple[Listed, ...]]


@attrs.define(eq=False)
class Catalogue:
    """The data files `<prefix><variable>.<suffix>` of a bucket; what it knows it trusts for so many seconds."""

    bucket: Bucket
    prefix: str
    trusted: float
    _files: dict[str, tuple[Listed, ...]] = attrs.field(factory=dict, init=False)
    _listed_at: float = attrs.field(default=float("-inf"), init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    def names(self) -> list[str]:
        """Return every variable's name, sorted, as they are now."""
        return sorted(self._grouped(self.bucket.list(self.prefix, below=False)))

    def find(self, variable: str) -> tuple[Listed, ...]:
        """Return the files of a variable; none where it has none, or where nothing could be called so."""
        if not self._may_be_called(variable):
            return ()
        with self._lock:
            if time.monotonic() - self._listed_at > self.trusted:
                self._list()
            if variable not in self._files:  # new since then, or one of very many
                own = self._grouped(self.bucket.list(f"{self.prefix}{variable}.", below=False))
                self._files.update({name: files for name, files in own.items() if name == variable})
            return self._files.get(variable, ())

    def forget(self) -> None:
        """Trust nothing of what is known."""
        with self._lock:
            self._listed_at = float("-inf")

    def known(self) -> list[str]:
        """Return the names that are known without asking."""
        return list(self._files)

    def _list(self) -> None:
        found = list(islice(self.bucket.list(self.prefix, below=False), LISTED_WHOLE + 1))
        self._files = {} if len(found) > LISTED_WHOLE else self._grouped(found)
        self._listed_at = time.monotonic()

    def _may_be_called(self, variable: str) -> bool:
        name = f"{variable}{SUFFIXES[0]}"
        return variable_of(name) == variable and len(f"{self.prefix}{name}".encode()) <= _LONGEST_KEY

    def _grouped(self, listed: Iterable[Listed]) -> dict[str, tuple[Listed, ...]]:
        files: dict[str, tuple[Listed, ...]] = {}
        for each in listed:
            variable = variable_of(each.key.removeprefix(self.prefix))
            if variable is not None:
                files[variable] = (*files.get(variable, ()), each)
        return files


_catalogues: Final[dict[tuple[int, Bucket, str, float], Catalogue]] = {}


def catalogue(bucket: Bucket, prefix: str, trusted: float) -> Catalogue:
    """Return this process's catalogue of a folder."""
    return _catalogues.setdefault((os.getpid(), bucket, prefix, trusted), Catalogue(bucket, prefix, trusted))
