"""Claims of run ids in a storage, and the publishing of results under them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import attrs

from pulse_adapters.published.result_reader import is_of_spec, is_result, parts_of
from pulse_adapters.published.result_writer import result_json
from pulse_adapters.sinks.layout import RECORDS, UNITS, claim_name, part_name, part_of, result_name, run_folder
from pulse_adapters.sinks.leases import TRAIN, Claim, Lease, claimed, refuse_other_run, while_held
from pulse_adapters.storage.port import Storage
from pulse_core.errors import RunIdTaken, RunInterrupted, SinkUnavailable
from pulse_core.results import RunResult
from pulse_core.spec import RunSpec
from pulse_core.tables import PartFacts


class PartMissing(SinkUnavailable):
    """A part that a result names is not stored whole, so that the result cannot be published."""


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
class StorageClaims:
    """The claims of run ids in a storage; results are written to every file of `outputs` too."""

    storage: Storage
    outputs: tuple[Output, ...] = ()
    _checked: dict[str, bytes] = attrs.field(init=False, factory=dict, eq=False, repr=False)
    """Documents that were read for a check, by run id: a claim that follows need not read them again."""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.storage, self.outputs)

    @contextmanager
    def claim(self, run_id: str, spec: RunSpec, waiting: Callable[[str], None]) -> Iterator[_Claim]:
        """Hold a run id for publishing; wait while another process has the same run under way.

        Raises RunIdTaken, SettingsError for an invalid run id, SinkUnavailable.
        """
        # before anything is written to the folder of another spec
        content = self._checked.pop(run_id, None) or self._published(run_id, spec)
        with claimed(self.storage, claim_name(run_id), _claim_of(run_id, spec), waiting) as lease:
            if content is None or not _stands(self.storage, result_name(run_id), content):
                content = self._published(run_id, spec)
            yield _Claim(self.storage, self.outputs, run_id, lease, content)

    def check(self, run_id: str, spec: RunSpec) -> None:
        """Refuse a run id that cannot be used for a spec: RunIdTaken, SettingsError; SinkUnavailable."""
        content = self._published(run_id, spec)
        if content is not None:
            self._checked[run_id] = content
        refuse_other_run(self.storage, claim_name(run_id), _claim_of(run_id, spec))

    def _published(self, run_id: str, spec: RunSpec) -> bytes | None:
        """Return the document of the spec's published result, None without one. Raises RunIdTaken for another's."""
        name = result_name(run_id)
        content = self.storage.read(name)
        if content is None or is_of_spec(content, run_id, spec):
            return content
        holder = "the result of another spec" if is_result(content) else "a file that is no result of a run"
        hint = "choose another run id, or move that file away"
        raise RunIdTaken([f"run id '{run_id}' holds {holder} ({self.storage.address(name)}): {hint}"])


@attrs.frozen
class _Claim:
    """The right to publish under a run id; `before` is the document that the published one will replace."""

    storage: Storage
    outputs: tuple[Output, ...]
    run_id: str
    lease: Lease
    before: bytes | None

    @property
    def parts(self) -> tuple[PartFacts, ...]:
        """The parts of the result that stands there."""
        return parts_of(self.before or b"")

    def use(self, group: str) -> None:
        """Note that a group of packed records is used. Raises SinkUnavailable, RunInterrupted for a lost lease."""
        self.lease.use(group)

    def publish(self, result: RunResult) -> Sequence[str]:
        """Write `result.json` of a run and all outputs; return their addresses.

        New first, then the switch, then the removal: a reader finds the former result or this one, with all its parts.
        Where one file cannot be written, the others are written all the same. Raises SinkUnavailable; RunInterrupted
        where the lease was lost, and nothing is published.
        """
        content, outdated = result_json(result), []
        failures: list[SinkUnavailable] = []
        try:
            self.storage.durable()
            outdated = self._outdated_parts(result.parts)
            self.lease.confirm()
            self._switch(content)
            self._require_stored(content)
        except PartMissing:
            raise
        except SinkUnavailable as error:
            failures.append(self.storage.rescue(result_name(self.run_id), content, error))
        for output in self.outputs:
            try:
                output.storage.replace(output.name, content)
            except SinkUnavailable as error:
                failures.append(error)
        if failures:
            raise failures[0]
        with suppress(RunInterrupted):  # whoever has the lease now removes them
            self.storage.remove_all(while_held(outdated, self.lease))
        self._sweep()
        return [self.storage.address(result_name(self.run_id)), *(output.address for output in self.outputs)]

    def _outdated_parts(self, parts: Iterable[PartFacts]) -> list[str]:
        """Return the files of parts that a result does not name. Raises PartMissing where one that it names is gone."""
        sizes = {part_name(self.run_id, part.name): part.bytes for part in parts}
        stored = self._stored_parts()
        for name, size in sizes.items():
            if stored.get(name) != size:
                message = "the part was written, and is gone or cut short"
                hint = "Let nobody else write there, and run the same command again"
                raise PartMissing(message, self.storage.address(name), hint)
        return sorted(stored.keys() - sizes.keys())

    def _stored_parts(self) -> Mapping[str, int]:
        """Return the sizes of the parts that are stored, by file."""
        entries = self.storage.entries(run_folder(self.run_id))
        return {entry.name: entry.size for entry in entries if part_of(self.run_id, entry.name) is not None}

    def _switch(self, content: bytes) -> None:
        """Put the document in place of the one that stood there when the claim began, or of one published since.

        The latter is of a process that was suspended while it published, and has lost its claim to this one.
        """
        name, before = result_name(self.run_id), self.before
        self.lease.require()
        while not self.storage.exchange(name, before, content):
            self.lease.confirm()
            before = self.storage.read(name)

    def _require_stored(self, content: bytes) -> None:
        """Raise SinkUnavailable where the document is not there although the storage has said that it took it."""
        name = result_name(self.run_id)
        if not _stands(self.storage, name, content):
            message = "the result was sent and confirmed, and is not there"
            hint = "Check what answers in the storage's place, such as a proxy, and run the same command again"
            raise SinkUnavailable(message, self.storage.address(name), hint)

    def _sweep(self) -> None:
        """Remove the temporary files of killed writers from the records, the run and the outputs."""
        folders = (run_folder(self.run_id), UNITS, RECORDS)
        with suppress(SinkUnavailable):  # the result is published, with temporary files beside it or not
            self.storage.sweep(*folders)
            for output in self.outputs:
                output.storage.sweep(output.name)


def _stands(storage: Storage, name: str, content: bytes) -> bool:
    """Whether a file holds this content. Raises SinkUnavailable."""
    return storage.fits(name, len(content), hashlib.sha256(content).hexdigest())


def _claim_of(run_id: str, spec: RunSpec) -> Claim:
    return Claim.of(run_id, TRAIN, spec.run_id)
