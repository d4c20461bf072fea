"""`result.json` made the plain way, number by number: what the quick way is held to."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from pulse_core.results import TRUST, RunResult, VariableSummary
from pulse_core.scores.measures import MEASURES, why_null

BENCHMARK = "it is the benchmark, which the others are compared with"
NO_OUTCOME = "no outcome could be compared with the benchmark's"
NO_PROOF = "beyond horizon 1 the losses come late, and the bound is not proved"
NO_REGRET = "the ensemble has learned from no loss, or its value is beyond the range of a float64"
GROUPS = ("pinball", "coverage", "width")


def plain_json(result: RunResult, *, whole: bool) -> bytes:
    """Return the document, indented where it is whole."""
    content = msgspec.json.encode(plain_document(result, whole=whole))
    return msgspec.json.format(content, indent=2) + b"\n" if whole else content


def plain_document(result: RunResult, *, whole: bool) -> dict[str, Any]:
    """Return the document of a run that has its times."""
    assert result.started_at is not None
    assert result.finished_at is not None
    return {
        "schema_version": 2,
        "digest": result.digest,
        "run": {
            "id": result.run_id,
            "spec": result.spec.to_document(),
            "software": dict(sorted(result.software.items())),
            "data": {
                one.variable: {
                    name: getattr(one.data, name)
                    for name in ("fingerprint", "observations", "absent", "first", "last", "known_at")
                }
                for one in result.variables
            },
            "units": {name: getattr(result.units, name) for name in ("planned", "recalled", "computed", "failed")},
            "started_at": result.started_at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{result.started_at:%f}"[:3] + "Z",
            "finished_at": result.finished_at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{result.finished_at:%f}"[:3] + "Z",
            "seconds": (result.finished_at - result.started_at).total_seconds(),
        },
        "variables_hold": "all" if whole else "best",
        "variables": {one.variable: plain_variable(one, result, whole=whole) for one in result.variables},
        "batches": [
            {
                "id": batch.id,
                "start": str(batch.start),
                "end": str(batch.end),
                "origins": sum(int(one.origins[place]) for one in result.variables),
            }
            for place, batch in enumerate(result.batches)
        ],
        "failures": [
            {name: getattr(failure, name) for name in ("variable", "kind", "message", "context", "hint")}
            for failure in result.failures
        ],
    }


def plain_variable(one: VariableSummary, result: RunResult, *, whole: bool) -> dict[str, Any]:
    """Return a variable of the document."""
    horizons = range(one.scores.shape[1])
    best = {str(horizon + 1): least_error(one, horizon) for horizon in horizons}
    found = result.discoveries()[one.variable]
    benchmark = result.spec.benchmark
    return {
        "best": best,
        "ensemble": plain_ensemble(one) if "ensemble" in one.forecasters else None,
        "forecasters": {
            name: {
                "horizons": {
                    str(horizon + 1): plain_horizon(
                        one.scores[place, horizon].tolist(),
                        one.trust[place, horizon].tolist(),
                        bool(found[place, horizon]),
                        benchmark=name == benchmark,
                    )
                    for horizon in horizons
                }
            }
            for place, name in enumerate(one.forecasters)
            if whole or name in {*best.values(), benchmark, "ensemble"}
        },
    }


def least_error(one: VariableSummary, horizon: int) -> str | None:
    """Return the first forecaster of the least MAE."""
    best, name = math.nan, None
    for each, error in zip(one.forecasters, one.scores[:, horizon, MEASURES.index("mae")].tolist(), strict=True):
        if error < best or (math.isnan(best) and not math.isnan(error)):
            best, name = error, each
    return name


def plain_ensemble(one: VariableSummary) -> dict[str, Any]:
    """Return what the ensemble has learned."""
    weights: dict[str, Any] = {}
    for horizon, column in enumerate(one.weights.T.tolist(), 1):
        weights[str(horizon)] = {
            name: weight for name, weight in zip(one.forecasters, column, strict=True) if math.isfinite(weight)
        }
    regret, bound = (
        {str(horizon): number(value) for horizon, value in enumerate(values.tolist(), 1)}
        for values in (one.regret, one.bound)
    )
    nulls = {}
    if None in regret.values():
        nulls["regret"] = NO_REGRET
    if None in bound.values():
        nulls["bound"] = NO_REGRET if bound["1"] is None else NO_PROOF
    document = {"weights": weights, "regret": regret, "bound": bound}
    return {**document, "nulls": nulls} if nulls else document


def plain_horizon(scores: list[float], trust: list[float], found: bool, *, benchmark: bool) -> dict[str, Any]:
    """Return a forecaster's values at a horizon."""
    horizon: dict[str, Any] = {}
    nulls: dict[str, str] = {}
    count = scores[MEASURES.index("n")]
    for measure, score in zip(MEASURES, scores, strict=True):
        name, _, key = measure.partition("_")
        if name in GROUPS:
            horizon.setdefault(name, {})[key] = number(score)
        else:
            name = measure
            horizon[name] = int(score) if name == "n" else number(score)
        if number(score) is None:
            nulls.setdefault(name, why_null(measure, scored=count > 0))
    known = all(map(math.isfinite, trust))
    horizon["trust"] = dict(zip(TRUST, trust, strict=True)) if known else None
    horizon["discovery"] = None if benchmark else found
    if not known:
        nulls["trust"] = BENCHMARK if benchmark else NO_OUTCOME
    if benchmark:
        nulls["discovery"] = BENCHMARK
    return {**horizon, "nulls": nulls} if nulls else horizon


def number(value: float) -> float | None:
    """Return a number, or None for what is none."""
    return value if math.isfinite(value) else None
