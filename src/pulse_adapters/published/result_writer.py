"""Writer of `result.json`, the published document of a run; docs/result.schema.json is its schema."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final

import attrs
import msgspec
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.published.document import SCHEMA_VERSION
from pulse_adapters.published.json_templates import PLACEHOLDER, Template
from pulse_adapters.published.seal import sealed
from pulse_adapters.published.table_writer import SUFFIX
from pulse_adapters.published.variable_json import summary_json, variable_json
from pulse_core.plan import Batch
from pulse_core.results import DataFacts, RunResult, VariableSummary
from pulse_core.scores.reliability import ReliabilityBin
from pulse_core.tables import PartFacts

COMPLETE_UP_TO: Final = 200
"""With more variables the document holds a summary of each; the table `scores` has the rest."""

Document = dict[str, Any]

_NO_BAND: Final = "one variable alone has such trusts, and the band is of the differences between variables"


def result_json(result: RunResult) -> bytes:
    """Return `result.json`: keys in a fixed order, no NaN, times in UTC, sealed.

    It is indented for people; with summaries alone it has a line for each variable.
    """
    return sealed(_complete(result) if len(result.variables) <= COMPLETE_UP_TO else _summaries(result))


def _complete(result: RunResult) -> Iterator[bytes]:
    discoveries = result.discoveries()
    document = _document(result, discoveries)
    document["variables"] = {summary.variable: PLACEHOLDER for summary in result.variables}
    variables = (variable_json(summary, discoveries[summary.variable], result.spec) for summary in result.variables)
    return Template.of(document, level=0, indented=True).with_parts(variables)


def _summaries(result: RunResult) -> Iterator[bytes]:
    document = _document(result, result.discoveries())
    before, after = Template.of(document, level=0, indented=False).pieces
    yield before + b"{"
    for number, summary in enumerate(result.variables):
        yield b",\n" if number else b"\n"
        yield msgspec.json.encode(summary.variable) + b":" + summary_json(summary, result.spec)
    yield b"}" + after


def _document(result: RunResult, discoveries: Mapping[str, NDArray[np.bool_]]) -> Document:
    """Return the document with a placeholder for the variables."""
    return {
        "schema_version": SCHEMA_VERSION,
        "digest": result.digest,
        "run": _run(result),
        "tables": _tables(result.parts),
        "batches": _batches(result.batches, result.variables),
        "reliability": [_reliability_bin(counted) for counted in result.reliability().bins],
        "discoveries": _discoveries(result, discoveries),
        "failures": [attrs.asdict(failure) for failure in result.failures],
        "variables_hold": "all" if len(result.variables) <= COMPLETE_UP_TO else "summary",
        "variables": PLACEHOLDER,
    }


def _tables(parts: Iterable[PartFacts]) -> Document:
    """Return the parts of each table, in order."""
    tables: dict[str, list[Document]] = {}
    for part in sorted(parts, key=attrgetter("name")):
        tables.setdefault(part.table, []).append({**attrs.asdict(part), "name": f"{part.name}{SUFFIX}"})
    return tables


def _discoveries(result: RunResult, discoveries: Mapping[str, NDArray[np.bool_]]) -> Document:
    evidence = [summary.shown("log10_e")[discoveries[summary.variable]] for summary in result.variables]
    values = np.concatenate(evidence) if evidence else np.empty(0)
    return {"count": len(values), "log10_e": float(values.min()) if len(values) else None}


def _run(result: RunResult) -> Document:
    started, finished = result.started_at, result.finished_at
    seconds = None if started is None or finished is None else (finished - started).total_seconds()
    return {
        "id": result.run_id,
        "spec": result.spec.to_document(),
        "software": dict(sorted(result.software.items())),
        "data": {summary.variable: _data(summary.data) for summary in result.variables},
        "units": attrs.asdict(result.units),
        "started_at": _time(started),
        "finished_at": _time(finished),
        "seconds": seconds,
        **({"unrepeatable": list(result.unrepeatable)} if result.unrepeatable else {}),
        **(
            {"predictors": {name: _data(facts) for name, facts in result.predictors.items()}}
            if result.predictors
            else {}
        ),
    }


def _data(facts: DataFacts) -> Document:
    document = attrs.asdict(facts)
    if not facts.caution:
        del document["caution"]
    return document


def _batches(batches: Iterable[Batch], summaries: Iterable[VariableSummary]) -> list[Document]:
    batches = tuple(batches)
    origins = np.zeros(len(batches), dtype=np.int64)
    for summary in summaries:
        origins[summary.batches] += summary.origins
    return [
        {
            "id": batch.id,
            "start": batch.start.isoformat(),
            "end": batch.end.isoformat(),
            "origins": count,
        }
        for batch, count in zip(batches, origins.tolist(), strict=True)
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
