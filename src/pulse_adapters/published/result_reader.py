"""Reader of `result.json`: a published run whole, the head of it for lists, and its spec for claims."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import attrs
import msgspec

from pulse_adapters.published.archive import Archive
from pulse_adapters.published.document import RESULT, SCHEMA_VERSION, Document, Head
from pulse_adapters.published.json_templates import PLACEHOLDER, Template
from pulse_core.errors import InvalidSpec, MalformedData
from pulse_core.plan import Batch, batches
from pulse_core.spec import RunSpec

_MALFORMED_HINT: Final = "Move the file away and run the same training again: finished variables are recalled"
_VERSION_HINT: Final = (
    "Read it with the version of Pulse that wrote it, or move it away and run the same training again"
)

Kind = TypeVar("Kind", Document, Head)


@attrs.frozen(eq=False)
class PublishedRun:
    """A published run: its document, its spec, and the names of its tables' parts."""

    document: Document
    spec: RunSpec
    scores: tuple[str, ...]
    """The parts of the table `scores`."""
    hindcasts: tuple[str, ...]
    """The parts of the table `hindcasts`; none unless the run wrote them."""
    content: bytes = attrs.field(repr=False)
    """The document as it is stored."""

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self.document.run.id

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
    document = _decoded(content, Document, address)
    return PublishedRun(
        document,
        _spec(document.run.spec, address),
        archive.parts(run_id, "scores"),
        archive.parts(run_id, "hindcasts"),
        content,
    )


def read_head(archive: Archive, run_id: str) -> Head:
    """Return the head of a run's document, which is quick. Raises as `read_result`."""
    return _decoded(archive.read(run_id, RESULT), Head, archive.address(run_id, RESULT))


def is_of_spec(content: bytes, run_id: str, spec: RunSpec) -> bool:
    """Whether a document, of any version, is the result of this spec; False for content that is no result."""
    return _starts_with_spec(content, run_id, spec) or _spec_document(content) == spec.to_document()


def is_result(content: bytes) -> bool:
    """Whether content is the result of a run, of any version."""
    return _spec_document(content) is not None


def _decoded(content: bytes, kind: type[Kind], address: str) -> Kind:
    """Return the document, or its head. Raises MalformedData."""
    try:
        document = msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        _refuse_version(_version(content), address)
        raise MalformedData(f"is no result of a run: {error}", address, _MALFORMED_HINT) from error
    _refuse_version(document.schema_version, address)
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


def _starts_with_spec(content: bytes, run_id: str, spec: RunSpec) -> bool:
    """Whether a document is, up to its spec, what the writer writes of this run; the rest, megabytes, is not parsed."""
    run = {"id": run_id, "spec": spec.to_document(), "software": PLACEHOLDER}
    head = {"schema_version": SCHEMA_VERSION, "digest": PLACEHOLDER, "run": run}
    before, after, _ = Template.of(head, level=0, indented=content.startswith(b"{\n")).pieces
    return content.startswith(before) and content.startswith(after, content.find(b",", len(before)))


def _spec_document(content: bytes) -> dict[str, Any] | None:
    """Return the spec in a document of any version, or None where there is none."""
    try:
        return msgspec.json.decode(content, type=_WithSpec).run.spec
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


class _Version(msgspec.Struct):
    schema_version: int


class _Spec(msgspec.Struct):
    spec: dict[str, Any]


class _WithSpec(msgspec.Struct):
    run: _Spec
