"""A run as its published document, `result.json`; docs/result.schema.json says what stands in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from pulse_adapters.published.json_templates import GAP, Outline
from pulse_adapters.published.variable_json import summary_json
from pulse_core.plan import Batch
from pulse_core.results import DataFacts, Failure, RunResult, VariableSummary

SCHEMA_VERSION: Final = 2
MOST_WHOLE_VARIABLES: Final = 200
"""Above this number the document keeps only the best, the benchmark and the ensemble of each variable."""

Document = dict[str, Any]


def result_json(result: RunResult) -> bytes:
    """Return `result.json`: keys in a fixed order, no NaN, times in UTC; indented for people unless it is too large."""
    whole = len(result.variables) <= MOST_WHOLE_VARIABLES
    found, benchmark = result.discoveries(), result.spec.benchmark
    outline = Outline.of(_document(result, whole=whole), level=0, indented=whole)
    variables = (summary_json(one, found[one.variable], benchmark, whole=whole) for one in result.variables)
    return b"".join([*outline.with_parts(variables), *([b"\n"] if whole else [])])


def _document(result: RunResult, *, whole: bool) -> Document:
    """Return the document with gaps in the place of its variables."""
    return {
        "schema_version": SCHEMA_VERSION,
        "digest": result.digest,
        "run": _run(result),
        "variables_hold": "all" if whole else "best",
        "variables": {summary.variable: GAP for summary in result.variables},
        "batches": _batches(result.batches, result.variables),
        "failures": [_failure(failure) for failure in result.failures],
    }


def _run(result: RunResult) -> Document:
    started, finished = result.started_at, result.finished_at
    seconds = None if started is None or finished is None else (finished - started).total_seconds()
    units = result.units
    return {
        "id": result.run_id,
        "spec": result.spec.to_document(),
        "software": dict(sorted(result.software.items())),
        "data": {summary.variable: _data(summary.data) for summary in result.variables},
        "units": {
            "planned": units.planned,
            "recalled": units.recalled,
            "computed": units.computed,
            "failed": units.failed,
        },
        "started_at": _time(started),
        "finished_at": _time(finished),
        "seconds": seconds,
    }


def _data(facts: DataFacts) -> Document:
    return {
        "fingerprint": facts.fingerprint,
        "observations": facts.observations,
        "absent": facts.absent,
        "first": facts.first,
        "last": facts.last,
        "known_at": facts.known_at,
    }


def _batches(batches: Iterable[Batch], summaries: Iterable[VariableSummary]) -> list[Document]:
    counts = [summary.origins.tolist() for summary in summaries]
    return [
        {
            "id": batch.id,
            "start": batch.start.isoformat(),
            "end": batch.end.isoformat(),
            "origins": sum(count[place] for count in counts if place < len(count)),
        }
        for place, batch in enumerate(batches)
    ]


def _failure(failure: Failure) -> Document:
    return {
        "variable": failure.variable,
        "kind": failure.kind,
        "message": failure.message,
        "context": failure.context,
        "hint": failure.hint,
    }


def _time(moment: datetime | None) -> str | None:
    """Return ISO 8601 in UTC; a time without offset is taken to be in it."""
    if moment is None:
        return None
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
