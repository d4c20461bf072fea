"""S3LongStore: variables in one long object of a bucket, with a column `variable`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

import attrs

from pulse_adapters.aws.bucket import Bucket, Listed
from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.stores.catalogue import AN_HOUR
from pulse_adapters.stores.formats.reading import AS_IT_IS, Reading, Readings
from pulse_adapters.stores.formats.registry import of_long, parse, variables_in
from pulse_adapters.stores.formats.table import Table
from pulse_adapters.stores.object_cache import ObjectCache
from pulse_adapters.stores.objects import Objects
from pulse_core.data.observations import Observations
from pulse_core.errors import MalformedData, StoreUnavailable


@attrs.frozen
class S3LongStore:
    """Reads the variables in the object `key`, which is parsed once as long as its ETag stays the same.

    A listing of the object is trusted for `trusted` seconds.
    """

    name: str
    key: str
    aws: AwsSettings
    cache: ObjectCache | None = None
    trusted: float = AN_HOUR
    readings: Readings = AS_IT_IS

    @property
    def bucket(self) -> Bucket:
        """The bucket."""
        return Bucket(self.name, self.aws, StoreUnavailable)

    def names(self) -> Iterator[str]:
        """Yield the variables' names, sorted. Raises StoreUnavailable, MalformedData."""
        yield from sorted(variables_in(self._table()[0], self._file))

    def read(self, variable: str) -> Observations:
        """Return a variable's rows. Raises VariableNotFound, MalformedData, StoreUnavailable."""
        table, version = self._table()
        return of_long(table, variable, self._file, self.bucket.address(self.key), version)

    def version(self, variable: str) -> str:
        """Return a text that changes with the object, whether it holds the variable or not.

        Raises StoreUnavailable.
        """
        del variable
        return Objects(self.bucket, self.cache).version(self.key, self._current().etag) + self.reading.token()

    def sizes(self, variables: Sequence[str]) -> Mapping[str, int]:
        """Return the listed size of the object in bytes, by key, for any variables. Raises StoreUnavailable."""
        del variables
        listed = self._listed()
        return {} if listed is None else {self.key: listed.size}

    def names_need_rows(self) -> bool:
        """Whether listing the names reads all rows: the object holds both."""
        return True

    @property
    def reading(self) -> Reading:
        """What the user says of how the object is to be read."""
        return self.readings.of(self._file)

    @property
    def _file(self) -> str:
        return self.key.rpartition("/")[2]

    def _listed(self) -> Listed | None:
        return next((entry for entry in self.bucket.list(self.key) if entry.key == self.key), None)

    def _current(self) -> Listed:
        """Return the listing of the object, at most `trusted` seconds old."""
        listed_at, listed = _listings.get((os.getpid(), self), (float("-inf"), None))
        if listed is None or time.monotonic() - listed_at > self.trusted:
            listed = self._listed()
            if listed is None:
                raise self._missing()
            _listings[os.getpid(), self] = time.monotonic(), listed
        return listed

    def _missing(self) -> StoreUnavailable:
        hint = "Name a folder (ending in /) that holds one file a variable, or one long file"
        return StoreUnavailable("there is no such object", self.bucket.address(self.key), hint)

    def _table(self) -> tuple[Table, str]:
        """Return the table and the version of the object."""
        parsed = _parsed(self, self._current())
        if parsed is None:
            _listings.pop((os.getpid(), self), None)
            hint = "Somebody removes or replaces it: run the same command again once that is done"
            raise StoreUnavailable("was listed a moment ago and is gone", self.bucket.address(self.key), hint)
        if isinstance(parsed, MalformedData):
            raise MalformedData(parsed.message, parsed.context, parsed.hint)
        return parsed


_listings: Final[dict[tuple[int, S3LongStore], tuple[float, Listed]]] = {}
"""The time of this process's last listing of a store's object, and the listing."""


@lru_cache(maxsize=2)
def _parsed(store: S3LongStore, listed: Listed) -> tuple[Table, str] | MalformedData | None:
    """Read a long object once for all of its variables; an error is cached as well."""
    objects, address = Objects(store.bucket, store.cache), store.bucket.address(store.key)
    try:
        fetched = objects.fetch(listed)
        if fetched is None:
            return None
        name = store.key.rpartition("/")[2]
        table = parse(fetched.content, name, address, by_variable=True, reading=store.reading)
        return table, objects.version(store.key, fetched.etag) + store.reading.token()
    except MalformedData as error:
        return error
