"""Variables in one long object of a bucket, with a column `variable`."""

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
from pulse_adapters.stores.formats.registry import of_long, parse
from pulse_adapters.stores.formats.table import Table
from pulse_adapters.stores.object_cache import ObjectCache
from pulse_adapters.stores.objects import Objects
from pulse_core.data.observations import Observations
from pulse_core.errors import MalformedData, StoreUnavailable


@attrs.frozen
class S3LongStore:
    """Reads every variable from the object `key`, which is parsed once as long as its ETag stays the same.

    What a listing said of it is trusted for `trusted` seconds.
    """

    name: str
    key: str
    aws: AwsSettings
    cache: ObjectCache | None = None
    trusted: float = AN_HOUR

    @property
    def bucket(self) -> Bucket:
        """The bucket."""
        return Bucket(self.name, self.aws, StoreUnavailable)

    def names(self) -> Iterator[str]:
        """Yield the variables' names, sorted. Raises StoreUnavailable, MalformedData."""
        yield from sorted(self._table()[0].groups or ())

    def read(self, variable: str) -> Observations:
        """Return a variable's rows. Raises VariableNotFound, MalformedData, StoreUnavailable."""
        table, version = self._table()
        return of_long(table, variable, self.bucket.address(self.key), version)

    def version(self, variable: str) -> str:
        """Return what tells the object from an earlier one, whether it holds the variable or not.

        Raises StoreUnavailable.
        """
        del variable
        return Objects(self.bucket, self.cache).version(self.key, self._there().etag)

    def sizes(self, variables: Sequence[str]) -> Mapping[str, int]:
        """Return the bytes of the object, by key, as listed, whichever variables are read. Raises StoreUnavailable."""
        del variables
        listed = self._listed()
        return {} if listed is None else {self.key: listed.size}

    def names_need_rows(self) -> bool:
        """Whether listing the names reads all rows: the object holds both."""
        return True

    def _listed(self) -> Listed | None:
        return next((each for each in self.bucket.list(self.key) if each.key == self.key), None)

    def _there(self) -> Listed:
        """Return the object as it was listed, not too long ago."""
        looked_at, listed = _looks.get((os.getpid(), self), (float("-inf"), None))
        if listed is None or time.monotonic() - looked_at > self.trusted:
            listed = self._listed()
            if listed is None:
                raise self._missing()
            _looks[os.getpid(), self] = time.monotonic(), listed
        return listed

    def _missing(self) -> StoreUnavailable:
        hint = "Name a folder (ending in /) that holds one file a variable, or one long file"
        return StoreUnavailable("there is no such object", self.bucket.address(self.key), hint)

    def _table(self) -> tuple[Table, str]:
        """Return what is in the object, and which version of it that is."""
        parsed = _parsed(self, self._there())
        if parsed is None:
            _looks.pop((os.getpid(), self), None)
            raise self._missing()
        if isinstance(parsed, MalformedData):
            raise MalformedData(parsed.message, parsed.context, parsed.hint)
        return parsed


_looks: Final[dict[tuple[int, S3LongStore], tuple[float, Listed]]] = {}
"""When this process listed the object of a store, and what that said."""


@lru_cache(maxsize=2)
def _parsed(store: S3LongStore, listed: Listed) -> tuple[Table, str] | MalformedData | None:
    """Read a long object once for all of its variables; what makes it unreadable is remembered as well."""
    objects, place = Objects(store.bucket, store.cache), store.bucket.address(store.key)
    try:
        fetched = objects.fetch(listed)
        if fetched is None:
            return None
        table = parse(fetched.content, store.key.rpartition("/")[2], place, by_variable=True)
        return table, objects.version(store.key, fetched.etag)
    except MalformedData as error:
        return error
