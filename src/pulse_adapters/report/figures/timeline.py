"""The run: how its work went, and where its origins lie."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from pulse_adapters.report.figures.series import digits, milliseconds
from pulse_adapters.report.figures.style import BLUE, GREY, Drawn, canvas, dated, hover
from pulse_adapters.report.views import Milestone


def timeline_figure(milestones: Sequence[Milestone]) -> Drawn:
    """Draw how many variables (or steps) had finished, by seconds since the first event."""
    from bokeh.models import ColumnDataSource

    told = [one for one in milestones if one.finished is not None]
    first = milestones[0].at
    seconds = np.array(
        [0.0, *((one.at - first).total_seconds() for one in told), (milestones[-1].at - first).total_seconds()]
    )
    finished = [0, *(one.finished or 0 for one in told)]
    finished.append(finished[-1])
    plot = canvas(180, y_range=(0, max(finished) * 1.08 or 1))
    plot.xaxis.axis_label, plot.yaxis.axis_label = "seconds since the start", "finished"
    source = ColumnDataSource({"seconds": digits(seconds), "finished": finished})
    plot.step("seconds", "finished", source=source, mode="after", line_color=BLUE, line_width=2)
    dots = plot.scatter("seconds", "finished", source=source, size=6, fill_color=BLUE, line_color=None)
    hover(plot, [("seconds", "@seconds{0.0}"), ("finished", "@finished")], [dots])
    return Drawn(plot)


def origins_figure(origins: Sequence[tuple[date, int]]) -> Drawn:
    """Draw how many forecast origins each batch has, over all variables."""
    from bokeh.models import ColumnDataSource

    starts = milliseconds(np.array([start for start, _ in origins], dtype="datetime64[us]"))
    ends = [*starts[1:], starts[-1] + (starts[-1] - starts[-2] if len(starts) > 1 else 86_400_000.0)]
    counts = [count for _, count in origins]
    plot = dated(150, y_range=(0, max(counts) * 1.08 or 1))
    source = ColumnDataSource({"left": starts, "right": ends, "count": counts})
    bars = plot.quad("left", "right", "count", 0, source=source, fill_color=GREY, fill_alpha=0.6, line_color=None)
    hover(plot, [("batch from", "@left{%F}"), ("origins", "@count")], [bars], formatters={"@left": "datetime"})
    return Drawn(plot)
