"""JSON of one variable in `result.json`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pulse_adapters.published.forecaster_json import forecasters_json
from pulse_adapters.published.json_templates import PLACEHOLDER, Template
from pulse_core.forecasters.registry import ENSEMBLE
from pulse_core.results import VariableSummary

LEVEL: Final = 2
"""The level of a variable in the document."""

_NO_SIMPLE: Final = "no simple forecaster was scored on the benchmark's origins"
_NO_PROOF: Final = "beyond horizon 1 the losses come late, and the bound is not proved"
_NO_REGRET: Final = "the ensemble has learned from no loss, or its value is beyond the range of a float64"


def summary_json(summary: VariableSummary, discoveries: NDArray[np.bool_], *, complete: bool) -> Iterator[bytes]:
    """Yield the JSON of a variable: complete and indented, or compact with its main forecasters only.

    `discoveries` is (forecaster, horizon).
    """
    best = _by_horizon(summary.best(horizon) for horizon in _horizons(summary))
    names = {*summary.forecasters} if complete else {*best.values(), summary.benchmark, ENSEMBLE}
    indexes = [index for index, name in enumerate(summary.forecasters) if name in names]
    document = {
        "benchmark": _benchmark(summary),
        "best": best,
        "ensemble": PLACEHOLDER,
        "forecasters": PLACEHOLDER,
    }
    template = Template.of(document, level=LEVEL, indented=complete)
    learned = _ensemble_json(summary, indented=complete) if ENSEMBLE in summary.forecasters else b"null"
    values = forecasters_json(summary, discoveries, indexes, level=LEVEL + 1, indented=complete)
    return template.with_parts([[learned], [values]])


def _benchmark(summary: VariableSummary) -> dict[str, Any]:
    """Return the benchmark, and how it stands against the simple forecasters."""
    best_simple = _by_horizon(summary.best_simple(horizon) for horizon in _horizons(summary))
    document = {"name": summary.benchmark, "trends": bool(summary.trends.any()), "best_simple": best_simple}
    return document | ({"nulls": {"best_simple": _NO_SIMPLE}} if None in best_simple.values() else {})


def _horizons(summary: VariableSummary) -> range:
    return range(1, summary.scores.shape[1] + 1)


def _ensemble_json(summary: VariableSummary, *, indented: bool) -> bytes:
    values = np.concatenate([summary.weights.T.ravel(), summary.regret, summary.bound])
    finite = np.isfinite(values)
    template = _ensemble_template(summary.forecasters, len(summary.regret), finite.tobytes(), indented=indented)
    return template.with_values(values[finite].tolist())


@lru_cache(maxsize=128)
def _ensemble_template(names: tuple[str, ...], horizons: int, finite: bytes, *, indented: bool) -> Template:
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
    return Template.of(document | ({"nulls": nulls} if nulls else {}), level=LEVEL + 1, indented=indented)


def _by_horizon(values: Iterable[Any]) -> dict[str, Any]:
    return {str(horizon): value for horizon, value in enumerate(values, 1)}
