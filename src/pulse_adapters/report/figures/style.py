"""The style of every figure: type, colours and lines; no toolbar, no logo.

A colour here is a token, which the page replaces by that of the reader's theme before it draws (see report.js). The
hues are those of Okabe & Ito (2008), Color universal design, which colour-blind people tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

INK: Final = "#0a0a01"
MUTED: Final = "#0a0a02"
GRID: Final = "#0a0a03"
BAND: Final = "#0a0a04"
BLUE: Final = "#0a0a11"
ORANGE: Final = "#0a0a12"
GREEN: Final = "#0a0a13"
VERMILLION: Final = "#0a0a14"
PURPLE: Final = "#0a0a15"
SKY: Final = "#0a0a16"
YELLOW: Final = "#0a0a17"
GREY: Final = "#0a0a18"

HUES: Final = (BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY, YELLOW, GREY)
MARKERS: Final = ("circle", "triangle", "square", "diamond", "inverted_triangle", "hex", "star", "plus")

DIVERGING: Final = tuple(f"#0a0b{step:02x}" for step in range(11))
"""From much better (blue) over alike (pale) to much worse (vermillion)."""

VARIABLES: Final[Mapping[str, str]] = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    BAND: "--band",
    BLUE: "--blue",
    ORANGE: "--orange",
    GREEN: "--green",
    VERMILLION: "--vermillion",
    PURPLE: "--purple",
    SKY: "--sky",
    YELLOW: "--yellow",
    GREY: "--grey",
    **{token: f"--d{step}" for step, token in enumerate(DIVERGING)},
}
"""The style sheet's variable that each token stands for."""

FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"


@attrs.frozen
class Key:
    """An entry of a legend: name, colour token, and shape (`line`, `dashed`, `area`, a marker)."""

    name: str
    color: str
    shape: str = "line"
    dense: float = 1.0


@attrs.frozen(eq=False)
class Drawing:
    """A plot and its legend, which is text of the page: so it wraps, prints and is read out."""

    plot: Any
    keys: tuple[Key, ...] = ()


def canvas(height: int, **options: Any) -> Any:
    """Return an empty figure in the report's style; it takes the width of the page."""
    from bokeh.plotting import figure

    plot = figure(
        height=height,
        sizing_mode="stretch_width",
        toolbar_location=None,
        tools="",
        background_fill_alpha=0,
        border_fill_alpha=0,
        outline_line_color=None,
        min_border_left=8,
        min_border_right=14,
        min_border_top=6,
        min_border_bottom=4,
        **options,
    )
    for axis in plot.axis:
        axis.axis_line_color = None
        axis.major_tick_line_color = None
        axis.minor_tick_line_color = None
        axis.major_label_text_color = MUTED
        axis.axis_label_text_color = MUTED
        axis.major_label_text_font = axis.axis_label_text_font = FONT
        axis.major_label_text_font_size = axis.axis_label_text_font_size = "12px"
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_standoff = 8
    plot.xgrid.grid_line_color = None
    plot.ygrid.grid_line_color = GRID
    return plot


def dated(height: int, **options: Any) -> Any:
    """Return an empty figure whose x axis is time."""
    from bokeh.models import DatetimeTickFormatter

    plot = canvas(height, x_axis_type="datetime", **options)
    plot.xaxis.formatter = DatetimeTickFormatter(days="%-d %b", months="%b %Y", years="%Y", context=None)
    plot.xaxis.ticker.desired_num_ticks = 7
    if "x_range" not in options:
        plot.x_range.range_padding = 0.02
    return plot


def level(plot: Any, at: float, dash: str = "solid", *, vertical: bool = False, color: str = MUTED) -> None:
    """Draw a reference line across the plot."""
    from bokeh.models.annotations import Span

    dimension: Any = "height" if vertical else "width"
    plot.add_layout(
        Span(location=at, dimension=dimension, line_color=color, line_dash=dash, line_width=1, level="underlay")
    )


def hover(plot: Any, tips: list[tuple[str, str]], renderers: list[Any], **options: Any) -> None:
    """Show the numbers under the pointer."""
    from bokeh.models import HoverTool

    plot.add_tools(HoverTool(tooltips=tips, renderers=renderers, **options))
