"""The ResultSink over any Place: all that a sink does, once; see layout.py for what stands where."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial

import attrs

from pulse_adapters.published.result_writer import result_json
from pulse_adapters.published.spec_check import is_of_spec
from pulse_adapters.published.table_writer import SUFFIX, TABLES, ParquetPart
from pulse_adapters.sinks.archive import Archive
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
from pulse_adapters.sinks.records import DamagedRecord, decode_record, encode_record
from pulse_adapters.storage.disk import disk_faults
from pulse_adapters.storage.port import Draft, Place, Read
from pulse_core.errors import RunIdTaken, SinkUnavailable
from pulse_core.ports import Recall, Write
from pulse_core.results import Record, RunResult
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns, is_other_content, same_unit

_log = logging.getLogger(__name__)


@attrs.frozen
class Output:
    """One more place for a run's result: a file of any name, wherever it is."""

    place: Place
    name: str


@attrs.frozen
class PlaceSink(Archive):
    """A ResultSink in a place; `result.json` is also put at every one of `outputs`."""

    outputs: tuple[Output, ...] = ()

    def recall(self, key: str) -> Record | None:
        """Return what was recorded under the key, or None; set it aside if damaged. Raises SinkUnavailable."""
        return self._recall(self.place.read, key)

    @contextmanager
    def recalling(self, keys: Sequence[str]) -> Iterator[Recall]:
        """Open for recalling these, ahead of time where the place can read so."""
        with self.place.reading([record_name(key) for key in keys]) as read:
            yield partial(self._recall, read)

    def record(self, key: str, result: Record) -> None:
        """Store the result under the key unless something is there already. Raises SinkUnavailable."""
        self.place.create(record_name(key), encode_record(result))

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        """Open `<name>.parquet` in the run's folder for rows; without any, it will not be there.

        Once it is, those of the same unit with other content are removed.

        Raises SettingsError where the run id is no name, ValueError where the part's is none, SinkUnavailable.
        """
        part = _Part(self.place, part_name(run_id, name))
        try:
            yield part.write
            part.finish()
            self._remove_other_content(run_id, name)
        finally:
            part.discard()

    def has_part(self, run_id: str, name: str) -> bool:
        """Whether `<name>.parquet` stands in the run's folder.

        Raises SettingsError where the run id is no name, ValueError where the part's is none, SinkUnavailable.
        """
        wanted = part_name(run_id, name)
        return wanted in self.place.beginning(wanted)

    def copy_part(self, name: str, source: str, run_id: str) -> bool:
        """Let a run have the part that the run `source` has; return whether it has it now.

        Raises SettingsError where a run id is no name, ValueError where the part's is none, SinkUnavailable.
        """
        there = self.place.copy(part_name(source, name), part_name(run_id, name))
        if there:
            self._remove_other_content(run_id, name)
        return there

    def publish(self, result: RunResult) -> Sequence[str]:
        """Put `result.json` in the run's folder and at the outputs; return where they are.

        Parts that the result does not name are removed. Where one place cannot be written, the others are all the
        same.

        Raises RunIdTaken where the run id holds another spec, SettingsError where it is no name,
        SinkUnavailable.
        """
        self.claim(result.run_id, result.spec)
        content = result_json(result)
        places = (Output(self.place, result_name(result.run_id)), *self.outputs)
        failures: list[SinkUnavailable] = []
        for each in places:
            try:
                each.place.replace(each.name, content)
            except SinkUnavailable as error:
                failures.append(error)
        if failures:
            raise failures[0]
        self._remove_parts(result.run_id, set(result.parts))
        self._sweep(result.run_id)
        return [each.place.address(each.name) for each in places]

    def probe(self) -> Iterator[tuple[str, SinkUnavailable | None]]:
        """Yield every place that a result goes to, and why nothing can be written there, or None; nothing is left."""
        for each in (Output(self.place, ""), *self.outputs):
            name = f"{each.name}.check-{secrets.token_hex(8)}"
            try:
                each.place.create(name, b"")
                each.place.remove(name)
            except SinkUnavailable as error:
                yield each.place.address(each.name), error
            else:
                yield each.place.address(each.name), None

    def claim(self, run_id: str, spec: RunSpec) -> None:
        """Refuse a run id that cannot be used for this spec: RunIdTaken, SettingsError; SinkUnavailable."""
        name = result_name(run_id)
        content = self.place.read(name)
        if content is not None and not is_of_spec(content, run_id, spec):
            place, hint = self.place.address(name), "choose another run id, or move that result"
            raise RunIdTaken([f"run id '{run_id}' holds the result of another spec ({place}): {hint}"])

    def attach(self, run_id: str, name: str, content: bytes) -> str:
        """Put a file of another kind, e.g. `run.log`, in the run's folder, whole; return where it is.

        Raises SettingsError where run id or name are no names, SinkUnavailable.
        """
        full_name = attachment_name(run_id, name)
        self.place.replace(full_name, content)
        return self.place.address(full_name)

    def mark(self, run_id: str, mark: str) -> None:
        """Note that a part of a run is done, for whoever watches; harmless when repeated.

        Raises SettingsError where run id or mark are no names, SinkUnavailable.
        """
        self.place.create(mark_name(run_id, mark), b"")

    def _recall(self, read: Read, key: str) -> Record | None:
        name = record_name(key)
        content = read(name)
        if content is None:
            return None
        try:
            return decode_record(content)
        except DamagedRecord as damage:
            aside = self.place.set_aside(name, content)
            if aside is not None:
                _log.warning(
                    "%s: %s; set aside as %s and computed again", self.place.address(name), damage.message, aside
                )
            return None

    def _remove_other_content(self, run_id: str, name: str) -> None:
        for other in self._alike(run_id, name):
            if is_other_content(name, other):
                self.place.remove(part_name(run_id, other))

    def _alike(self, run_id: str, name: str) -> list[str]:
        """Return the parts whose names begin as those of the same unit do."""
        start = part_name(run_id, same_unit(name).removesuffix("-")).removesuffix(SUFFIX)
        parts = (part_of(run_id, other) for other in self.place.beginning(start))
        return [part for part in parts if part is not None]

    def _remove_parts(self, run_id: str, kept: Container[str]) -> None:
        for table in TABLES:
            for entry in list(self.place.entries(f"{run_folder(run_id)}/{table}")):
                part = part_of(run_id, entry.name)
                if part is not None and part not in kept:
                    self.place.remove(entry.name)

    def _sweep(self, run_id: str) -> None:
        """Remove what killed writers left in the ledger and of this run's files."""
        with suppress(SinkUnavailable):  # the result is where it should be, tidy or not
            for each in (Output(self.place, run_folder(run_id)), *self.outputs, Output(self.place, UNITS)):
                each.place.sweep(each.name)


class _Part:
    """A part under way; a file is opened with the first rows. Raises SinkUnavailable."""

    def __init__(self, place: Place, name: str) -> None:
        self._place = place
        self._name = name
        self._draft: Draft | None = None
        self._parquet: ParquetPart | None = None

    def write(self, columns: Columns) -> None:
        if self._draft is None or self._parquet is None:
            self._draft = self._place.draft(self._name)
            self._parquet = ParquetPart(self._draft.file)
        with disk_faults("write a part", self._draft.address):
            self._parquet.write(columns)

    def finish(self) -> None:
        if self._draft is None or self._parquet is None:
            self._place.remove(self._name)  # this go has no rows
            return
        with disk_faults("write a part", self._draft.address):
            self._parquet.finish()
        self._draft.finish()

    def discard(self) -> None:
        if self._parquet is not None:
            self._parquet.abandon()
        if self._draft is not None:
            self._draft.discard()
