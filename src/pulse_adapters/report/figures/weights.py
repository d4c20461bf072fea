"""The ensemble's weights through time."""

from __future__ import annotations

import numpy as np

from pulse_adapters.report.figures.series import digits, milliseconds
from pulse_adapters.report.figures.style import HUES, Drawn, Key, dated, hover
from pulse_adapters.report.views import Array, Weights

NAMED = 7
REST = "the others"


def weights_figure(weights: Weights) -> Drawn:
    """Draw the weights stacked, the heaviest first; those beyond seven are drawn together."""
    from bokeh.models import ColumnDataSource, NumeralTickFormatter

    names, values = heaviest(weights)
    plot = dated(260, y_range=(0.0, 1.0))
    plot.yaxis.formatter = NumeralTickFormatter(format="0%")
    plot.ygrid.grid_line_color = None
    columns = {f"w{place}": digits(row, 3) for place, row in enumerate(values)}
    source = ColumnDataSource({"at": milliseconds(weights.starts), **columns})
    plot.varea_stack(list(columns), x="at", source=source, color=HUES[: len(names)], fill_alpha=0.78)
    tips = [("from", "@at{%F}"), *((name, f"@w{place}{{0%}}") for place, name in enumerate(names))]
    line = plot.line("at", "w0", source=source, line_alpha=0)
    hover(plot, tips, [line], formatters={"@at": "datetime"}, mode="vline")
    return Drawn(plot, tuple(Key(name, hue, "area", 0.78) for name, hue in zip(names, HUES, strict=False)))


def heaviest(weights: Weights) -> tuple[tuple[str, ...], Array]:
    """Return names and weights (forecaster, batch) by mean weight, the light ones added up as the others."""
    order = np.argsort(-weights.values.mean(axis=1), kind="stable")
    named = [place for place in order[:NAMED].tolist() if weights.values[place].max() > 0]
    rest = [place for place in order.tolist() if place not in named]
    names, values = [weights.forecasters[place] for place in named], weights.values[named]
    if rest and weights.values[rest].max() > 0:
        return (*names, REST), np.vstack([values, weights.values[rest].sum(axis=0)])
    return tuple(names), values
