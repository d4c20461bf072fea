"""Reader of `result.json`: a published run whole, the head of it for lists, and its spec for claims.

A document is believed only where its seal fits and it is that of the run under whose id it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import attrs
import msgspec

from pulse_adapters.published.archive import Archive
from pulse_adapters.published.document import RESULT, SCHEMA_VERSION, Document, Head, Part, Variable, VariableHead
from pulse_adapters.published.seal import is_sealed
from pulse_adapters.published.table_writer import SUFFIX
from pulse_core.errors import InvalidSpec, MalformedData
from pulse_core.plan import Batch, batches
from pulse_core.spec import RunSpec
from pulse_core.tables import PartFacts

_MALFORMED_HINT: Final = "Move the file away and run the same training again: finished variables are recalled"
_VERSION_HINT: Final = (
    "Read it with the version of Pulse that wrote it, or move it away and run the same training again"
)

Kind = TypeVar("Kind", Document, Head)
Value = TypeVar("Value")


class DamagedPart(MalformedData):
    """A part of a run's table that is missing, or has changed since it was written."""


class Variables(Mapping[str, Variable]):
    """The variables of a document, decoded when they are asked for: commands that show a few need not wait for all."""

    def __init__(self, encoded: Mapping[str, msgspec.Raw], address: str) -> None:
        self._encoded, self._address = encoded, address
        self._decoded: dict[str, Variable] = {}

    def __getitem__(self, name: str) -> Variable:
        """Return a variable. Raises KeyError where the run has none of this name, MalformedData."""
        if name not in self._decoded:
            self._decoded[name] = self._decode(self._encoded[name], Variable)
        return self._decoded[name]

    def _decode(self, encoded: msgspec.Raw, kind: type[Value]) -> Value:
        try:
            return msgspec.json.decode(encoded, type=kind)
        except msgspec.MsgspecError as error:
            raise MalformedData(f"is no result of a run: {error}", self._address, _MALFORMED_HINT) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._encoded)

    def __len__(self) -> int:
        return len(self._encoded)

    def with_scores(self, variables: Mapping[str, Variable]) -> Variables:
        """Return the same with some of the variables in another form."""
        other = Variables(self._encoded, self._address)
        other._decoded = {**self._decoded, **variables}  # of its own class
        return other


@attrs.frozen(eq=False)
class PublishedRun:
    """A published run: its document, its variables, and its spec."""

    document: Document
    variables: Variables
    spec: RunSpec
    address: str
    """The full name of the document."""
    content: bytes = attrs.field(repr=False)
    """The document as it is stored."""

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self.document.run.id

    def parts(self, table: str) -> tuple[Part, ...]:
        """Return the parts of a table, in order; none where the run has no such table."""
        return tuple(self.document.tables.get(table, ()))

    def with_variables(self, variables: Mapping[str, Variable]) -> PublishedRun:
        """Return the run with some of its variables in another form."""
        return attrs.evolve(self, variables=self.variables.with_scores(variables))

    def heads(self) -> dict[str, VariableHead]:
        """Return the heads of all variables, which takes a tenth of decoding them whole. Raises MalformedData."""
        try:
            return msgspec.json.decode(self.content, type=_WithHeads).variables
        except msgspec.MsgspecError as error:
            raise MalformedData(f"is no result of a run: {error}", self.address, _MALFORMED_HINT) from error

    @property
    def batches(self) -> tuple[Batch, ...]:
        """The batches of the period, in order."""
        return batches(self.spec)

    @property
    def fingerprints(self) -> dict[str, str]:
        """The SHA-256 of the rows known by the run's end, by variable; failed variables have none."""
        return {name: data.fingerprint for name, data in self.document.run.data.items()}

    @property
    def software(self) -> dict[str, str]:
        """The versions that computed the run."""
        return self.document.run.software


def read_result(archive: Archive, run_id: str) -> PublishedRun:
    """Return a published run. Raises RunNotFound, SinkUnavailable; MalformedData for any other document."""
    content = archive.read(run_id, RESULT)
    address = archive.address(run_id, RESULT)
    document = _decoded(content, Document, run_id, address)
    variables = Variables(document.variables, address)
    return PublishedRun(document, variables, _spec(document.run.spec, address), address, content)


def read_head(archive: Archive, run_id: str) -> Head:
    """Return the head of a run's document, which is quick. Raises as `read_result`."""
    return _decoded(archive.read(run_id, RESULT), Head, run_id, archive.address(run_id, RESULT))


def with_results(archive: Archive, run_ids: Sequence[str], action: Callable[..., Value]) -> Value:
    """Return what an action makes of published runs, each an argument; it must have no effect before it returns.

    Where a part is missing or has changed because a run was published anew meanwhile, the action is done once more,
    with what is published now. Raises as `read_result` and as the action.
    """
    runs = [read_result(archive, run_id) for run_id in run_ids]
    try:
        return action(*runs)
    except DamagedPart:
        newer = [read_result(archive, run_id) for run_id in run_ids]
        if all(new.content == old.content for new, old in zip(newer, runs, strict=True)):
            raise
    return action(*newer)


def is_of_spec(content: bytes, run_id: str, spec: RunSpec) -> bool:
    """Whether a document, of any version, is this run's result of this spec; False for content that is none."""
    run = _run(content)
    return run is not None and run.id == run_id and run.spec == spec.to_document()


def parts_of(content: bytes) -> tuple[PartFacts, ...]:
    """Return the parts that a document names; none where it is no sound one of this version."""
    try:
        tables = msgspec.json.decode(content, type=_WithTables).tables
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ()
    if not is_sealed(content):
        return ()
    parts = [msgspec.structs.asdict(part) for table in tables.values() for part in table]
    return tuple(PartFacts(**{**part, "name": part["name"].removesuffix(SUFFIX)}) for part in parts)


def is_result(content: bytes) -> bool:
    """Whether content is the result of a run, of any version; False where its seal does not fit."""
    return _run(content) is not None


def _decoded(content: bytes, kind: type[Kind], run_id: str, address: str) -> Kind:
    """Return the document, or its head. Raises MalformedData."""
    try:
        document = msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        _refuse_version(_version(content), address)
        raise MalformedData(f"is no result of a run: {error}", address, _MALFORMED_HINT) from error
    _refuse_version(document.schema_version, address)
    if not is_sealed(content):
        message = "it has changed since it was written: its seal, the SHA-256 of its lines, does not fit"
        raise MalformedData(message, address, _MALFORMED_HINT)
    if document.run.id != run_id:
        raise MalformedData(f"it is the result of another run, '{document.run.id}'", address, _MALFORMED_HINT)
    return document


def _refuse_version(version: int | None, address: str) -> None:
    if version not in {None, SCHEMA_VERSION}:
        message = f"its schema version is {version}; this version of Pulse reads {SCHEMA_VERSION}"
        raise MalformedData(message, address, _VERSION_HINT)


def _version(content: bytes) -> int | None:
    """Return the schema version of a document, or None where it has none."""
    try:
        return msgspec.json.decode(content, type=_Version).schema_version
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _spec(document: dict[str, object], address: str) -> RunSpec:
    try:
        return RunSpec.from_document(document)
    except InvalidSpec as error:
        raise MalformedData(f"holds a spec that cannot be read: {error}", address, _MALFORMED_HINT) from error


def _run(content: bytes) -> _Run | None:
    """Return id and spec in a document of any version; None where there is none, or the document has changed."""
    try:
        document = msgspec.json.decode(content, type=_OfAnyVersion)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return document.run if document.schema_version < SCHEMA_VERSION or is_sealed(content) else None


class _WithHeads(msgspec.Struct):
    variables: dict[str, VariableHead]


class _WithTables(msgspec.Struct):
    tables: dict[str, list[Part]]


class _Version(msgspec.Struct):
    schema_version: int


class _Run(msgspec.Struct):
    id: str
    spec: dict[str, Any]


class _OfAnyVersion(msgspec.Struct):
    run: _Run
    schema_version: int
