"""JSON of one variable in `result.json`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

import attrs
import msgspec
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.published.forecaster_json import forecasters_json
from pulse_adapters.published.json_templates import PLACEHOLDER, Template
from pulse_core.forecasters.registry import ENSEMBLE
from pulse_core.results import VariableSummary
from pulse_core.scores.measures import MEASURES, why_null
from pulse_core.scores.verdict import SKILL, VERDICTS
from pulse_core.spec import AUTO, RunSpec

LEVEL: Final = 2
"""The level of a variable in the document."""
MOST_HORIZONS: Final = 8
"""The horizons that the summary of a variable shows, at most."""

_NO_SEASON: Final = "they need a season, and the variable has none"
_TOO_FEW_SEASONS: Final = "they need two seasons, and the variable has one"
_NO_SIMPLE: Final = "no simple forecaster was scored on the benchmark's origins"
_NO_PROOF: Final = "beyond horizon 1 the losses come late, and the bound is not proved"
_NO_REGRET: Final = "the ensemble has learned from no loss, or its value is beyond the range of a float64"


def variable_json(summary: VariableSummary, discoveries: NDArray[np.bool_], spec: RunSpec) -> Iterator[bytes]:
    """Yield the indented JSON of a variable with all its forecasters; `discoveries` is (forecaster, horizon)."""
    horizons = range(1, summary.scores.shape[1] + 1)
    document = {**_head(summary, horizons, spec), "ensemble": PLACEHOLDER, "forecasters": PLACEHOLDER}
    template = Template.of(document, level=LEVEL, indented=True)
    learned = _ensemble_json(summary) if ENSEMBLE in summary.forecasters else b"null"
    values = forecasters_json(summary, discoveries, level=LEVEL + 1)
    return template.with_parts([[learned], [values]])


def summary_json(summary: VariableSummary, spec: RunSpec) -> bytes:
    """Return the JSON of a variable in short, at some horizons, on one line."""
    horizons, skill = summary_horizons(summary.scores.shape[1]), SKILL[spec.trust_loss]
    scores = {str(horizon): _best_scores(summary, horizon, skill) for horizon in horizons}
    return msgspec.json.encode({**_head(summary, horizons, spec), "best_scores": scores})


def summary_horizons(horizon: int) -> tuple[int, ...]:
    """Return the horizons that a summary shows: all up to MOST_HORIZONS, else so many from the first to the last."""
    if horizon <= MOST_HORIZONS:
        return tuple(range(1, horizon + 1))
    spread = np.geomspace(1, horizon, MOST_HORIZONS).round().astype(int)
    return tuple(np.maximum(spread, np.arange(1, MOST_HORIZONS + 1)).tolist())


def _head(summary: VariableSummary, horizons: Iterable[int], spec: RunSpec) -> dict[str, Any]:
    horizons = tuple(horizons)
    best = {str(horizon): summary.best(horizon) for horizon in horizons}
    head = {
        "digest": f"sha256:{summary.digest()}",
        "span": summary.span,
        "season": attrs.asdict(summary.seasonality),
        "min_history": summary.min_history,
        "benchmark": _benchmark(summary, horizons, spec),
        "best": best,
        "beyond_reason": _beyond_reason(summary),
    }
    unusable = [name for name in spec.forecasters if name not in summary.forecasters]
    if unusable:
        reason = _TOO_FEW_SEASONS if summary.seasonality.periods else _NO_SEASON
        head["unusable"] = {"forecasters": unusable, "reason": reason}
    without = [int(horizon) - 1 for horizon, name in best.items() if name is None]
    if not without:
        return head
    scored = bool((summary.scores[:, without, MEASURES.index("n")] > 0).any())
    return head | {"nulls": {"best": why_null("mae", scored=scored)}}


def _beyond_reason(summary: VariableSummary) -> dict[str, dict[str, int]]:
    """Return how many forecasts were beyond reason, by forecaster and horizon, where there were any."""
    return {
        name: {str(step + 1): int(counts[step]) for step in np.flatnonzero(counts)}
        for name, counts in zip(summary.forecasters, summary.beyond_reason, strict=True)
        if counts.any()
    }


def _best_scores(summary: VariableSummary, horizon: int, skill: str) -> dict[str, Any] | None:
    name = summary.best(horizon)
    if name is None:
        return None
    row = summary.forecasters.index(name), horizon - 1
    is_benchmark = name == summary.benchmark
    return {
        "mae": _number(summary.scores[*row, MEASURES.index("mae")]),
        "skill": _number(summary.scores[*row, MEASURES.index(skill)]),
        "trust": None if is_benchmark else _number(summary.shown("probability")[row]),
        "verdict": None if is_benchmark else VERDICTS[int(summary.verdicts[row])],
    }


def _number(value: np.float64) -> float | None:
    return float(value) if np.isfinite(value) else None


def _benchmark(summary: VariableSummary, horizons: Iterable[int], spec: RunSpec) -> dict[str, Any]:
    """Return the benchmark, whose place it takes, and how it stands against the simple forecasters."""
    best_simple = {str(horizon): summary.best_simple(horizon) for horizon in horizons}
    document: dict[str, Any] = {"name": summary.benchmark}
    if spec.benchmark not in (AUTO, summary.benchmark):
        document["instead_of"] = spec.benchmark
    document |= {"trends": bool(summary.trends.any()), "best_simple": best_simple}
    return document | ({"nulls": {"best_simple": _NO_SIMPLE}} if None in best_simple.values() else {})


def _ensemble_json(summary: VariableSummary) -> bytes:
    values = np.concatenate([summary.weights.T.ravel(), summary.regret, summary.bound])
    finite = np.isfinite(values)
    template = _ensemble_template(summary.forecasters, len(summary.regret), finite.tobytes())
    return template.with_values(values[finite].tolist())


@lru_cache(maxsize=128)
def _ensemble_template(names: tuple[str, ...], horizons: int, finite: bytes) -> Template:
    """Return the template for a pattern of finite values: weights (horizon, forecaster), regret, and bound."""
    rows = np.frombuffer(finite, np.bool_).reshape(-1, horizons)
    weights, (regret, bound) = rows[:-2].reshape(horizons, -1), rows[-2:]
    document = {
        "weights": _by_horizon(
            {name: PLACEHOLDER for name, is_finite in zip(names, row, strict=True) if is_finite} for row in weights
        ),
        "regret": _by_horizon(PLACEHOLDER if is_finite else None for is_finite in regret),
        "bound": _by_horizon(PLACEHOLDER if is_finite else None for is_finite in bound),
    }
    reasons = {"regret": _NO_REGRET, "bound": _NO_PROOF if bound[0] else _NO_REGRET}
    nulls = {name: reason for name, reason in reasons.items() if None in document[name].values()}
    return Template.of(document | ({"nulls": nulls} if nulls else {}), level=LEVEL + 1, indented=True)


def _by_horizon(values: Iterable[Any]) -> dict[str, Any]:
    return {str(horizon): value for horizon, value in enumerate(values, 1)}
