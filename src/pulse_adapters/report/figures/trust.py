"""Figures of trust through time with its credible band, and of the evidence."""

from __future__ import annotations

import math

from pulse_adapters.report.figures.series import digits, milliseconds, padded
from pulse_adapters.report.figures.style import BLUE, MUTED, ORANGE, Drawing, Key, dated, hover, level
from pulse_adapters.report.views import TrustPath

CONVINCING = math.log10(20.0)


def trust_figure(path: TrustPath) -> Drawing:
    """Draw the trust at the end of each batch and its 95% credible band, with the line of no difference."""
    from bokeh.models import ColumnDataSource, NumeralTickFormatter

    plot = dated(240, y_range=(0.0, 1.0))
    plot.yaxis.formatter = NumeralTickFormatter(format="0%")
    values = {name: digits(getattr(path, name), 4) for name in ("mean", "low", "high")}
    source = ColumnDataSource({"at": milliseconds(path.ends), **values})
    level(plot, 0.5, "dashed")
    plot.varea("at", "low", "high", source=source, fill_color=BLUE, fill_alpha=0.18)
    mean = plot.line("at", "mean", source=source, line_color=BLUE, line_width=2)
    tips = [("until", "@at{%F}"), ("trust", "@mean{0.0%}"), ("from", "@low{0.0%}"), ("to", "@high{0.0%}")]
    hover(plot, tips, [mean], formatters={"@at": "datetime"}, mode="vline")
    return Drawing(
        plot, (Key("trust", BLUE), Key("95% credible band", BLUE, "area", 0.18), Key("no difference", MUTED, "dashed"))
    )


def evidence_figure(path: TrustPath) -> Drawing:
    """Draw the e-value, as a power of ten, with the line at 20: chance alone passes it in one run of twenty at most."""
    from bokeh.models import ColumnDataSource

    evidence = digits(path.log10_e, 4)
    low, high = padded(min([*evidence, -0.5]), max([*evidence, CONVINCING * 1.3]))
    plot = dated(240, y_range=(low, high))
    plot.yaxis.axis_label = "log\u2081\u2080 e"
    source = ColumnDataSource({"at": milliseconds(path.evidence_at), "e": evidence})
    level(plot, 0.0, color=MUTED)
    level(plot, CONVINCING, "dashed", color=ORANGE)
    line = plot.line("at", "e", source=source, line_color=ORANGE, line_width=2)
    hover(plot, [("at", "@at{%F}"), ("log10 e", "@e{0.00}")], [line], formatters={"@at": "datetime"}, mode="vline")
    return Drawing(plot, (Key("e-value", ORANGE), Key("e = 20", ORANGE, "dashed")))
