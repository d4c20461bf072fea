"""Catalogue of the data files in a folder of a bucket, from as few listings as possible, trusted for a limited time.

A folder of up to 10,000 objects is listed once for a process; in a larger folder the files of each variable are listed
when it is read. So no key is guessed, and two files of one variable are noticed.
"""

from __future__ import annotations

import os
import time
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import chain, islice
from threading import Lock
from typing import Final

import attrs

from pulse_adapters.aws.bucket import Bucket, Listed
from pulse_adapters.stores.formats.registry import SUFFIXES, variable_of
from pulse_core.arrays import normal_form

AN_HOUR: Final = 3_600.0
LISTED_AT_ONCE: Final = 10_000
_LONGEST_KEY: Final = 1_024

Files = Mapping[str, tuple[Listed, ...]]


@attrs.define(eq=False)
class Catalogue:
    """The data files `<prefix><variable>.<suffix>` of a bucket; a listing is trusted for `trusted` seconds."""

    bucket: Bucket
    prefix: str
    trusted: float
    _files: dict[str, tuple[Listed, ...]] = attrs.field(factory=dict, init=False)
    _listed_at: float = attrs.field(default=float("-inf"), init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    def files(self) -> Files:
        """Return all data files by the variable of their name, from a new listing."""
        return self._grouped(self.bucket.list(self.prefix, below=False))

    def listed(self) -> Files:
        """Return the data files of a listing that is not too old; none of a folder that is too large for one."""
        with self._lock:
            if time.monotonic() - self._listed_at > self.trusted:
                self._list()
            return dict(self._files)

    def find(self, variable: str) -> tuple[Listed, ...]:
        """Return the files of a variable; none where it has none, or where no file can have its name."""
        variable = normal_form(variable)
        if not self._can_have_file(variable):
            return ()
        with self._lock:
            if time.monotonic() - self._listed_at > self.trusted:
                self._list()
            if variable not in self._files:  # new since the listing, or in a folder too large for it
                spellings = dict.fromkeys((variable, unicodedata.normalize("NFD", variable)))
                listed = [self.bucket.list(f"{self.prefix}{name}.", below=False) for name in spellings]
                files = self._grouped(chain.from_iterable(listed))
                self._files.update({name: entries for name, entries in files.items() if name == variable})
            return self._files.get(variable, ())

    def forget(self) -> None:
        """List anew before the next use."""
        with self._lock:
            self._listed_at = float("-inf")

    def _list(self) -> None:
        listed = list(islice(self.bucket.list(self.prefix, below=False), LISTED_AT_ONCE + 1))
        self._files = {} if len(listed) > LISTED_AT_ONCE else self._grouped(listed)
        self._listed_at = time.monotonic()

    def _can_have_file(self, variable: str) -> bool:
        name = f"{variable}{SUFFIXES[0]}"
        return variable_of(name) == variable and len(f"{self.prefix}{name}".encode()) <= _LONGEST_KEY

    def _grouped(self, listed: Iterable[Listed]) -> dict[str, tuple[Listed, ...]]:
        files: dict[str, tuple[Listed, ...]] = {}
        for entry in listed:
            variable = variable_of(entry.key.removeprefix(self.prefix))
            if variable is not None:
                files[variable] = (*files.get(variable, ()), entry)
        return files


_catalogues: Final[dict[tuple[int, Bucket, str, float], Catalogue]] = {}


def catalogue(bucket: Bucket, prefix: str, trusted: float) -> Catalogue:
    """Return this process's catalogue of a folder."""
    return _catalogues.setdefault((os.getpid(), bucket, prefix, trusted), Catalogue(bucket, prefix, trusted))
