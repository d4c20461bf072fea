"""Figures of errors by batch: over the benchmark's errors, and the benchmark's own scaled error."""

from __future__ import annotations

from typing import Any

import numpy as np

from pulse_adapters.report.figures.series import digits, milliseconds
from pulse_adapters.report.figures.style import DIVERGING, GREY, MUTED, Drawing, Key, dated, hover, level
from pulse_adapters.report.views import Heat

FARTHEST = 0.5
"""Log2 of the ratio at which the colour is full: errors 1.41 times the benchmark's, or that much smaller."""


def heat_figure(heat: Heat) -> Drawing:
    """Draw a cell for each forecaster and batch: blue where its errors were smaller than the benchmark's."""
    from bokeh.models import ColumnDataSource, FactorRange

    names = list(heat.forecasters)
    plot = dated(46 + 22 * len(names), y_range=FactorRange(factors=names[::-1]), x_range=_period(heat))
    plot.min_border_left = _margin(heat)
    plot.ygrid.grid_line_color = None
    forecaster, batch = np.nonzero(np.isfinite(heat.ratio))
    ratio = heat.ratio[forecaster, batch]
    source = ColumnDataSource(
        {
            "left": milliseconds(heat.starts[batch]),
            "right": milliseconds(heat.ends[batch] + np.timedelta64(1, "D")),
            "y": [names[index] for index in forecaster.tolist()],
            "ratio": digits(ratio, 3),
            "color": [DIVERGING[step] for step in steps(ratio)],
        }
    )
    cells = plot.hbar(
        y="y", left="left", right="right", height=0.86, source=source, fill_color="color", line_color=None
    )
    tips = [("forecaster", "@y"), ("batch from", "@left{%F}"), ("its error / the benchmark's", "@ratio{0.00}")]
    hover(plot, tips, [cells], formatters={"@left": "datetime"})
    scale = ((0, "smaller"), (2, ""), (5, "alike"), (8, ""), (10, "larger"))
    return Drawing(plot, tuple(Key(name, DIVERGING[step], "cell") for step, name in scale))


def hardness_figure(heat: Heat) -> Drawing:
    """Draw the benchmark's scaled error batch by batch: above 1 the series moved more than it had before."""
    from bokeh.models import ColumnDataSource

    scored = np.isfinite(heat.hardness)
    hardness = heat.hardness[scored]
    top = float(hardness.max()) * 1.08 if len(hardness) else 1.0
    plot = dated(120, y_range=(0.0, top), x_range=_period(heat))
    plot.min_border_left = _margin(heat)
    plot.yaxis.ticker.desired_num_ticks = 3
    source = ColumnDataSource(
        {
            "left": milliseconds(heat.starts[scored]),
            "right": milliseconds(heat.ends[scored] + np.timedelta64(1, "D")),
            "mase": digits(hardness, 3),
        }
    )
    bars = plot.quad("left", "right", "mase", 0, source=source, fill_color=GREY, fill_alpha=0.55, line_color=None)
    level(plot, 1.0, "dashed")
    hover(plot, [("batch from", "@left{%F}"), ("MASE", "@mase{0.00}")], [bars], formatters={"@left": "datetime"})
    return Drawing(plot, (Key("MASE of the benchmark", GREY, "area", 0.55), Key("as before", MUTED, "dashed")))


def _period(heat: Heat) -> Any:
    from bokeh.models import Range1d

    start, end = milliseconds(np.array([heat.starts[0], heat.ends[-1] + np.timedelta64(1, "D")]))
    return Range1d(start=start, end=end)


def _margin(heat: Heat) -> int:
    """Return the room for the names, the same in both figures, so that their batches are aligned."""
    return 22 + 7 * min(max(len(name) for name in heat.forecasters), 22)


def steps(ratio: np.ndarray) -> list[int]:
    """Return the step of each ratio on the diverging scale: 0 much better, 5 alike, 10 much worse."""
    with np.errstate(divide="ignore"):
        logs = np.log2(ratio)
    scale: list[int] = np.rint(5 + 5 * np.clip(logs / FARTHEST, -1, 1)).astype(int).tolist()
    return scale
