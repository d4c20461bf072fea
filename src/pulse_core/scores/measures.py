"""The scores, from the sums over any run of batches. NaN where a score is impossible.

Sums are in the variable's scale; measures in the data's own units are multiplied by 2**exponent at the end. e is the
actual less the forecast, s1 and s2 the mean absolute and the mean squared (seasonal) step so far at the origin.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import in_units
from pulse_core.kernel.bindings import write_measures
from pulse_core.levels import INTERVALS, LEVELS

Scores = NDArray[np.float64]

DESCRIPTIONS: Final[dict[str, str]] = {
    "n": "How many origins have been scored.",
    "me": "ME: mean of e.",
    "mae": "MAE: mean of |e|.",
    "rmse": "RMSE: square root of the mean of e^2.",
    "mase": "MASE: mean of |e| / s1 (Hyndman & Koehler 2006).",
    "rmsse": "RMSSE: square root of the mean of e^2 / s2 (M5).",
    "smape": "Symmetric MAPE: mean of 200 |e| / (|y| + |f|), 0/0 = 0 (M4).",
    "hit_rate": "Share of forecast changes from y_n with the right sign, without changes of zero (forecast or actual).",
    "hit_rate_count": "How many origins the hit rate rests on: those with a change, forecast and actual.",
    "skill_mae": "Skill for MAE: 1 - MAE / the benchmark's, on the origins scored for both.",
    "skill_mse": "Skill for MSE: 1 - MSE / the benchmark's, on the origins scored for both.",
    "crps": "CRPS: mean of the integral of twice the pinball loss over the level, by the trapezoid rule with zero ends "
    "(Gneiting & Ranjan 2011); a grid of nine levels reads some 3 % low for a normal distribution.",
    "skill_crps": "Skill for CRPS: 1 - CRPS / the benchmark's, on the origins scored for both.",
    "mean_quantile_loss": "Twice the mean pinball loss over all levels.",
    **{f"pinball_{level}": f"Mean pinball loss at level {level} (Koenker & Bassett 1978)." for level in LEVELS},
    **{
        f"coverage_{interval}": f"Share of actuals inside the central {interval} % interval, its ends included."
        for interval in INTERVALS
    },
    **{f"width_{interval}": f"Mean width of the central {interval} % interval." for interval in INTERVALS},
    "interval_score": "Mean Winkler score of the 95 % interval: its width + (2/0.05) times what the actual is outside "
    "(Gneiting & Raftery 2007, eq. 43), which is 2/0.05 times the pinball losses of both ends (Bracher et al. 2021).",
    "msis": "MSIS: mean of the 95 % interval's score / s1 (M4).",
    "dm_p": "Two-sided p-value of the Diebold-Mariano test that mean absolute errors equal the benchmark's.",
}

MEASURES: Final = tuple(DESCRIPTIONS)
"""The names of the scores: those of `all_measures` in order, and the Diebold-Mariano p-value, which is no sum."""

_SCALE_FREE: Final = ("n", "mase", "rmsse", "smape", "hit_rate", "hit_rate_count", "msis")
_IN_UNITS: Final = [
    index
    for index, name in enumerate(MEASURES[:-1])
    if name not in _SCALE_FREE and not name.startswith(("skill", "coverage"))
]
_NO_SCALE: Final = "the series had not moved before a scored origin: its scale is zero"
_NO_LOSS: Final = "the benchmark made no error on the common origins"
_REASONS: Final = {
    "mase": _NO_SCALE,
    "rmsse": _NO_SCALE,
    "msis": _NO_SCALE,
    "hit_rate": "no origin had both a forecast change and a change",
    "skill_mae": _NO_LOSS,
    "skill_mse": _NO_LOSS,
    "skill_crps": _NO_LOSS,
    "dm_p": "it is the benchmark, or its losses differ too little from the benchmark's to tell their variance",
}


def all_measures(sums: Scores, exponent: int) -> Scores:
    """Return MEASURES but the last, which follow from sums (..., sum), in the data's units; (..., measure)."""
    rows = np.arange(sums.size // sums.shape[-1])
    columns = np.empty((len(MEASURES) - 1, len(rows)))
    write_measure_columns(sums, rows, exponent, columns)
    return np.ascontiguousarray(columns.T).reshape(*sums.shape[:-1], len(columns))


def write_measure_columns(sums: Scores, rows: NDArray[np.int64], exponent: int, columns: Scores) -> None:
    """Write the same of some rows of sums (..., sum), counted over all their leading axes; (measure, row)."""
    write_measures(sums, rows, columns)
    if exponent:
        columns[_IN_UNITS] = in_units(columns[_IN_UNITS], exponent)


def why_null(measure: str, *, scored: bool) -> str:
    """Return the reason why a measure has no value; `scored` says whether any origin was scored."""
    if not scored:
        return "no origin had both a forecast and an actual known by the end"
    return _REASONS.get(measure, "the value is beyond the range of a float64")
