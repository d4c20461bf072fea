"""StorageSink: the ResultSink over any Storage; layout.py names its files."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial

import attrs

from pulse_adapters.published.result_reader import is_of_spec, is_result
from pulse_adapters.published.result_writer import result_json
from pulse_adapters.published.table_writer import SUFFIX, TABLES, ParquetPart
from pulse_adapters.sinks.archive import StorageArchive
from pulse_adapters.sinks.layout import (
    UNITS,
    attachment_name,
    mark_name,
    part_name,
    part_of,
    record_name,
    result_name,
    run_folder,
)
from pulse_adapters.sinks.records import DamagedRecord, OutdatedRecord, decode_record, encode_record
from pulse_adapters.storage.disk import disk_faults
from pulse_adapters.storage.port import Draft, Read, Storage
from pulse_core.errors import RunIdTaken, SinkUnavailable
from pulse_core.ports import Recall, Write
from pulse_core.results import Record, RunResult
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns, is_other_content, same_unit

_log = logging.getLogger(__name__)


@attrs.frozen
class Output:
    """A file of a storage that receives a run's result."""

    storage: Storage
    name: str

    @property
    def address(self) -> str:
        """The full name of the file."""
        return self.storage.address(self.name)


@attrs.frozen
class StorageSink(StorageArchive):
    """A ResultSink in a storage; `result.json` is written to every file of `outputs` too."""

    outputs: tuple[Output, ...] = ()

    def recall(self, key: str) -> Record | None:
        """Return the record of a key, or None; an outdated record is removed, a damaged one set aside.

        Raises SinkUnavailable.
        """
        return self._recall(self.storage.read, key)

    @contextmanager
    def recalling(self, keys: Sequence[str]) -> Iterator[Recall]:
        """Open for recalling these keys, which the storage may read ahead."""
        with self.storage.reading([record_name(key) for key in keys]) as read:
            yield partial(self._recall, read)

    def record(self, key: str, result: Record) -> None:
        """Store a record unless the key has one. Raises SinkUnavailable."""
        self.storage.create(record_name(key), encode_record(result))

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        """Open `<name>.parquet` of a run for row groups; without any, the file will not exist.

        Once the file exists, parts of the same unit with other content are removed.

        Raises SettingsError for an invalid run id, ValueError for an invalid part, SinkUnavailable.
        """
        part = _Part(self.storage, part_name(run_id, name))
        try:
            yield part.write
            part.finish()
            self._remove_other_content(run_id, name)
        finally:
            part.discard()

    def has_part(self, run_id: str, name: str) -> bool:
        """Whether a run has the file `<name>.parquet`.

        Raises SettingsError for an invalid run id, ValueError for an invalid part, SinkUnavailable.
        """
        file = part_name(run_id, name)
        return file in self.storage.names(file)

    def copy_part(self, name: str, source: str, run_id: str) -> bool:
        """Copy a part of the run `source` to another run; return whether that run has the part afterwards.

        Raises SettingsError for an invalid run id, ValueError for an invalid part, SinkUnavailable.
        """
        copied = self.storage.copy(part_name(source, name), part_name(run_id, name))
        if copied:
            self._remove_other_content(run_id, name)
        return copied

    def publish(self, result: RunResult) -> Sequence[str]:
        """Write `result.json` of a run and all outputs; return their addresses.

        Parts that the result does not name are removed. Where one file cannot be written, the others are written all
        the same.

        Raises RunIdTaken where the run id holds the result of another spec, SettingsError for an invalid run id,
        SinkUnavailable.
        """
        self.claim(result.run_id, result.spec)
        content = result_json(result)
        outputs = (Output(self.storage, result_name(result.run_id)), *self.outputs)
        failures: list[SinkUnavailable] = []
        for output in outputs:
            try:
                output.storage.replace(output.name, content)
            except SinkUnavailable as error:
                failures.append(error)
        if failures:
            raise failures[0]
        self._remove_parts(result.run_id, set(result.parts))
        self._sweep(result.run_id)
        return [output.address for output in outputs]

    def probe(self) -> Iterator[tuple[str, SinkUnavailable | None]]:
        """Yield the address of the results and of each output, with the error of writing there, or None.

        The files of the probe are removed.
        """
        for output in (Output(self.storage, ""), *self.outputs):
            name = f"{output.name}.check-{secrets.token_hex(8)}"
            try:
                output.storage.create(name, b"")
                output.storage.remove(name)
            except SinkUnavailable as error:
                yield output.address, error
            else:
                yield output.address, None

    def claim(self, run_id: str, spec: RunSpec) -> None:
        """Refuse a run id that cannot be used for a spec: RunIdTaken, SettingsError; SinkUnavailable."""
        name = result_name(run_id)
        content = self.storage.read(name)
        if content is None or is_of_spec(content, run_id, spec):
            return
        holder = "the result of another spec" if is_result(content) else "a file that is no result of a run"
        hint = "choose another run id, or move that file away"
        raise RunIdTaken([f"run id '{run_id}' holds {holder} ({self.storage.address(name)}): {hint}"])

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

    def _recall(self, read: Read, key: str) -> Record | None:
        name = record_name(key)
        content = read(name)
        if content is None:
            return None
        try:
            return decode_record(content)
        except OutdatedRecord as outdated:
            self._remove_outdated(name, content, outdated)
        except DamagedRecord as damage:
            self._set_aside(name, content, damage)
        return None

    def _remove_outdated(self, name: str, content: bytes, outdated: OutdatedRecord) -> None:
        """Make room for the record that is computed in its stead: a record is created, never replaced."""
        if self.storage.remove_content(name, content):
            _log.info("%s: %s; computed again", self.storage.address(name), outdated.message)

    def _set_aside(self, name: str, content: bytes, damage: DamagedRecord) -> None:
        aside = self.storage.set_aside(name, content)
        if aside is not None:
            address = self.storage.address(name)
            _log.warning("%s: %s; set aside as %s and computed again", address, damage.message, aside)

    def _remove_other_content(self, run_id: str, name: str) -> None:
        for part in self._parts_of_unit(run_id, name):
            if is_other_content(name, part):
                self.storage.remove(part_name(run_id, part))

    def _parts_of_unit(self, run_id: str, name: str) -> list[str]:
        """Return the parts whose names start as those of the unit that wrote `name`."""
        prefix = part_name(run_id, same_unit(name).removesuffix("-")).removesuffix(SUFFIX)
        parts = (part_of(run_id, file) for file in self.storage.names(prefix))
        return [part for part in parts if part is not None]

    def _remove_parts(self, run_id: str, current: Container[str]) -> None:
        """Remove the parts of a run that are not current."""
        for table in TABLES:
            for entry in list(self.storage.entries(f"{run_folder(run_id)}/{table}")):
                part = part_of(run_id, entry.name)
                if part is not None and part not in current:
                    self.storage.remove(entry.name)

    def _sweep(self, run_id: str) -> None:
        """Remove the temporary files of killed writers from the records, the run and the outputs."""
        with suppress(SinkUnavailable):  # the result is published, with temporary files beside it or not
            for swept in (Output(self.storage, run_folder(run_id)), *self.outputs, Output(self.storage, UNITS)):
                swept.storage.sweep(swept.name)


class _Part:
    """A part that is being written; the first row group opens its file. Raises SinkUnavailable."""

    def __init__(self, storage: Storage, name: str) -> None:
        self._storage = storage
        self._name = name
        self._draft: Draft | None = None
        self._parquet: ParquetPart | None = None

    def write(self, columns: Columns) -> None:
        if self._draft is None or self._parquet is None:
            self._draft = self._storage.draft(self._name)
            self._parquet = ParquetPart(self._draft.file)
        with disk_faults("write a part", self._draft.address):
            self._parquet.write(columns)

    def finish(self) -> None:
        if self._draft is None or self._parquet is None:
            self._storage.remove(self._name)  # an older part of this name has rows, this one has none
            return
        with disk_faults("write a part", self._draft.address):
            self._parquet.finish()
        self._draft.finish()

    def discard(self) -> None:
        if self._parquet is not None:
            self._parquet.abandon()
        if self._draft is not None:
            self._draft.discard()
