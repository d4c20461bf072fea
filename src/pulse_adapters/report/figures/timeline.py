"""Figures of the run: its progress through time, and its origins by batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from pulse_adapters.report.figures.series import digits, milliseconds
from pulse_adapters.report.figures.style import BLUE, GREY, Drawing, canvas, dated, hover
from pulse_adapters.report.views import Milestone


def timeline_figure(milestones: Sequence[Milestone]) -> Drawing:
    """Draw how many variables (or steps) had finished, by seconds since the first event."""
    from bokeh.models import ColumnDataSource

    counted = [milestone for milestone in milestones if milestone.finished is not None]
    first = milestones[0].at
    moments = [first, *(milestone.at for milestone in counted), milestones[-1].at]
    seconds = np.array([(moment - first).total_seconds() for moment in moments])
    finished = [0, *(milestone.finished or 0 for milestone in counted)]
    finished.append(finished[-1])
    plot = canvas(180, y_range=(0, max(finished) * 1.08 or 1))
    plot.xaxis.axis_label, plot.yaxis.axis_label = "seconds since the start", "finished"
    source = ColumnDataSource({"seconds": digits(seconds), "finished": finished})
    plot.step("seconds", "finished", source=source, mode="after", line_color=BLUE, line_width=2)
    dots = plot.scatter("seconds", "finished", source=source, size=6, fill_color=BLUE, line_color=None)
    hover(plot, [("seconds", "@seconds{0.0}"), ("finished", "@finished")], [dots])
    return Drawing(plot)


def origins_figure(origins: Sequence[tuple[date, int]]) -> Drawing:
    """Draw how many forecast origins each batch has, over all variables."""
    from bokeh.models import ColumnDataSource

    starts = milliseconds(np.array([start for start, _ in origins], dtype="datetime64[us]"))
    ends = [*starts[1:], starts[-1] + (starts[-1] - starts[-2] if len(starts) > 1 else 86_400_000.0)]
    counts = [count for _, count in origins]
    plot = dated(150, y_range=(0, max(counts) * 1.08 or 1))
    source = ColumnDataSource({"left": starts, "right": ends, "count": counts})
    bars = plot.quad("left", "right", "count", 0, source=source, fill_color=GREY, fill_alpha=0.6, line_color=None)
    hover(plot, [("batch from", "@left{%F}"), ("origins", "@count")], [bars], formatters={"@left": "datetime"})
    return Drawing(plot)
