"""Figure of errors through time, anomalies marked and named."""

from __future__ import annotations

from typing import Any

import numpy as np

from pulse_adapters.report.figures.series import digits, milliseconds
from pulse_adapters.report.figures.style import BLUE, INK, PURPLE, VERMILLION, Drawing, Key, dated, hover, level
from pulse_adapters.report.views import Residuals


def residuals_figure(residuals: Residuals) -> Drawing:
    """Draw every error as a stem, outliers as rings, breaks as lines."""
    from bokeh.models import ColumnDataSource

    plot = dated(220)
    at, error = milliseconds(residuals.target), digits(residuals.error)
    source = ColumnDataSource({"at": at, "error": error})
    level(plot, 0.0)
    plot.segment("at", 0, "at", "error", source=source, line_color=BLUE, line_width=1, line_alpha=0.75)
    keys = [Key("error", BLUE)]
    if residuals.outlier.any():
        far = residuals.outlier
        rings = ColumnDataSource({"at": milliseconds(residuals.target[far]), "error": digits(residuals.error[far])})
        ring = plot.scatter("at", "error", source=rings, size=7, fill_color=None, line_color=VERMILLION, line_width=1.5)
        keys.append(Key("outlier", VERMILLION, "ring"))
        hover(plot, [("at", "@at{%F}"), ("error", "@error{0.[0000]}")], [ring], formatters={"@at": "datetime"})
    for kind, dash, color in (("break in level", "dashed", INK), ("break in spread", "dotted", PURPLE)):
        for anomaly in residuals.anomalies:
            if anomaly.kind == kind:
                _break(plot, anomaly.when, residuals, dash, color)
                keys.append(Key(kind, color, dash))
    return Drawing(plot, tuple(keys))


def _break(plot: Any, when: Any, residuals: Residuals, dash: str, color: str) -> None:
    (at,) = milliseconds(np.array([when], dtype="datetime64[us]"))
    ends = digits(np.array([residuals.error.min(), residuals.error.max()]))
    plot.line([at, at], ends, line_color=color, line_dash=dash, line_width=2)
