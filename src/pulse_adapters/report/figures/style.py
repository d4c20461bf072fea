"""How every figure looks: type, colours and lines; no toolbar, no logo.

A colour here is a token, which the page replaces by that of the reader's theme before it draws (see report.js). The
hues are those of Okabe & Ito (2008), Color universal design, which colour-blind people tell apart.
"""

from __future__ import annotations

from typing import Any, Final

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
DASHES: Final = ("solid", "dashed", "dotdash", "dotted", "dashdot", "solid", "dashed", "dotdash")

# ten steps from better (blue) over none (the page) to worse (vermillion)
DIVERGING: Final = tuple(f"#0a0b{place:02x}" for place in range(11))

FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"


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
    return plot


def level(plot: Any, at: float, dash: str = "solid", *, vertical: bool = False, color: str = MUTED) -> None:
    """Draw a line to compare with across the plot."""
    from bokeh.models import Span

    dimension: Any = "height" if vertical else "width"
    plot.add_layout(Span(location=at, dimension=dimension, line_color=color, line_dash=dash, line_width=1, level="underlay"))


def legend(plot: Any, items: list[tuple[str, list[Any]]], place: Any = "above") -> None:
    """Name what is drawn, in a line above the plot."""
    from bokeh.models import Legend

    plot.add_layout(
        Legend(
            items=items,  # type: ignore[arg-type]  # pairs are accepted
            orientation="horizontal",
            border_line_color=None,
            background_fill_alpha=0,
            label_text_color=MUTED,
            label_text_font=FONT,
            label_text_font_size="12px",
            padding=0,
            margin=2,
            spacing=14,
            ncols=4,
            glyph_height=14,
            glyph_width=18,
        ),
        place,
    )


def hover(plot: Any, tips: list[tuple[str, str]], renderers: list[Any], **options: Any) -> None:
    """Tell the numbers under the pointer."""
    from bokeh.models import HoverTool

    plot.add_tools(HoverTool(tooltips=tips, renderers=renderers, **options))
