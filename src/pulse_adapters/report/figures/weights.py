"""Figure of the ensemble's weights through time."""

from __future__ import annotations

import numpy as np

from pulse_adapters.report.figures.series import digits, milliseconds
from pulse_adapters.report.figures.style import HUES, Drawing, Key, dated, hover
from pulse_adapters.report.views import Array, Weights

NAMED_LIMIT = 7
OTHERS = "the others"


def weights_figure(weights: Weights) -> Drawing:
    """Draw the weights stacked, the heaviest first; those beyond seven are drawn together."""
    from bokeh.models import ColumnDataSource, NumeralTickFormatter

    names, values = heaviest(weights)
    plot = dated(260, y_range=(0.0, 1.0))
    plot.yaxis.formatter = NumeralTickFormatter(format="0%")
    plot.ygrid.grid_line_color = None
    columns = {f"w{index}": digits(row, 3) for index, row in enumerate(values)}
    source = ColumnDataSource({"at": milliseconds(weights.starts), **columns})
    plot.varea_stack(list(columns), x="at", source=source, color=HUES[: len(names)], fill_alpha=0.78)
    tips = [("from", "@at{%F}"), *((name, f"@w{index}{{0%}}") for index, name in enumerate(names))]
    line = plot.line("at", "w0", source=source, line_alpha=0)
    hover(plot, tips, [line], formatters={"@at": "datetime"}, mode="vline")
    return Drawing(plot, tuple(Key(name, hue, "area", 0.78) for name, hue in zip(names, HUES, strict=False)))


def heaviest(weights: Weights) -> tuple[tuple[str, ...], Array]:
    """Return names and weights (forecaster, batch) by mean weight, those beyond seven or without weight added up."""
    order = np.argsort(-weights.values.mean(axis=1), kind="stable")
    heavy = [index for index in order[:NAMED_LIMIT].tolist() if weights.values[index].max() > 0]
    light = [index for index in order.tolist() if index not in heavy]
    names, values = [weights.forecasters[index] for index in heavy], weights.values[heavy]
    if light and weights.values[light].max() > 0:
        return (*names, OTHERS), np.vstack([values, weights.values[light].sum(axis=0)])
    return tuple(names), values
