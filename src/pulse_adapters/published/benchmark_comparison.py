"""What `result.json` says of a forecaster against the benchmark: skill, trust, win rate, evidence, verdict."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.results import VariableSummary
from pulse_core.scores.verdict import BETTER, OPEN, anytime

Array = NDArray[np.float64]

KEYS: Final[dict[str, tuple[str, ...]]] = {
    "skill_over_simple": (),
    "skill_interval": ("low", "high"),
    "trust": ("probability", "span", "n_effective"),
    "win_rate": ("mean", "low", "high", "trials"),
    "log10_e": (),
    "log10_e_against": (),
    "log10_e_wins": (),
    "verdict": (),
    "anytime": (),
    "discovery": (),
}
"""The keys after the measures, in order; those of an object where the value is one."""

WIDTHS: Final = tuple(len(inner) or 1 for inner in KEYS.values())
"""How many numbers each key has."""

OF_BENCHMARK: Final = ("skill_over_simple",)
"""The keys that the benchmark has as well."""

_COLUMNS: Final = (
    *("skill_low", "skill_high"),
    *("probability", "span", "n_effective"),
    *("win_rate", "win_rate_low", "win_rate_high", "win_rate_trials"),
    *("log10_e", "log10_e_against", "log10_e_wins"),
)
_BENCHMARK: Final = "it is the benchmark, which the others are compared with"
_NO_LOSS: Final = "no loss could be compared with the benchmark's"
_REASONS: Final = {
    "skill_over_simple": "no simple forecaster was scored on the same origins, or the best of them made no error",
    "skill_interval": "fewer than two batches could be compared, or the benchmark made no error in them",
    "trust": "fewer than three of its losses, recent ones counting most, differ from the benchmark's",
    "win_rate": "none of its losses differs from the benchmark's",
    "anytime": "the verdict is open",
}


def comparison_values(summary: VariableSummary, discoveries: NDArray[np.bool_]) -> Array:
    """Return the numbers of KEYS (forecaster, horizon, number), NaN where there is none.

    A verdict is its code, a flag 0 or 1. `discoveries` is (forecaster, horizon).
    """
    horizons = range(1, summary.scores.shape[1] + 1)
    over_simple = np.stack([summary.skill_over_simple(horizon) for horizon in horizons], axis=-1)
    span = np.full(over_simple.shape, float(summary.span))
    columns = [span if name == "span" else summary.shown(name) for name in _COLUMNS]
    flags = [summary.verdicts, holds_at_any_time(summary), discoveries]
    values = np.stack([over_simple, *columns, *flags], axis=-1)
    values[summary.forecasters.index(summary.benchmark), :, len(OF_BENCHMARK) :] = np.nan
    return values


def holds_at_any_time(summary: VariableSummary) -> Array:
    """Return whether the evidence for a verdict holds at any time (forecaster, horizon); NaN for one that is open."""
    verdicts = summary.verdicts
    evidence = np.where(verdicts == BETTER, summary.shown("log10_e"), summary.shown("log10_e_against"))
    holds = np.where(verdicts == OPEN, np.nan, anytime(evidence))
    holds[summary.forecasters.index(summary.benchmark)] = np.nan
    return holds


def written_keys(values: Array) -> NDArray[np.bool_]:
    """Return which of KEYS are not null (forecaster, horizon, key): those all of whose numbers are finite."""
    starts = np.cumsum((0, *WIDTHS[:-1]))
    return np.asarray(np.logical_and.reduceat(np.isfinite(values), starts, axis=-1))


def comparison_document(written: dict[str, bool], placeholder: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Return KEYS with placeholders for their numbers, and the reason of each null; `written` says which are none."""
    document = {
        key: (dict.fromkeys(inner, placeholder) if inner else placeholder) if written[key] else None
        for key, inner in KEYS.items()
    }
    is_benchmark = not written["verdict"]
    return document, {key: _why_null(key, is_benchmark=is_benchmark) for key in KEYS if not written[key]}


def _why_null(key: str, *, is_benchmark: bool) -> str:
    if is_benchmark and key not in OF_BENCHMARK:
        return _BENCHMARK
    return _REASONS.get(key, _NO_LOSS)
