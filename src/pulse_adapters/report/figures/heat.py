"""Errors by batch: who did better than the benchmark when, and how hard the times were."""

from __future__ import annotations

from typing import Any

import numpy as np

from pulse_adapters.report.figures.series import digits, milliseconds
from pulse_adapters.report.figures.style import DIVERGING, GREY, dated, hover, level
from pulse_adapters.report.views import Heat

FARTHEST = 0.5
"""Log2 of the ratio at which the colour is full: errors 1.41 times the benchmark's, or that much smaller."""


def heat_figure(heat: Heat) -> Any:
    """Draw a cell for each forecaster and batch: blue where its errors were smaller than the benchmark's."""
    from bokeh.models import ColumnDataSource, FactorRange

    names = list(heat.forecasters)
    plot = dated(46 + 22 * len(names), y_range=FactorRange(factors=names[::-1]))
    plot.ygrid.grid_line_color = None
    forecaster, batch = np.nonzero(np.isfinite(heat.ratio))
    ratio = heat.ratio[forecaster, batch]
    source = ColumnDataSource(
        {
            "left": milliseconds(heat.starts[batch]),
            "right": milliseconds(heat.ends[batch] + np.timedelta64(1, "D")),
            "y": [names[place] for place in forecaster.tolist()],
            "ratio": digits(ratio, 3),
            "color": [DIVERGING[step] for step in steps(ratio)],
        }
    )
    cells = plot.hbar(y="y", left="left", right="right", height=0.86, source=source, fill_color="color", line_color=None)
    tips = [("forecaster", "@y"), ("batch from", "@left{%F}"), ("its error / the benchmark's", "@ratio{0.00}")]
    hover(plot, tips, [cells], formatters={"@left": "datetime"})
    return plot


def hardness_figure(heat: Heat) -> Any:
    """Draw the benchmark's scaled error batch by batch: above 1 the series moved more than it had before."""
    from bokeh.models import ColumnDataSource

    told = np.isfinite(heat.hardness)
    hardness = heat.hardness[told]
    plot = dated(120, y_range=(0.0, float(hardness.max()) * 1.08 if len(hardness) else 1.0))
    plot.yaxis.ticker.desired_num_ticks = 3
    source = ColumnDataSource(
        {
            "left": milliseconds(heat.starts[told]),
            "right": milliseconds(heat.ends[told] + np.timedelta64(1, "D")),
            "mase": digits(hardness, 3),
        }
    )
    bars = plot.quad("left", "right", "mase", 0, source=source, fill_color=GREY, fill_alpha=0.55, line_color=None)
    level(plot, 1.0, "dashed")
    hover(plot, [("batch from", "@left{%F}"), ("MASE", "@mase{0.00}")], [bars], formatters={"@left": "datetime"})
    return plot


def steps(ratio: np.ndarray) -> list[int]:
    """Return the place of each ratio on the diverging scale: 0 much better, 5 alike, 10 much worse."""
    with np.errstate(divide="ignore"):
        logs = np.log2(ratio)
    return np.rint(5 + 5 * np.clip(logs / FARTHEST, -1, 1)).astype(int).tolist()
