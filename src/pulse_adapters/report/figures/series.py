"""Values for a plot: few digits, so that the file stays small; moments in milliseconds, the unit of bokeh."""

from __future__ import annotations

import math
from typing import Any

from pulse_adapters.report.views import Array, Moments


def digits(values: Array, figures: int = 6) -> list[float]:
    """Return values to so many significant digits; NaN stays."""
    return [float(f"{value:.{figures}g}") for value in values.tolist()]


def milliseconds(moments: Moments) -> list[float]:
    """Return moments as milliseconds since 1970."""
    values: list[Any] = moments.astype("datetime64[ms]").astype("int64").tolist()
    return [float(value) for value in values]


def padded(low: float, high: float, share: float = 0.06) -> tuple[float, float]:
    """Return a range a little wider than its values."""
    reach = (high - low) or abs(high) or 1.0
    if not math.isfinite(reach):
        return low, high
    return low - share * reach, high + share * reach
