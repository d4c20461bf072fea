"""S3Store: variables in a bucket of S3, or of a server with its interface, one object each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

import attrs

from pulse_adapters.aws.ahead import Ahead, ahead
from pulse_adapters.aws.bucket import Bucket, Fetched, Listed
from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.aws.location import S3Options, aws_settings, s3_folder, s3_location
from pulse_adapters.location import Location
from pulse_adapters.stores.catalogue import AN_HOUR, Catalogue, catalogue
from pulse_adapters.stores.formats.reading import AS_IT_IS, Reading, Readings
from pulse_adapters.stores.formats.registry import (
    named_variables,
    not_found,
    of_file,
    owners,
    parse,
    suffix_of,
    the_only_file,
    variable_of,
)
from pulse_adapters.stores.formats.table import Table
from pulse_adapters.stores.object_cache import ObjectCache
from pulse_adapters.stores.objects import Objects
from pulse_adapters.stores.s3_long import S3LongStore
from pulse_core.arrays import normal_form
from pulse_core.data.observations import Observations
from pulse_core.errors import StoreUnavailable, VariableNotFound
from pulse_core.ports import DataStore

LOOKED_INTO: Final = 100
"""Objects of a folder up to which it is looked into them for variables that their columns name."""

_GONE: Final = "was listed a moment ago and is gone"
_GONE_HINT: Final = "Somebody removes or replaces data: run the same command again once that is done"


@attrs.frozen
class S3Store:
    """Reads the objects `<prefix><variable>.csv`, `.parquet`, `.jsonl`, each also `.gz`, of a bucket.

    An object whose columns name several variables has these, not one of its own name; of more than LOOKED_INTO objects
    each is one variable. `readings` are what the user says of them. The prefix is the exact start of every key: that of
    a folder ends in a slash. Only listed keys are fetched. A listing is trusted for `trusted` seconds; a cached object
    is used only while its ETag is the listed one.
    """

    name: str
    prefix: str
    aws: AwsSettings
    cache: ObjectCache | None = None
    trusted: float = AN_HOUR
    readings: Readings = AS_IT_IS

    @property
    def bucket(self) -> Bucket:
        """The bucket."""
        return Bucket(self.name, self.aws, StoreUnavailable)

    def names(self) -> Iterator[str]:
        """Yield the variables' names, sorted. Raises StoreUnavailable."""
        files = self._catalogue().files()
        yield from sorted(files if len(files) > LOOKED_INTO else self._owners(files))

    def file_names(self) -> Iterable[str]:
        """Return the variables that objects are named after, whatever they hold; none is fetched.

        Raises StoreUnavailable.
        """
        return self._catalogue().files().keys()

    def read(self, variable: str) -> Observations:
        """Return a variable's rows. Raises VariableNotFound, MalformedData, StoreUnavailable.

        Two objects for one variable are a DataError.
        """
        return self.parsed(variable, *self.fetch(variable))

    @contextmanager
    def ahead(self, variables: Sequence[str]) -> Iterator[DataStore]:
        """Open for reading these variables; as many threads as workers fetch the next objects, in order."""
        with ahead(self.fetch, variables, self.aws.max_workers) as fetched:
            yield _Ahead(self, fetched)

    def sizes(self, variables: Sequence[str]) -> Mapping[str, int]:
        """Return the listed sizes in bytes, by key, of these variables' objects; no object is fetched.

        Raises VariableNotFound, DataError, StoreUnavailable.
        """
        listed = [self._listed(variable) for variable in variables]
        return {entry.key: entry.size for entry in listed}

    def names_need_rows(self) -> bool:
        """Whether listing the names reads all rows: a listing of the bucket has them."""
        return False

    def version(self, variable: str) -> str:
        """Return a text that changes with the variable's object, from its listing; no object is fetched.

        Raises VariableNotFound, DataError, StoreUnavailable.
        """
        listed = self._listed(variable)
        token = self.readings.of(listed.key.removeprefix(self.prefix)).token()
        return self._objects.version(listed.key, listed.etag) + token

    def fetch(self, variable: str) -> tuple[str, Fetched]:
        """Return the key of a variable's object, and the object.

        Raises VariableNotFound, DataError, StoreUnavailable.
        """
        listed = self._listed(variable)
        fetched = self._objects.fetch(listed)
        if fetched is None:  # gone since it was listed, or stored under another suffix
            self._catalogue().forget()
            try:
                listed = self._listed(variable)
            except VariableNotFound as error:
                raise VariableNotFound(_GONE, self.bucket.address(listed.key), _GONE_HINT) from error
            fetched = self._objects.fetch(listed)
        if fetched is None:
            raise StoreUnavailable(f"{_GONE}, although it is listed still", self.bucket.address(listed.key), _GONE_HINT)
        return listed.key, fetched

    def parsed(self, variable: str, key: str, fetched: Fetched) -> Observations:
        """Return the rows in a variable's object. Raises MalformedData."""
        address, name = self.bucket.address(key), key.removeprefix(self.prefix)
        reading = self.readings.of(name)
        version = self._objects.version(key, fetched.etag) + reading.token()
        if variable_of(name) == normal_form(variable):
            table = parse(fetched.content, name, address, reading=reading)
        else:
            table = _parsed(fetched.content, name, address, reading)
        return of_file(table, variable, name, address, version)

    @property
    def _objects(self) -> Objects:
        return Objects(self.bucket, self.cache)

    def _listed(self, variable: str) -> Listed:
        address = self.bucket.address(self.prefix)
        files = {entry.key: entry for entry in self._catalogue().find(variable)}
        if not files:
            return self._listed_inside(variable, address)
        names = sorted(key.removeprefix(self.prefix) for key in files)
        return files[self.prefix + the_only_file(variable, names, address)]

    def _listed_inside(self, variable: str, address: str) -> Listed:
        """Return the object whose columns name a variable. Raises VariableNotFound, DataError."""
        files = self._catalogue().listed()
        inside = self._owners(files) if len(files) <= LOOKED_INTO else dict.fromkeys(files, "")
        if len(files) > LOOKED_INTO or normal_form(variable) not in inside:
            raise not_found(variable, inside, address)
        key = self.prefix + inside[normal_form(variable)]
        return next(entry for entries in files.values() for entry in entries if entry.key == key)

    def _owners(self, files: Mapping[str, tuple[Listed, ...]]) -> dict[str, str]:
        """Return the object's name of each variable, by looking into the objects."""
        listed = {entry.key.removeprefix(self.prefix): entry for entries in files.values() for entry in entries}
        names = {
            variable: [entry.key.removeprefix(self.prefix) for entry in entries] for variable, entries in files.items()
        }
        return owners(
            names,
            lambda file: _variables_of(self._objects, listed[file], file, self.readings.of(file)),
            self.bucket.address(self.prefix),
        )

    def _catalogue(self) -> Catalogue:
        return catalogue(self.bucket, self.prefix, self.trusted)


@lru_cache(maxsize=4 * LOOKED_INTO)
def _variables_of(objects: Objects, listed: Listed, name: str, reading: Reading) -> tuple[str, ...]:
    """Return the variables that the columns of an object name; none where it is one that has the object's name."""
    fetched = objects.fetch(listed)
    if fetched is None:
        return ()
    return named_variables(fetched.content, name, objects.bucket.address(listed.key), reading)


@lru_cache(maxsize=2)
def _parsed(content: bytes, name: str, address: str, reading: Reading) -> Table:
    """Read an object of several variables once for all of them."""
    return parse(content, name, address, reading=reading)


@attrs.frozen(eq=False)
class _Ahead:
    """A store that fetches the next objects while one is read."""

    _store: S3Store
    _fetched: Ahead[tuple[str, Fetched]]

    def names(self) -> Iterator[str]:
        return self._store.names()

    def read(self, variable: str) -> Observations:
        return self._store.parsed(variable, *self._fetched.get(variable))


class S3DataOptions(S3Options, Protocol):
    """The options of data in S3: those of S3, and those of the cache."""

    @property
    def readings(self) -> Readings: ...  # noqa: D102
    @property
    def cache_dir(self) -> Path | None: ...  # noqa: D102 - the settings document each option
    @property
    def cache_expiration_hours(self) -> float: ...  # noqa: D102
    @property
    def cache_max_size(self) -> int: ...  # noqa: D102


def open_store(location: Location, settings: S3DataOptions) -> DataStore:
    """Return the store of `s3://bucket/folder`, or of one long file. Raises SettingsError for an invalid bucket."""
    source = s3_location(location)
    aws, cache, trusted = aws_settings(settings), _cache(settings), settings.cache_expiration_hours * 3_600
    if suffix_of(source.key) is not None:
        return S3LongStore(source.bucket, source.key, aws, cache, trusted, settings.readings)
    folder = s3_folder(location)
    return S3Store(folder.bucket, folder.key, aws, cache, trusted, settings.readings)


def _cache(settings: S3DataOptions) -> ObjectCache | None:
    """Return the cache of fetched objects, or None where it has no room."""
    if not settings.cache_max_size:
        return None
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    folder = settings.cache_dir or home / "pulse"
    return ObjectCache(folder.expanduser(), settings.cache_max_size)
