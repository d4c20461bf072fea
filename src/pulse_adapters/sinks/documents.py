"""A run as its published document, `result.json`; docs/result.schema.json says what stands in it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import attrs
import msgspec
import numpy as np
from numpy.typing import NDArray

from pulse_core import ensemble
from pulse_core.plan import Batch
from pulse_core.results import TRUST, DataFacts, Failure, RunResult, VariableSummary
from pulse_core.scores.measures import MEASURES, why_null
from pulse_core.spec import RunSpec

SCHEMA_VERSION: Final = 1
MOST_WHOLE_VARIABLES: Final = 200
"""Above this number the document keeps only the best, the benchmark and the ensemble of each variable."""

GROUPS: Final = ("pinball", "coverage", "width")
"""Measures that stand together, one after another: `pinball_0.5` is `pinball`, key `0.5`."""

Document = dict[str, Any]

_BENCHMARK: Final = "it is the benchmark, which the others are compared with"
_NO_OUTCOME: Final = "no outcome could be compared with the benchmark's"
_NO_PROOF: Final = "beyond horizon 1 the losses come late, and the bound is not proved"
_NO_REGRET: Final = "the ensemble has learned from no loss, or its value is beyond the range of a float64"


def result_json(result: RunResult) -> bytes:
    """Return `result.json`."""
    return encode_document(result_document(result))


def result_document(result: RunResult) -> Document:
    """Return `result.json`: plain values with keys in a fixed order, no NaN, times in UTC.

    Each variable is JSON already: so the memory that its values take is used for the next one's, which is what takes
    the time here.
    """
    whole = len(result.variables) <= MOST_WHOLE_VARIABLES
    found = result.discoveries()
    return {
        "schema_version": SCHEMA_VERSION,
        "digest": result.digest,
        "run": _run(result),
        "variables_hold": "all" if whole else "best",
        "variables": {
            summary.variable: msgspec.Raw(
                msgspec.json.encode(_variable(summary, found[summary.variable], result.spec, whole=whole))
            )
            for summary in result.variables
        },
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


def _variable(summary: VariableSummary, found: NDArray[np.bool_], spec: RunSpec, *, whole: bool) -> Document:
    bests, values = best(summary), _Values.of(summary, found)
    kept = {*bests.values(), spec.benchmark, ensemble.NAME}
    return {
        "best": bests,
        "ensemble": _ensemble(summary) if ensemble.NAME in summary.forecasters else None,
        "forecasters": {
            name: {"horizons": _horizons(values, place, is_benchmark=name == spec.benchmark)}
            for place, name in enumerate(summary.forecasters)
            if whole or name in kept
        },
    }


def _ensemble(summary: VariableSummary) -> Document:
    weights, regret, bound = summary.weights.T.tolist(), summary.regret.tolist(), summary.bound.tolist()
    document = {
        "weights": _by_horizon(
            {name: weight for name, weight in zip(summary.forecasters, each, strict=True) if math.isfinite(weight)}
            for each in weights
        ),
        "regret": _by_horizon(map(_number, regret)),
        "bound": _by_horizon(map(_number, bound)),
    }
    reasons = {"regret": _NO_REGRET, "bound": _NO_PROOF if math.isfinite(bound[0]) else _NO_REGRET}
    nulls = {name: reason for name, reason in reasons.items() if None in document[name].values()}
    return document | ({"nulls": nulls} if nulls else {})


@attrs.frozen
class _Values:
    """A variable's numbers as lists, all at once: by forecaster, horizon, and measure or part of the trust."""

    scores: list[list[list[Any]]]
    impossible: dict[tuple[int, int], list[int]]
    """Which measures are no number, where any is, by forecaster and horizon."""
    trust: list[list[list[float]]]
    known: list[list[bool]]
    found: list[list[bool]]

    @classmethod
    def of(cls, summary: VariableSummary, found: NDArray[np.bool_]) -> _Values:
        impossible: dict[tuple[int, int], list[int]] = {}
        for place, step, measure in np.argwhere(~np.isfinite(summary.scores)).tolist():
            impossible.setdefault((place, step), []).append(measure)
        known = np.asarray(np.isfinite(summary.trust).all(axis=-1))
        return cls(summary.scores.tolist(), impossible, summary.trust.tolist(), known.tolist(), found.tolist())


def _horizons(values: _Values, place: int, *, is_benchmark: bool) -> Document:
    layout, known, found = _layout(MEASURES), values.known[place], values.found[place]
    horizons: Document = {}
    for step, (row, trusted) in enumerate(zip(values.scores[place], values.trust[place], strict=True)):
        nulls = layout.make_null(row, values.impossible.get((place, step), ()))
        document = layout.named(row)
        document["trust"] = dict(zip(TRUST, trusted, strict=True)) if known[step] else None
        document["discovery"] = None if is_benchmark else found[step]
        if not known[step]:
            nulls["trust"] = _BENCHMARK if is_benchmark else _NO_OUTCOME
        if is_benchmark:
            nulls["discovery"] = _BENCHMARK
        if nulls:
            document["nulls"] = nulls
        horizons[str(step + 1)] = document
    return horizons


@attrs.frozen
class _Layout:
    """Where the measures stand in the document: each under its own name, or together with its like in an object."""

    measures: tuple[str, ...]
    owners: tuple[str, ...]
    """The name in the document under which a measure stands, by measure."""
    names: tuple[str, ...]
    groups: tuple[tuple[slice, tuple[str, ...]], ...]
    """Which measures an object holds, and under which keys; the last object first."""
    count: int
    """Which measure is n."""

    def make_null(self, row: list[Any], impossible: Iterable[int]) -> dict[str, str]:
        """Put None for what is no number, and a whole number for n; return why what is null is so, by name."""
        count, nulls = row[self.count], dict[str, str]()
        for place in impossible:
            row[place] = None
            nulls.setdefault(self.owners[place], why_null(self.measures[place], scored=count > 0))
        row[self.count] = int(count)
        return nulls

    def named(self, row: list[Any]) -> Document:
        """Return the values of the measures by name; the row is used up."""
        for where, keys in self.groups:
            row[where] = [dict(zip(keys, row[where], strict=True))]
        return dict(zip(self.names, row, strict=True))


@lru_cache
def _layout(measures: tuple[str, ...]) -> _Layout:
    owners = [name if (name := measure.partition("_")[0]) in GROUPS else measure for measure in measures]
    names = tuple(dict.fromkeys(owners))
    groups = []
    for name in reversed(names):
        if name in GROUPS:
            first, count = owners.index(name), owners.count(name)
            keys = tuple(measure.partition("_")[2] for measure in measures[first : first + count])
            groups.append((slice(first, first + count), keys))
    return _Layout(measures, tuple(owners), names, tuple(groups), measures.index("n"))


def _by_horizon(values: Iterable[Any]) -> Document:
    return {str(horizon): value for horizon, value in enumerate(values, 1)}


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
