"""Figures of calibration: actual against nominal shares of quantiles and intervals, and the PIT."""

from __future__ import annotations

from typing import Any

import numpy as np

from pulse_adapters.report.figures.series import digits
from pulse_adapters.report.figures.style import BLUE, INK, MUTED, ORANGE, Drawing, Key, canvas, hover, level
from pulse_adapters.report.views import Calibration


def reliability_figure(calibration: Calibration) -> Drawing:
    """Draw the actual share against the nominal, of intervals and quantiles; the diagonal is perfect."""
    from bokeh.models import ColumnDataSource, NumeralTickFormatter

    plot = canvas(260, x_range=(-0.02, 1.02), y_range=(-0.02, 1.02))
    plot.xaxis.formatter = plot.yaxis.formatter = NumeralTickFormatter(format="0%")
    plot.xaxis.axis_label, plot.yaxis.axis_label = "nominal", "actual"
    plot.line([0, 1], [0, 1], line_color=MUTED, line_dash="dashed")
    keys, renderers = [], []
    if len(calibration.levels):
        quantiles = ColumnDataSource({"nominal": digits(calibration.levels), "actual": digits(calibration.below, 4)})
        renderers.append(
            plot.scatter(
                "nominal", "actual", source=quantiles, size=9, marker="circle", fill_color=BLUE, line_color=BLUE
            )
        )
        keys.append(Key("at or below the quantile", BLUE, "circle"))
    coverage: dict[str, Any] = {
        "nominal": [interval / 100 for interval in calibration.coverage],
        "actual": digits(np.array([*calibration.coverage.values()]), 4),
    }
    intervals = ColumnDataSource(coverage)
    renderers.append(
        plot.scatter(
            "nominal",
            "actual",
            source=intervals,
            size=11,
            marker="square",
            fill_color=None,
            line_color=ORANGE,
            line_width=2,
        )
    )
    keys += [Key("inside the interval", ORANGE, "square-open"), Key("as promised", MUTED, "dashed")]
    hover(plot, [("nominal", "@nominal{0.0%}"), ("actual", "@actual{0.0%}")], renderers)
    return Drawing(plot, tuple(keys))


def pit_figure(calibration: Calibration) -> Drawing:
    """Draw the share of actual values between two quantiles over the nominal share; 1 is perfect."""
    from bokeh.models import ColumnDataSource, NumeralTickFormatter

    edges = np.concatenate([[0.0], calibration.levels, [1.0]])
    density = calibration.mass / np.diff(edges)
    top = max(2.0, float(np.nanmax(density)) * 1.1) if np.isfinite(density).any() else 2.0
    plot = canvas(260, x_range=(0.0, 1.0), y_range=(0.0, top))
    plot.xaxis.formatter = NumeralTickFormatter(format="0%")
    plot.xaxis.axis_label, plot.yaxis.axis_label = "between the quantiles", "actual / nominal"
    source = ColumnDataSource(
        {
            "left": digits(edges[:-1]),
            "right": digits(edges[1:]),
            "density": digits(density, 4),
            "mass": digits(calibration.mass, 4),
        }
    )
    bars = plot.quad("left", "right", "density", 0, source=source, fill_color=BLUE, fill_alpha=0.45, line_color=BLUE)
    level(plot, 1.0, "dashed", color=INK)
    hover(plot, [("from", "@left{0.0%}"), ("to", "@right{0.0%}"), ("share", "@mass{0.0%}")], [bars])
    return Drawing(plot, (Key("actual values", BLUE, "area", 0.45), Key("as promised", INK, "dashed")))
