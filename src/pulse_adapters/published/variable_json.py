"""A variable as it stands in `result.json`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pulse_adapters.published.forecaster_json import forecasters_json
from pulse_adapters.published.json_templates import GAP, Outline
from pulse_core.backtest import ensemble
from pulse_core.results import VariableSummary

LEVEL: Final = 2
"""How deep in the document a variable stands."""

_NO_PROOF: Final = "beyond horizon 1 the losses come late, and the bound is not proved"
_NO_REGRET: Final = "the ensemble has learned from no loss, or its value is beyond the range of a float64"


def summary_json(summary: VariableSummary, found: NDArray[np.bool_], benchmark: str, *, whole: bool) -> Iterator[bytes]:
    """Yield a variable as JSON: whole and indented, or close, with the forecasters alone that matter most.

    `found` (forecaster, horizon): which are discoveries.
    """
    bests = _by_horizon(summary.best(horizon) for horizon in range(1, summary.scores.shape[1] + 1))
    kept = {*summary.forecasters} if whole else {*bests.values(), benchmark, ensemble.NAME}
    places = [place for place, name in enumerate(summary.forecasters) if name in kept]
    outline = Outline.of({"best": bests, "ensemble": GAP, "forecasters": GAP}, level=LEVEL, indented=whole)
    learned = _ensemble_json(summary, indented=whole) if ensemble.NAME in summary.forecasters else b"null"
    values = forecasters_json(summary, found, places, benchmark, level=LEVEL + 1, indented=whole)
    return outline.with_parts([[learned], [values]])


def _ensemble_json(summary: VariableSummary, *, indented: bool) -> bytes:
    values = np.concatenate([summary.weights.T.ravel(), summary.regret, summary.bound])
    given = np.isfinite(values)
    outline = _ensemble_outline(summary.forecasters, len(summary.regret), given.tobytes(), indented=indented)
    return outline.with_values(values[given].tolist())


@lru_cache(maxsize=128)
def _ensemble_outline(names: tuple[str, ...], horizons: int, given: bytes, *, indented: bool) -> Outline:
    """Return the outline for values of which so many are given: weights (horizon, forecaster), regret, and bound."""
    rows = np.frombuffer(given, np.bool_).reshape(-1, horizons)
    weights, (regret, bound) = rows[:-2].reshape(horizons, -1), rows[-2:]
    document = {
        "weights": _by_horizon({name: GAP for name, there in zip(names, row, strict=True) if there} for row in weights),
        "regret": _by_horizon(GAP if there else None for there in regret),
        "bound": _by_horizon(GAP if there else None for there in bound),
    }
    reasons = {"regret": _NO_REGRET, "bound": _NO_PROOF if bound[0] else _NO_REGRET}
    nulls = {name: reason for name, reason in reasons.items() if None in document[name].values()}
    return Outline.of(document | ({"nulls": nulls} if nulls else {}), level=LEVEL + 1, indented=indented)


def _by_horizon(values: Iterable[Any]) -> dict[str, Any]:
    return {str(horizon): value for horizon, value in enumerate(values, 1)}
