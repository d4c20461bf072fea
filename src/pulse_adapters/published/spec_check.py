"""Which spec a published `result.json` is of, told without reading all of it where it can be."""

from __future__ import annotations

from typing import Any

import msgspec

from pulse_adapters.published.json_templates import PLACEHOLDER, Template
from pulse_adapters.published.result_writer import SCHEMA_VERSION
from pulse_core.spec import RunSpec


def is_of_spec(content: bytes, run_id: str, spec: RunSpec) -> bool:
    """Whether a document is the result of this spec; False where it is no result."""
    return _begins_as(content, run_id, spec) or _spec_of(content) == spec.to_document()


def _begins_as(content: bytes, run_id: str, spec: RunSpec) -> bool:
    """Whether a document is, up to its spec, what is published of this run; its megabytes need not be parsed then."""
    run = {"id": run_id, "spec": spec.to_document(), "software": PLACEHOLDER}
    head = {"schema_version": SCHEMA_VERSION, "digest": PLACEHOLDER, "run": run}
    before, after, _ = Template.of(head, level=0, indented=content.startswith(b"{\n")).pieces
    return content.startswith(before) and content.startswith(after, content.find(b",", len(before)))


def _spec_of(content: bytes) -> dict[str, Any] | None:
    """Return the spec in a document of any layout, or None where there is none."""
    try:
        return msgspec.json.decode(content, type=_Published).run.spec
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


class _Run(msgspec.Struct):
    spec: dict[str, Any]


class _Published(msgspec.Struct):
    run: _Run
