"""`result.json` made the plain way, number by number: what the quick way is held to."""

from __future__ import annotations

import math
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np

from pulse_core.results import RunResult, VariableSummary
from pulse_core.scores.measures import MEASURES, why_null
from pulse_core.scores.reliability import ReliabilityBin
from pulse_core.spec import RunSpec

BENCHMARK = "it is the benchmark, which the others are compared with"
NO_SIMPLE = "no simple forecaster was scored on the benchmark's origins"
NO_LOSS = "no loss could be compared with the benchmark's"
NO_BAND = "one variable alone has such trusts, and the band is of the differences between variables"
REASONS = {
    "skill_over_simple": "no simple forecaster was scored on the same origins, or the best of them made no error",
    "skill_interval": "fewer than two batches could be compared, or the benchmark made no error in them",
    "trust": "fewer than three of its losses, recent ones counting most, differ from the benchmark's",
    "win_rate": "none of its losses differs from the benchmark's",
    "anytime": "the verdict is open",
}
NO_PROOF = "beyond horizon 1 the losses come late, and the bound is not proved"
NO_REGRET = "the ensemble has learned from no loss, or its value is beyond the range of a float64"
GROUPS = ("pinball", "coverage", "width")


def plain_json(result: RunResult, *, whole: bool) -> bytes:
    """Return the document: indented where it is whole, else a line for each variable; its last line is the seal."""
    document = plain_document(result, whole=whole)
    if whole:
        text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode().removesuffix("\n}")
    else:
        variables = document.pop("variables")
        lines = ",\n".join(
            f"{msgspec.json.encode(name).decode()}:{msgspec.json.encode(one).decode()}"
            for name, one in variables.items()
        )
        head = msgspec.json.encode(document).decode().removesuffix("}")
        text = f'{head},"variables":{{\n{lines}}}' if variables else f'{head},"variables":{{}}'
    text += ",\n"
    return f'{text}  "seal": "sha256:{sha256(text.encode()).hexdigest()}"}}\n'.encode()


def plain_document(result: RunResult, *, whole: bool) -> dict[str, Any]:
    """Return the document of a run that has its times, without its seal."""
    assert result.started_at is not None
    assert result.finished_at is not None
    return {
        "schema_version": 4,
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
        "tables": {},
        "batches": [
            {
                "id": batch.id,
                "start": str(batch.start),
                "end": str(batch.end),
                "origins": sum(
                    dict(zip(one.batches.tolist(), one.origins.tolist(), strict=True)).get(batch.index, 0)
                    for one in result.variables
                ),
            }
            for batch in result.batches
        ],
        "reliability": [plain_bin(one) for one in result.reliability().bins],
        "discoveries": plain_discoveries(result),
        "failures": [
            {name: getattr(failure, name) for name in ("variable", "kind", "message", "context", "hint")}
            for failure in result.failures
        ],
        "variables_hold": "all" if whole else "summary",
        "variables": {
            one.variable: plain_variable(one, result) if whole else plain_summary(one, result)
            for one in result.variables
        },
    }


def plain_discoveries(result: RunResult) -> dict[str, Any]:
    """Return how many discoveries there are, and the least evidence of one."""
    values = [
        float(one.shown("log10_e")[cell])
        for one in result.variables
        for cell in np.ndindex(one.verdicts.shape)
        if result.discoveries()[one.variable][cell]
    ]
    return {"count": len(values), "log10_e": min(values, default=None)}


def plain_head(one: VariableSummary, horizons: Iterable[int], spec: RunSpec) -> dict[str, Any]:
    """Return what a variable has in either form, at horizons from 0."""
    benchmark = plain_benchmark(one, horizons, spec)
    best = {str(horizon + 1): least_error(one, horizon) for horizon in horizons}
    beyond = {
        name: {str(horizon): count for horizon, count in enumerate(counts, 1) if count}
        for name, counts in zip(one.forecasters, one.beyond_reason.tolist(), strict=True)
        if any(counts)
    }
    season = one.seasonality
    none = [int(horizon) - 1 for horizon, name in best.items() if name is None]
    scored = any(count > 0 for counts in one.scores[:, none, MEASURES.index("n")].tolist() for count in counts)
    return {
        "digest": f"sha256:{one.digest()}",
        "span": one.span,
        "season": {"periods": list(season.periods), "source": season.source, "reason": season.reason},
        "min_history": one.min_history,
        "benchmark": benchmark,
        "best": best,
        "beyond_reason": beyond,
        **plain_unusable(one, spec),
        **({"nulls": {"best": why_null("mae", scored=scored)}} if none else {}),
    }


def plain_unusable(one: VariableSummary, spec: RunSpec) -> dict[str, Any]:
    """Return the forecasters of the run that the variable has not, where there are any."""
    names = [name for name in spec.forecasters if name not in one.forecasters]
    needed, had = ("two seasons", "one") if one.seasonality.periods else ("a season", "none")
    reason = f"they need {needed}, and the variable has {had}"
    return {"unusable": {"forecasters": names, "reason": reason}} if names else {}


def plain_summary(one: VariableSummary, result: RunResult) -> dict[str, Any]:
    """Return a variable in short."""
    horizons = range(one.scores.shape[1])
    head = plain_head(one, horizons, result.spec)
    return {**head, "best_scores": {str(horizon + 1): plain_best(one, horizon) for horizon in horizons}}


def plain_best(one: VariableSummary, horizon: int) -> dict[str, Any] | None:
    """Return how the best forecaster stands; the spec of these runs judges absolute errors."""
    name = least_error(one, horizon)
    if name is None:
        return None
    place = one.forecasters.index(name)
    measures = dict(zip(MEASURES, one.scores[place, horizon].tolist(), strict=True))
    compared = plain_comparison(one, place, horizon, found=False)
    trust = number(float(one.shown("probability")[place, horizon]))
    is_benchmark = name == one.benchmark
    return {
        "mae": number(measures["mae"]),
        "skill": number(measures["skill_mae"]),
        "trust": None if is_benchmark else trust,
        "verdict": None if is_benchmark else compared["verdict"],
    }


def plain_variable(one: VariableSummary, result: RunResult) -> dict[str, Any]:
    """Return a variable of the document."""
    horizons = range(one.scores.shape[1])
    found = result.discoveries()[one.variable]
    return {
        **plain_head(one, horizons, result.spec),
        "ensemble": plain_ensemble(one) if "ensemble" in one.forecasters else None,
        "forecasters": {
            name: {
                "horizons": {
                    str(horizon + 1): plain_horizon(
                        one.scores[place, horizon].tolist(),
                        plain_comparison(one, place, horizon, found=bool(found[place, horizon])),
                        benchmark=name == one.benchmark,
                    )
                    for horizon in horizons
                }
            }
            for place, name in enumerate(one.forecasters)
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


def plain_benchmark(one: VariableSummary, horizons: Iterable[int], spec: RunSpec) -> dict[str, Any]:
    """Return the benchmark and the simple forecasters it was held against."""
    names = {}
    for horizon in horizons:
        skills = one.simple_skill[:, one.forecasters.index(one.benchmark), horizon].tolist()
        known = [skill for skill in skills if not math.isnan(skill)]
        names[str(horizon + 1)] = one.simple[skills.index(min(known))] if known else None
    place = {} if spec.benchmark in ("auto", one.benchmark) else {"instead_of": spec.benchmark}
    document = {"name": one.benchmark, **place, "trends": 1 in one.trends.tolist(), "best_simple": names}
    return {**document, "nulls": {"best_simple": NO_SIMPLE}} if None in names.values() else document


def plain_bin(one: ReliabilityBin) -> dict[str, Any]:
    """Return a bin of the reliability table."""
    low, high = map(number, one.band)
    names = ("horizon", "low", "high", "count", "pairs", "trust", "true")
    document = {**{name: getattr(one, name) for name in names}, "band_low": low, "band_high": high, "bad": one.bad}
    return document if low is not None else {**document, "nulls": {"band_low": NO_BAND, "band_high": NO_BAND}}


def plain_comparison(one: VariableSummary, place: int, horizon: int, *, found: bool) -> dict[str, Any]:
    """Return what stands against the benchmark, None where there is nothing."""

    def known(**names: str) -> dict[str, Any] | None:
        values = {key: float(one.shown(name)[place, horizon]) for key, name in names.items()}
        return values if all(map(math.isfinite, values.values())) else None

    trust = known(probability="probability", n_effective="n_effective")
    code = int(one.verdicts[place, horizon])
    log10_e = {name: float(one.shown(name)[place, horizon]) for name in ("log10_e", "log10_e_against", "log10_e_wins")}
    decisive = {1: log10_e["log10_e"], -1: log10_e["log10_e_against"]}.get(code)
    return {
        "skill_over_simple": number(float(one.skill_over_simple(horizon + 1)[place])),
        "skill_interval": known(low="skill_low", high="skill_high"),
        "trust": trust and {"probability": trust["probability"], "span": one.span, "n_effective": trust["n_effective"]},
        "win_rate": known(mean="win_rate", low="win_rate_low", high="win_rate_high", trials="win_rate_trials"),
        **{name: number(value) for name, value in log10_e.items()},
        "verdict": {1: "better", 0: "open", -1: "worse"}[code],
        "anytime": None if decisive is None else decisive >= math.log10(20.0 * (horizon + 1)),
        "discovery": found,
    }


def plain_horizon(scores: list[float], comparison: dict[str, Any], *, benchmark: bool) -> dict[str, Any]:
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
            horizon[name] = whole(score) if name in {"n", "hit_rate_count"} else number(score)
        if number(score) is None:
            nulls.setdefault(name, why_null(measure, scored=count > 0))
    for key, value in comparison.items():
        horizon[key] = None if benchmark and key != "skill_over_simple" else value
        if horizon[key] is None:
            nulls[key] = BENCHMARK if benchmark and key != "skill_over_simple" else REASONS.get(key, NO_LOSS)
    return {**horizon, "nulls": nulls} if nulls else horizon


def whole(value: float) -> int | None:
    """Return a whole number, or None for what is none."""
    return int(value) if math.isfinite(value) else None


def number(value: float) -> float | None:
    """Return a number, or None for what is none."""
    return value if math.isfinite(value) else None
