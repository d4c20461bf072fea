"""Figure of the forecast fan against actual values, every batch marked."""

from __future__ import annotations

from typing import Any

import numpy as np

from pulse_adapters.report.figures.series import digits, milliseconds, padded
from pulse_adapters.report.figures.style import BAND, BLUE, INK, VERMILLION, Drawing, Key, dated, hover
from pulse_adapters.report.views import Array, Fan, Moments
from pulse_core.arrays import finite_difference
from pulse_core.levels import LEVELS

THIN = 0.06
"""An 80% interval narrower than this share of the plot cannot be read from it."""

BANDS = ((0, 8, 0.14, "95% interval"), (2, 6, 0.22, "80%"), (3, 5, 0.34, "50%"))
"""Index of the lower and the upper quantile, opacity, name."""


def fan_figure(fan: Fan, edges: Moments, height: int = 300) -> Drawing:
    """Draw intervals of 50, 80 and 95 % around the forecast, actual values, and those outside of 95 %."""
    from bokeh.models import ColumnDataSource, Range1d

    at = milliseconds(fan.target)
    columns = {f"q{level}": digits(values) for level, values in zip(LEVELS, fan.quantiles, strict=True)}
    source = ColumnDataSource({"at": at, "point": digits(fan.point), "actual": digits(fan.actual), **columns})
    plot = dated(height, x_range=Range1d(start=at[0], end=at[-1]), y_range=padded(*_ends(fan)))
    mark_batches(plot, edges, fan.target)
    for low, high, dense, _ in BANDS:
        plot.varea("at", f"q{LEVELS[low]}", f"q{LEVELS[high]}", source=source, fill_color=BLUE, fill_alpha=dense)
    point = plot.line("at", "point", source=source, line_color=BLUE, line_width=1.2)
    plot.line("at", "actual", source=source, line_color=INK, line_width=1.2)
    plot.scatter("at", "actual", source=source, size=3, fill_color=INK, line_color=None)
    keys = [
        Key("actual", INK),
        Key("forecast", BLUE),
        *(Key(name, BLUE, "area", dense) for *_, dense, name in BANDS),
    ]
    missed = outside(fan)
    if missed.any():
        _ring(plot, fan, missed)
        keys.append(Key("outside 95%", VERMILLION, "ring"))
    keys.append(Key("every other batch", BAND, "area"))
    tips = [("for", "@at{%F}"), ("actual", "@actual{0.[0000]}"), ("forecast", "@point{0.[0000]}")]
    tips.append(("80%", "@{q0.1}{0.[0000]} to @{q0.9}{0.[0000]}"))
    hover(plot, tips, [point], formatters={"@at": "datetime"}, mode="vline")
    return Drawing(plot, tuple(keys))


def is_thin(fan: Fan) -> bool:
    """Whether the intervals are too narrow to see beside the range of the series."""
    low, high = (end / 4 for end in _ends(fan))  # quarters, whose differences and sums stay below the end of a float64
    widths = finite_difference(fan.quantiles[6] / 4, fan.quantiles[2] / 4)
    return bool(np.isfinite(widths).any()) and float(np.nanmedian(widths)) < THIN * (high - low)


def surprise_figure(fan: Fan, edges: Moments) -> Drawing:
    """Draw intervals and actual values less the forecast."""
    quantiles, actual = finite_difference(fan.quantiles, fan.point), finite_difference(fan.actual, fan.point)
    level_fan = Fan(fan.target, np.zeros(len(fan)), quantiles, actual)
    return fan_figure(level_fan, edges, height=220)


def outside(fan: Fan) -> np.ndarray:
    """Return where actual values lay outside of the 95 % interval."""
    return np.asarray((fan.actual < fan.quantiles[0]) | (fan.actual > fan.quantiles[-1]))


def mark_batches(plot: Any, edges: Moments, targets: Moments) -> None:
    """Shade every other batch, so that the start of each shows."""
    from bokeh.models import ColumnDataSource

    ends = np.append(edges[1:], edges[-1:] + np.timedelta64(10_000, "D"))
    shaded = (np.arange(len(edges)) % 2 == 0) & (ends > targets.min()) & (edges < targets.max())
    source = ColumnDataSource({"start": milliseconds(edges[shaded]), "end": milliseconds(ends[shaded])})
    plot.vstrip("start", "end", source=source, fill_color=BAND, line_color=None)


def _ring(plot: Any, fan: Fan, missed: np.ndarray) -> None:
    from bokeh.models import ColumnDataSource

    source = ColumnDataSource({"at": milliseconds(fan.target[missed]), "actual": digits(fan.actual[missed])})
    plot.scatter(
        "at", "actual", source=source, size=9, marker="circle", fill_color=None, line_color=VERMILLION, line_width=1.8
    )


def _ends(fan: Fan) -> tuple[float, float]:
    """Return the range of forecasts and actual values; a quantile far out does not press them flat."""
    values: Array = np.concatenate([fan.actual, fan.point, fan.quantiles[1], fan.quantiles[-2]])
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
