"""Claims of run ids in a storage, and the publishing of results under them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager, suppress

import attrs

from pulse_adapters.published.result_reader import is_of_spec, is_result, parts_of
from pulse_adapters.published.result_writer import result_json
from pulse_adapters.published.table_writer import TABLES
from pulse_adapters.sinks.layout import RECORDS, UNITS, part_of, result_name, run_folder
from pulse_adapters.storage.port import Storage
from pulse_core.errors import RunIdTaken, SinkUnavailable
from pulse_core.results import RunResult
from pulse_core.spec import RunSpec
from pulse_core.tables import PartFacts


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

    @contextmanager
    def claim(self, run_id: str, spec: RunSpec, waiting: Callable[[str], None]) -> Iterator[_Claim]:
        """Open a run id for publishing. Raises RunIdTaken, SettingsError for an invalid run id, SinkUnavailable."""
        del waiting
        self.check(run_id, spec)
        content = self.storage.read(result_name(run_id)) or b""
        yield _Claim(self.storage, self.outputs, parts_of(content))

    def check(self, run_id: str, spec: RunSpec) -> None:
        """Refuse a run id that cannot be used for a spec: RunIdTaken, SettingsError; SinkUnavailable."""
        name = result_name(run_id)
        content = self.storage.read(name)
        if content is None or is_of_spec(content, run_id, spec):
            return
        holder = "the result of another spec" if is_result(content) else "a file that is no result of a run"
        hint = "choose another run id, or move that file away"
        raise RunIdTaken([f"run id '{run_id}' holds {holder} ({self.storage.address(name)}): {hint}"])


@attrs.frozen
class _Claim:
    """The right to publish under a run id."""

    storage: Storage
    outputs: tuple[Output, ...]
    parts: tuple[PartFacts, ...] = ()

    def publish(self, result: RunResult) -> Sequence[str]:
        """Write `result.json` of a run and all outputs; return their addresses.

        Parts that the result does not name are removed. Where one file cannot be written, the others are written all
        the same. Raises SinkUnavailable.
        """
        content = result_json(result)
        self.storage.durable()
        outputs = (Output(self.storage, result_name(result.run_id)), *self.outputs)
        failures: list[SinkUnavailable] = []
        for output in outputs:
            try:
                output.storage.replace(output.name, content)
            except SinkUnavailable as error:
                failures.append(error)
        if failures:
            raise failures[0]
        self._remove_parts(result.run_id, {part.name for part in result.parts})
        self._sweep(result.run_id)
        return [output.address for output in outputs]

    def _remove_parts(self, run_id: str, current: Container[str]) -> None:
        """Remove the parts of a run that are not current."""
        for table in TABLES:
            for entry in list(self.storage.entries(f"{run_folder(run_id)}/{table}")):
                part = part_of(run_id, entry.name)
                if part is not None and part not in current:
                    self.storage.remove(entry.name)

    def _sweep(self, run_id: str) -> None:
        """Remove the temporary files of killed writers from the records, the run and the outputs."""
        folders = (run_folder(run_id), UNITS, RECORDS)
        with suppress(SinkUnavailable):  # the result is published, with temporary files beside it or not
            for swept in (*(Output(self.storage, folder) for folder in folders), *self.outputs):
                swept.storage.sweep(swept.name)
