"""A run as its published document, `result.json`; docs/result.schema.json says what stands in it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from pulse_core.plan import Batch
from pulse_core.results import TRUST, DataFacts, Failure, RunResult, VariableSummary
from pulse_core.scores.measures import MEASURES, why_null
from pulse_core.spec import RunSpec

SCHEMA_VERSION: Final = 1
MOST_WHOLE_VARIABLES: Final = 200
"""Above this number the document keeps only the best, the benchmark and the ensemble of each variable."""

Document = dict[str, Any]


def result_document(result: RunResult) -> Document:
    """Return `result.json` as plain values: keys in a fixed order, no NaN, times in UTC."""
    whole = len(result.variables) <= MOST_WHOLE_VARIABLES
    return {
        "schema_version": SCHEMA_VERSION,
        "digest": result.digest,
        "run": _run(result),
        "variables_hold": "all" if whole else "best",
        "variables": {summary.variable: _variable(summary, result.spec, whole=whole) for summary in result.variables},
        "batches": _batches(result.batches, result.variables),
        "failures": [_failure(failure) for failure in result.failures],
    }


def encode_document(document: Document) -> bytes:
    """Return a document as JSON: indented for people, unless it is too large for them."""
    content = msgspec.json.encode(document)
    if len(document["variables"]) > MOST_WHOLE_VARIABLES:
        return content
    return msgspec.json.format(content, indent=2) + b"\n"


def best(summary: VariableSummary) -> dict[str, str | None]:
    """Return each horizon's best forecaster; None without a score."""
    return {str(horizon): summary.best(horizon) for horizon in range(1, summary.scores.shape[1] + 1)}


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


def _variable(summary: VariableSummary, spec: RunSpec, *, whole: bool) -> Document:
    bests = best(summary)
    kept = {*bests.values(), spec.benchmark, "ensemble"}
    scores, trust = summary.scores.tolist(), summary.trust.tolist()
    return {
        "best": bests,
        "forecasters": {
            name: {
                "horizons": {
                    str(horizon + 1): _horizon(
                        scores[place][horizon], trust[place][horizon], is_benchmark=name == spec.benchmark
                    )
                    for horizon in range(summary.scores.shape[1])
                }
            }
            for place, name in enumerate(summary.forecasters)
            if whole or name in kept
        },
    }


def _horizon(scores: list[float], trust: list[float], *, is_benchmark: bool) -> Document:
    document: Document = {name: _number(score) for name, score in zip(MEASURES, scores, strict=True)}
    document["n"] = int(scores[MEASURES.index("n")])
    known = all(math.isfinite(value) for value in trust)
    document["trust"] = dict(zip(TRUST, trust, strict=True)) if known else None
    nulls = {name: why_null(name, scored=document["n"] > 0) for name in MEASURES if document[name] is None}
    if not known:
        nulls["trust"] = (
            "it is the benchmark, which the others are compared with"
            if is_benchmark
            else "no outcome could be compared with the benchmark's"
        )
    if nulls:
        document["nulls"] = nulls
    return document


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
        "what": failure.what,
        "where": failure.where,
        "mend": failure.mend,
    }


def _number(score: float) -> float | None:
    return score if math.isfinite(score) else None


def _time(moment: datetime | None) -> str | None:
    """Return ISO 8601 in UTC; a time without offset is taken to be in it."""
    if moment is None:
        return None
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
