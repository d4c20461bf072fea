"""Figures of trust through time, and of the evidence."""

from __future__ import annotations

import math

import numpy as np

from pulse_adapters.report.figures.series import digits, milliseconds, padded
from pulse_adapters.report.figures.style import BLUE, MUTED, ORANGE, Drawing, Key, dated, hover, level
from pulse_adapters.report.views import TrustPath
from pulse_core.scores.verdict import THRESHOLD

DECISIVE = math.log10(THRESHOLD)
"""The evidence from which on a verdict may follow."""


def trust_figure(path: TrustPath) -> Drawing:
    """Draw the trust at the end of each batch, with the line of one half."""
    from bokeh.models import ColumnDataSource, NumeralTickFormatter

    plot = dated(240, y_range=(0.0, 1.0))
    plot.yaxis.formatter = NumeralTickFormatter(format="0%")
    finite = np.isfinite(path.trust)
    at, trust = milliseconds(path.ends[finite]), digits(path.trust[finite], 4)
    source = ColumnDataSource({"at": at, "trust": trust})
    level(plot, 0.5, "dashed")
    line = plot.line("at", "trust", source=source, line_color=BLUE, line_width=2)
    if len(trust) == 1:  # a line needs two points
        plot.scatter("at", "trust", source=source, size=7, fill_color=BLUE, line_color=None)
    hover(plot, [("until", "@at{%F}"), ("trust", "@trust{0.0%}")], [line], formatters={"@at": "datetime"}, mode="vline")
    return Drawing(plot, (Key("trust", BLUE), Key("one half", MUTED, "dashed")))


def evidence_figure(path: TrustPath) -> Drawing:
    """Draw the e-values for the forecaster and against it, as powers of ten, with the line at 20."""
    from bokeh.models import ColumnDataSource

    sides = {"for": digits(path.log10_e, 4), "against": digits(path.log10_e_against, 4)}
    values = [value for side in sides.values() for value in side if math.isfinite(value)]
    plot = dated(240, y_range=padded(min([*values, -0.5]), max([*values, DECISIVE * 1.3])))
    plot.yaxis.axis_label = "log\u2081\u2080 e"
    source = ColumnDataSource({"at": milliseconds(path.evidence_at), **sides})
    level(plot, 0.0, color=MUTED)
    level(plot, DECISIVE, "dashed", color=MUTED)
    line = plot.line("at", "for", source=source, line_color=BLUE, line_width=2)
    plot.line("at", "against", source=source, line_color=ORANGE, line_width=2)
    tips = [("at", "@at{%F}"), ("log10 e for it", "@for{0.00}"), ("against it", "@against{0.00}")]
    hover(plot, tips, [line], formatters={"@at": "datetime"}, mode="vline")
    return Drawing(plot, (Key("for it", BLUE), Key("against it", ORANGE), Key("e = 20", MUTED, "dashed")))
