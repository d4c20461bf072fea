"""Small plots for the cells of a table, as inline SVG that takes its colours from the page."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from markupsafe import Markup

from pulse_adapters.report.views import Array

WIDTH, HEIGHT = 96, 22
_PAD = 2.0


def line(values: Array, low: float | None = None, high: float | None = None, mark: float | None = None) -> Markup:
    """Draw values from left to right, the line broken at NaN; `mark` is a level to compare with."""
    finite = values[np.isfinite(values)]
    if len(finite) < 2:
        return Markup("")
    bottom = float(finite.min()) if low is None else low
    top = float(finite.max()) if high is None else high
    reach = (top - bottom) or 1.0

    def y(value: float) -> float:
        return HEIGHT - _PAD - (HEIGHT - 2 * _PAD) * (value - bottom) / reach

    step = (WIDTH - 2 * _PAD) / (len(values) - 1)
    points = [(_PAD + index * step, y(value)) for index, value in enumerate(values.tolist())]
    level = "" if mark is None else f'<path class="mark" d="M0 {y(mark):.1f}H{WIDTH}"/>'
    x, end = next((x, end) for x, end in reversed(points) if math.isfinite(end))
    dot = f'<circle cx="{x:.1f}" cy="{end:.1f}" r="2"/>'
    return _svg(f'{level}<path class="line" d="{"".join(_path(points))}"/>{dot}')


def interval(value: float | None, ends: tuple[float, float] | None, scale: float, zero: float = 0.0) -> Markup:
    """Draw a value, and its interval if any, on an axis from zero - scale to zero + scale, with a line at zero."""
    if value is None or not math.isfinite(value):
        return Markup("")

    def x(at: float) -> float:
        return WIDTH / 2 + (WIDTH / 2 - 4) * max(-1.0, min(1.0, (at - zero) / scale))

    middle = HEIGHT / 2
    span = ""
    if ends is not None:
        span = f'<path class="span" d="M{x(ends[0]):.1f} {middle}H{x(ends[1]):.1f}"/>'
    mark = f'<path class="mark" d="M{WIDTH / 2} 1V{HEIGHT - 1}"/>'
    return _svg(f'{mark}{span}<circle cx="{x(value):.1f}" cy="{middle}" r="3"/>')


def _path(points: list[tuple[float, float]]) -> Iterator[str]:
    pen = "M"
    for x, y in points:
        if math.isfinite(y):
            yield f"{pen}{x:.1f} {y:.1f}"
            pen = "L"
        else:
            pen = "M"


def _svg(inner: str) -> Markup:
    # it holds numbers only; the cell beside it says the same in text
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return Markup(f'<svg class="spark" {size} aria-hidden="true" focusable="false">{inner}</svg>')  # noqa: S704
