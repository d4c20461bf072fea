"""Variables in one long object of a bucket, with a column `variable`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import attrs

from pulse_adapters.aws.bucket import Bucket, Listed
from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.stores.formats import of_long, parse
from pulse_adapters.stores.object_cache import ObjectCache
from pulse_adapters.stores.objects import Objects
from pulse_adapters.stores.table import Table
from pulse_core.errors import MalformedData, StoreUnavailable
from pulse_core.series import Observations


@attrs.frozen
class S3LongStore:
    """Reads every variable from the object `key`, which is parsed once as long as its ETag stays the same."""

    name: str
    key: str
    aws: AwsSettings
    cache: ObjectCache | None = None

    @property
    def bucket(self) -> Bucket:
        """The bucket."""
        return Bucket(self.name, self.aws, StoreUnavailable)

    def names(self) -> Iterator[str]:
        """Yield the variables' names, sorted. Raises StoreUnavailable, MalformedData."""
        yield from sorted(self._table().groups or ())

    def read(self, variable: str) -> Observations:
        """Return a variable's rows. Raises VariableNotFound, MalformedData, StoreUnavailable."""
        return of_long(self._table(), variable, self.bucket.where(self.key))

    def sizes(self, variables: Sequence[str]) -> Mapping[str, int]:
        """Return the bytes of the object, by key, as listed, whichever variables are read. Raises StoreUnavailable."""
        del variables
        listed = self._listed()
        return {} if listed is None else {self.key: listed.size}

    def _listed(self) -> Listed | None:
        return next((each for each in self.bucket.list(self.key) if each.key == self.key), None)

    def _table(self) -> Table:
        listed = self._listed()
        table = None if listed is None else _parsed(self, listed)
        if table is None:
            mend = "Name a folder (ending in /) that holds one file a variable, or one long file"
            raise StoreUnavailable("there is no such object", self.bucket.where(self.key), mend)
        if isinstance(table, MalformedData):
            raise MalformedData(table.what, table.where, table.mend)
        return table


@lru_cache(maxsize=2)
def _parsed(store: S3LongStore, listed: Listed) -> Table | MalformedData | None:
    """Read a long object once for all of its variables; what makes it unreadable is remembered as well."""
    try:
        content = Objects(store.bucket, store.cache).content(listed)
        place = store.bucket.where(store.key)
        return None if content is None else parse(content, store.key.rpartition("/")[2], place, by_variable=True)
    except MalformedData as error:
        return error
