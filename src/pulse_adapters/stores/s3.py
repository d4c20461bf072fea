"""Variables in a bucket of S3, or of what speaks as it does: one object a variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice

import attrs

from pulse_adapters.aws.bucket import Bucket, Listed
from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.stores.catalogue import Catalogue, catalogue
from pulse_adapters.stores.formats import not_found, parse, the_only_file
from pulse_adapters.stores.object_cache import ObjectCache
from pulse_adapters.stores.objects import Objects
from pulse_adapters.stores.table import observations
from pulse_core.errors import StoreUnavailable
from pulse_core.ports import DataStore
from pulse_core.series import Observations

AN_HOUR = 3_600.0
_UNDER_WAY = 2
"""Objects fetched ahead for each thread: the next is there when one is done with, and memory stays bounded."""


@attrs.frozen
class S3Store:
    """Reads the objects `<prefix><variable>.csv`, `.parquet`, `.jsonl`, each also `.gz`, of a bucket.

    The prefix is taken as it is: a folder's ends in a slash. Only keys that the bucket lists are fetched. What a
    listing said is trusted for `trusted` seconds; a cached object is used only while its ETag is the listed one.
    """

    name: str
    prefix: str
    aws: AwsSettings
    cache: ObjectCache | None = None
    trusted: float = AN_HOUR

    @property
    def bucket(self) -> Bucket:
        """The bucket."""
        return Bucket(self.name, self.aws, StoreUnavailable)

    def names(self) -> Iterator[str]:
        """Yield the variables' names, sorted. Raises StoreUnavailable."""
        yield from self._catalogue().names()

    def read(self, variable: str) -> Observations:
        """Return a variable's rows. Raises VariableNotFound, MalformedData, StoreUnavailable.

        Two objects for one variable are a DataError.
        """
        return self.parsed(variable, *self.fetch(variable))

    @contextmanager
    def ahead(self, variables: Sequence[str]) -> Iterator[DataStore]:
        """Fetch these, in order, by so many threads as there are workers, while earlier ones are made use of."""
        threads = ThreadPoolExecutor(self.aws.max_workers, thread_name_prefix="pulse-s3")
        try:
            yield _Ahead(self, threads, iter(dict.fromkeys(variables)), _UNDER_WAY * self.aws.max_workers)
        finally:
            threads.shutdown(cancel_futures=True)

    def sizes(self, variables: Sequence[str]) -> Mapping[str, int]:
        """Return the bytes of these variables' objects, by key, as listed; none is fetched.

        Raises VariableNotFound, DataError, StoreUnavailable.
        """
        listed = [self._listed(variable) for variable in variables]
        return {each.key: each.size for each in listed}

    def fetch(self, variable: str) -> tuple[Listed, bytes]:
        """Return a variable's object and what it holds. Raises VariableNotFound, DataError, StoreUnavailable."""
        listed = self._listed(variable)
        content = Objects(self.bucket, self.cache).content(listed)
        if content is None:  # gone since it was listed
            self._catalogue().forget()
            listed = self._listed(variable)
            content = Objects(self.bucket, self.cache).content(listed)
        if content is None:
            raise not_found(variable, self._catalogue().known(), self.bucket.where(self.prefix))
        return listed, content

    def parsed(self, variable: str, listed: Listed, content: bytes) -> Observations:
        """Return the rows in a variable's object. Raises MalformedData."""
        place = self.bucket.where(listed.key)
        return observations(parse(content, listed.key.removeprefix(self.prefix), place), variable, place)

    def _listed(self, variable: str) -> Listed:
        place = self.bucket.where(self.prefix)
        files = {each.key: each for each in self._catalogue().find(variable)}
        if not files:
            raise not_found(variable, self._catalogue().known(), place)
        names = sorted(key.removeprefix(self.prefix) for key in files)
        return files[self.prefix + the_only_file(variable, names, place)]

    def _catalogue(self) -> Catalogue:
        return catalogue(self.bucket, self.prefix, self.trusted)


@attrs.define(eq=False)
class _Ahead:
    """A store whose next variables are under way while one is read; others are fetched when asked for."""

    _store: S3Store
    _threads: ThreadPoolExecutor
    _next: Iterator[str]
    _most: int
    _under_way: dict[str, Future[tuple[Listed, bytes]]] = attrs.field(factory=dict)

    def names(self) -> Iterator[str]:
        return self._store.names()

    def read(self, variable: str) -> Observations:
        self._send_for_more()
        fetched = self._under_way.pop(variable, None)
        if fetched is None:
            return self._store.read(variable)
        return self._store.parsed(variable, *fetched.result())

    def _send_for_more(self) -> None:
        for variable in islice(self._next, self._most - len(self._under_way)):
            self._under_way[variable] = self._threads.submit(self._store.fetch, variable)
