"""Writer of `result.json`, the published document of a run; docs/result.schema.json is its schema."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from pulse_adapters.published.document import SCHEMA_VERSION
from pulse_adapters.published.json_templates import PLACEHOLDER, Template
from pulse_adapters.published.variable_json import summary_json
from pulse_core.plan import Batch
from pulse_core.results import RunResult, VariableSummary
from pulse_core.scores.reliability import ReliabilityBin

COMPLETE_UP_TO: Final = 200
"""With more variables the document holds only the best, the benchmark and the ensemble of each."""

Document = dict[str, Any]

_NO_BAND: Final = "one variable alone has such trusts, and the band is of the differences between variables"


def result_json(result: RunResult) -> bytes:
    """Return `result.json`: keys in a fixed order, no NaN, times in UTC; indented for people unless it is too large."""
    complete = len(result.variables) <= COMPLETE_UP_TO
    discoveries = result.discoveries()
    template = Template.of(_document(result, complete=complete), level=0, indented=complete)
    variables = (
        summary_json(summary, discoveries[summary.variable], complete=complete) for summary in result.variables
    )
    return b"".join([*template.with_parts(variables), *([b"\n"] if complete else [])])


def _document(result: RunResult, *, complete: bool) -> Document:
    """Return the document with a placeholder for each variable."""
    return {
        "schema_version": SCHEMA_VERSION,
        "digest": result.digest,
        "run": _run(result),
        "variables_hold": "all" if complete else "best",
        "variables": {summary.variable: PLACEHOLDER for summary in result.variables},
        "batches": _batches(result.batches, result.variables),
        "reliability": [_reliability_bin(counted) for counted in result.reliability().bins],
        "failures": [attrs.asdict(failure) for failure in result.failures],
    }


def _run(result: RunResult) -> Document:
    started, finished = result.started_at, result.finished_at
    seconds = None if started is None or finished is None else (finished - started).total_seconds()
    return {
        "id": result.run_id,
        "spec": result.spec.to_document(),
        "software": dict(sorted(result.software.items())),
        "data": {summary.variable: attrs.asdict(summary.data) for summary in result.variables},
        "units": attrs.asdict(result.units),
        "started_at": _time(started),
        "finished_at": _time(finished),
        "seconds": seconds,
        **({"unrepeatable": list(result.unrepeatable)} if result.unrepeatable else {}),
    }


def _batches(batches: Iterable[Batch], summaries: Iterable[VariableSummary]) -> list[Document]:
    counts = [summary.origins.tolist() for summary in summaries]
    return [
        {
            "id": batch.id,
            "start": batch.start.isoformat(),
            "end": batch.end.isoformat(),
            "origins": sum(count[index] for count in counts if index < len(count)),
        }
        for index, batch in enumerate(batches)
    ]


def _reliability_bin(counted: ReliabilityBin) -> Document:
    band = [limit if math.isfinite(limit) else None for limit in counted.band]
    document = {
        "horizon": counted.horizon,
        "low": counted.low,
        "high": counted.high,
        "count": counted.count,
        "pairs": counted.pairs,
        "trust": counted.trust,
        "true": counted.true,
        "band_low": band[0],
        "band_high": band[1],
        "bad": counted.bad,
    }
    return document | ({"nulls": dict.fromkeys(("band_low", "band_high"), _NO_BAND)} if None in band else {})


def _time(moment: datetime | None) -> str | None:
    """Return ISO 8601 in UTC; a time without offset counts as UTC."""
    if moment is None:
        return None
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
