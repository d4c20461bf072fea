"""Results as pandas DataFrames: the only file of the core that imports pandas, and only when a frame is made."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pulse_core.errors import SettingsError
from pulse_core.extras import missing
from pulse_core.results import TRUST, RunResult, VariableSummary
from pulse_core.scores.measures import MEASURES
from pulse_core.scores.verdict import VERDICTS

_TRUST_COLUMNS = tuple({"probability": "trust"}.get(name, name) for name in TRUST)


def run_frame(result: RunResult) -> Any:
    """Return a row for each variable, forecaster and horizon; see RunResult.to_frame."""
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise SettingsError([missing("pandas", "frames")]) from error
    discoveries = result.discoveries()
    parts = [pd.DataFrame(_columns(summary, discoveries[summary.variable])) for summary in result.variables]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_column_names())


def _column_names() -> list[str]:
    return [
        "variable",
        "forecaster",
        "horizon",
        *MEASURES,
        *_TRUST_COLUMNS,
        "verdict",
        "weight",
        "beyond_reason",
        "discovery",
    ]


def _columns(summary: VariableSummary, discoveries: NDArray[np.bool_]) -> dict[str, Any]:
    forecasters, horizons = summary.scores.shape[:2]
    columns: dict[str, Any] = {
        "variable": [summary.variable] * (forecasters * horizons),
        "forecaster": np.repeat(np.array(summary.forecasters, dtype=object), horizons),
        "horizon": np.tile(np.arange(1, horizons + 1), forecasters),
    }
    columns |= {name: summary.scores[..., index].ravel() for index, name in enumerate(MEASURES)}
    columns |= {name: summary.trust[..., index].ravel() for index, name in enumerate(_TRUST_COLUMNS)}
    return columns | {
        "verdict": _verdicts(summary),
        "weight": summary.weights.ravel(),
        "beyond_reason": summary.beyond_reason.ravel(),
        "discovery": discoveries.ravel(),
    }


def _verdicts(summary: VariableSummary) -> NDArray[np.object_]:
    """Return the names of the verdicts, NaN for the benchmark; (forecaster x horizon,)."""
    verdicts = np.full(summary.verdicts.shape, np.nan, dtype=object)
    for code, name in VERDICTS.items():
        verdicts[summary.verdicts == code] = name
    verdicts[summary.forecasters.index(summary.benchmark)] = np.nan
    return verdicts.ravel()
