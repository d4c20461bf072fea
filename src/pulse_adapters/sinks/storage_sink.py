"""StorageSink: the ResultSink over any Storage; layout.py names its files."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Self

import attrs

from pulse_adapters.sinks.archive import StorageArchive
from pulse_adapters.sinks.claims import Output, StorageClaims
from pulse_adapters.sinks.layout import RECORDS, attachment_name, mark_name
from pulse_adapters.sinks.pack_store import StoragePacks
from pulse_adapters.sinks.parts import StorageParts
from pulse_adapters.sinks.single_records import SingleRecords
from pulse_adapters.storage.uploads import AT_ONCE, Uploads, uploading
from pulse_core.errors import SinkUnavailable
from pulse_core.ports import PartWriter, Recall, RunClaim
from pulse_core.results import Record
from pulse_core.spec import RunSpec
from pulse_core.tables import PartFacts

__all__ = ["Output", "StorageSink"]


@attrs.frozen
class StorageSink(StorageArchive):
    """A ResultSink in a storage; `result.json` is written to every file of `outputs` too."""

    outputs: tuple[Output, ...] = ()
    _packs: StoragePacks = attrs.field(init=False, eq=False, repr=False)
    _claims: StorageClaims = attrs.field(init=False, eq=False, repr=False)
    _uploads: Uploads = attrs.field(init=False, eq=False, repr=False, default=AT_ONCE)

    @_packs.default
    def _of_the_storage(self) -> StoragePacks:
        return StoragePacks(self.storage)

    @_claims.default
    def _of_the_runs(self) -> StorageClaims:
        return StorageClaims(self.storage, self.outputs)

    @contextmanager
    def storing(self) -> Iterator[Self]:
        """Open for the packs and parts of a unit, which are uploaded side by side where the storage is distant.

        Raises SinkUnavailable at the end, or before, where one cannot be stored.
        """
        with uploading(self.storage.requests_at_once) as uploads:
            sink = copy.copy(self)  # it shares what is known of the packs
            object.__setattr__(sink, "_uploads", uploads)
            yield sink

    @property
    def _singles(self) -> SingleRecords:
        return SingleRecords(self.storage)

    def recall(self, key: str) -> Record | None:
        """Return the single record of a key, or None; an outdated record is removed, a damaged one set aside.

        Raises SinkUnavailable.
        """
        return self._singles.recall(key)

    def record(self, key: str, result: Record) -> None:
        """Store a single record unless the key has one. Raises SinkUnavailable."""
        self._singles.record(key, result)

    def pack(self, group: str, records: Mapping[str, Record]) -> None:
        """Store records of a group as one object, which hides what was packed under their keys.

        Raises SinkUnavailable.
        """
        self._packs.pack(group, records, self._uploads)

    def recalling(self, group: str, keys: Sequence[str]) -> AbstractContextManager[Recall]:
        """Open a group for recalling these keys from its packs. Raises SinkUnavailable."""
        return self._packs.recalling(group, keys, self._uploads)

    def index(self, group: str, *, packed: bool = True) -> None:
        """Index a group's packs, so that they are found with few requests. Raises SinkUnavailable."""
        self._packs.index(group, packed=packed)

    def part(self, run_id: str, name: str) -> AbstractContextManager[PartWriter]:
        """Open a part of a run's tables for rows.

        Raises SettingsError for an invalid run id, ValueError for an invalid part, SinkUnavailable.
        """
        return StorageParts(self.storage, self._uploads).part(run_id, name)

    def has_part(self, run_id: str, part: PartFacts) -> bool:
        """Whether a part stands there with its size and SHA-256. Raises SinkUnavailable."""
        return StorageParts(self.storage).has_part(run_id, part)

    def claim(self, run_id: str, spec: RunSpec, waiting: Callable[[str], None]) -> AbstractContextManager[RunClaim]:
        """Open a run id for publishing. Raises RunIdTaken, SettingsError for an invalid run id, SinkUnavailable."""
        return self._claims.claim(run_id, spec, waiting)

    def check_run_id(self, run_id: str, spec: RunSpec) -> None:
        """Refuse a run id that cannot be used for a spec: RunIdTaken, SettingsError; SinkUnavailable."""
        self._claims.check(run_id, spec)

    def probe(self) -> Iterator[tuple[str, SinkUnavailable | None]]:
        """Yield the address of the results and of each output, with the error of writing there, or None.

        The files of the probe are removed; where the process is killed before, as temporary files by the next run.
        """
        probed = [(self.storage.address(""), Output(self.storage, f"{RECORDS}/check"))]
        for address, output in (*probed, *((output.address, output) for output in self.outputs)):
            folder, slash, file = output.name.rpartition("/")
            name = f"{folder}{slash}.{file}.{secrets.token_hex(8)}.tmp"
            try:
                output.storage.create(name, b"")
                output.storage.remove_all([name])
            except SinkUnavailable as error:
                yield address, error
            else:
                yield address, None

    def attach(self, run_id: str, name: str, content: bytes) -> str:
        """Write a file of another kind, e.g. `run.log`, to a run's folder; return its address.

        Raises SettingsError for an invalid run id or name, SinkUnavailable.
        """
        file = attachment_name(run_id, name)
        self.storage.replace(file, content)
        return self.storage.address(file)

    def mark(self, run_id: str, mark: str) -> None:
        """Mark a unit of a run as finished, for processes that wait for it; marking twice is harmless.

        Raises SettingsError for an invalid run id or mark, SinkUnavailable.
        """
        self.storage.create(mark_name(run_id, mark), b"")
