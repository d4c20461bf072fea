"""Figure of the run's own reliability: of the trusts that it quoted, how many came true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pulse_adapters.published.document import ReliabilityBin
from pulse_adapters.report.figures.style import HUES, MARKERS, MUTED, VERMILLION, Drawing, Key, canvas, hover


def trust_reliability_figure(horizons: Sequence[int], bins: Sequence[ReliabilityBin]) -> Drawing:
    """Draw the share that came true against the mean trust, with bands, for some horizons; bad bins are ringed."""
    from bokeh.models import NumeralTickFormatter

    plot = canvas(300, x_range=(-0.02, 1.02), y_range=(-0.04, 1.04))
    plot.xaxis.formatter = plot.yaxis.formatter = NumeralTickFormatter(format="0%")
    plot.xaxis.axis_label, plot.yaxis.axis_label = "trust", "came true"
    plot.line([0, 1], [0, 1], line_color=MUTED, line_dash="dashed")
    keys, renderers = [], []
    for index, horizon in enumerate(horizons):
        of_horizon = [trust_bin for trust_bin in bins if trust_bin.horizon == horizon]
        renderers.append(_bins(plot, of_horizon, HUES[index], MARKERS[index]))
        keys.append(Key(f"{horizon} ahead", HUES[index], MARKERS[index]))
    bad = [trust_bin for trust_bin in bins if trust_bin.bad and trust_bin.horizon in horizons]
    if bad:
        x, y = [trust_bin.trust for trust_bin in bad], [trust_bin.true for trust_bin in bad]
        plot.scatter(x, y, size=16, fill_color=None, line_color=VERMILLION, line_width=2)
        keys.append(Key("beyond chance off", VERMILLION, "ring"))
    tips = [("ahead", "@horizon"), ("trust", "@trust{0.0%}"), ("came true", "@true{0.0%}"), ("trusts", "@count")]
    hover(plot, tips, renderers)
    return Drawing(plot, (*keys, Key("as said", MUTED, "dashed")))


def _bins(plot: Any, bins: Sequence[ReliabilityBin], hue: str, marker: str) -> Any:
    from bokeh.models import ColumnDataSource

    names = ("horizon", "trust", "true", "count")
    columns: dict[str, Any] = {name: [getattr(trust_bin, name) for trust_bin in bins] for name in names}
    for end in ("low", "high"):
        bands = [getattr(trust_bin, f"band_{end}") for trust_bin in bins]
        columns[end] = [
            float("nan") if band is None else min(max(trust_bin.trust + band, 0.0), 1.0)
            for trust_bin, band in zip(bins, bands, strict=True)
        ]
    source = ColumnDataSource(columns)
    plot.segment("trust", "low", "trust", "high", source=source, line_color=hue, line_width=2, line_alpha=0.55)
    return plot.scatter("trust", "true", source=source, marker=marker, size=9, fill_color=hue, line_color=hue)
