"""Charts as SVG: a variable's forecasts against actual values, and trust through time, for a notebook or a page.

They need no library and no script, so that they show wherever a picture does: in a notebook that nobody has run since
it was saved too. What they show is what the report's figures show.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final

import attrs
import numpy as np

from pulse_adapters.published.archive import Archive
from pulse_adapters.report import conclusions
from pulse_adapters.report.assembly import assemble_report
from pulse_adapters.report.formats import amount
from pulse_adapters.report.views import Array, Detail, Fan, Moments, TrustPath, Verdict

WIDTH: Final = 760
_HEIGHTS: Final = (260, 130)
_LEFT, _RIGHT, _TOP, _GAP = 64, 14, 46, 52
_BOTTOM: Final = 34
_BLUE, _INK, _GREY, _RED = "#0072b2", "#1a1a1a", "#8a8a8a", "#d55e00"
_BANDS: Final = ((0, 8, 0.15), (2, 6, 0.2), (3, 5, 0.25))
"""The positions of quantiles that end the intervals of 95, 80 and 50 %, and how dense each is."""
_LINE: Final = 100


@attrs.frozen
class Chart:
    """A picture as SVG. A notebook shows it."""

    svg: str = attrs.field(repr=False)
    conclusion: str
    """What the picture says, in words."""

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the SVG to a file; return its path."""
        target = Path(path).expanduser()
        target.write_text(self.svg, encoding="utf-8")
        return target


def variable_chart(archive: Archive, run_id: str, variable: str) -> Chart:
    """Return the chart of a variable of a published run, by its best forecaster one step ahead.

    Raises SettingsError where the run has no such variable.
    """
    (detail,) = assemble_report(archive, run_id, (variable,), limit=1).details
    fan = detail.fan if detail.fan is not None and len(detail.fan) else None
    path = None if detail.focus.verdict is Verdict.BENCHMARK else detail.trust
    texts = [f"{variable}: {detail.focus_name}, one step ahead."]
    height, parts = _TOP, [_title(detail)]
    if fan is not None:
        texts.append(conclusions.on_fan(fan))
        parts += _fan(fan, _Frame.of(height, _HEIGHTS[0], fan.target, _fan_ends(fan)))
        height += _HEIGHTS[0] + _GAP
    if path is not None and len(path.ends):
        texts.append(conclusions.on_trust(path, detail.focus, detail.loss))
        parts += _trust(path, detail, _Frame.of(height, _HEIGHTS[1], path.ends, (0.0, 1.0)))
        height += _HEIGHTS[1] + _GAP
    words = " ".join(texts)
    return Chart(_document(parts, height - _GAP + _BOTTOM, words), words)


@attrs.frozen
class _Frame:
    """The area of a plot, and the scales of its axes: `times` are microseconds."""

    top: int
    height: int
    times: tuple[float, float]
    values: tuple[float, float]

    @classmethod
    def of(cls, top: int, height: int, times: Moments, ends: tuple[float, float]) -> _Frame:
        first, last = float(times.min().astype(np.int64)), float(times.max().astype(np.int64))
        return cls(top, height, (first, max(last, first + 1)), ends)

    def x(self, moments: Moments) -> Array:
        first, last = self.times
        return np.asarray(_LEFT + (moments.astype(np.int64) - first) / (last - first) * (WIDTH - _LEFT - _RIGHT))

    def y(self, values: Array) -> Array:
        low, high = self.values
        share = (np.clip(values, low, high) - low) / (high - low)
        return np.asarray(self.top + self.height * (1 - share))


def _fan(fan: Fan, frame: _Frame) -> Iterator[str]:
    yield from _axes(frame, _ticks(*frame.values), fan.target)
    x = frame.x(fan.target)
    for low, high, dense in _BANDS:
        for rows in _runs(np.isfinite(fan.quantiles[low] + fan.quantiles[high])):
            ends = [*_points(x[rows], frame.y(fan.quantiles[low][rows]))]
            ends += reversed(_points(x[rows], frame.y(fan.quantiles[high][rows])))
            yield f'<polygon points="{" ".join(ends)}" fill="{_BLUE}" fill-opacity="{dense}"/>'
    yield from _lines(x, frame.y(fan.point), np.isfinite(fan.point), _BLUE)
    yield from _lines(x, frame.y(fan.actual), np.isfinite(fan.actual), _INK)
    missed = np.flatnonzero((fan.actual < fan.quantiles[0]) | (fan.actual > fan.quantiles[-1]))
    for at in missed.tolist():
        y = float(frame.y(fan.actual[at : at + 1])[0])
        yield f'<circle cx="{x[at]:.1f}" cy="{y:.1f}" r="4" fill="none" stroke="{_RED}" stroke-width="1.5"/>'
    keys = [("actual", _INK), ("forecast, with its 50, 80 and 95% intervals", _BLUE)]
    yield from _legend(frame, [*keys, ("outside 95%", _RED)] if len(missed) else keys)


def _trust(path: TrustPath, detail: Detail, frame: _Frame) -> Iterator[str]:
    yield from _axes(frame, [(0.0, "0%"), (0.5, "50%"), (1.0, "100%")], path.ends)
    x, finite = frame.x(path.ends), np.isfinite(path.trust)
    yield from _lines(x, frame.y(path.trust), finite, _BLUE)
    if finite.any():
        last = np.flatnonzero(finite)[-1]
        y = float(frame.y(path.trust[last : last + 1])[0])
        yield f'<circle cx="{x[last]:.1f}" cy="{y:.1f}" r="3" fill="{_BLUE}"/>'
    name = f"trust: the probability of a lower mean {detail.loss} than {detail.benchmark}'s"
    yield from _legend(frame, [(name, _BLUE)])


def _axes(frame: _Frame, ticks: Sequence[tuple[float, str]], times: Moments) -> Iterator[str]:
    for value, label in ticks:
        y = float(frame.y(np.array([value]))[0])
        ends = f'x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"'
        yield f'<line {ends} stroke="{_GREY}" stroke-opacity=".3"/>'
        yield _text(_LEFT - 8, y + 4, label, anchor="end")
    count = min(6, len(times))
    moments = times[np.unique(np.linspace(0, len(times) - 1, count).round().astype(int))]
    places, form = frame.x(moments), "M" if frame.times[1] - frame.times[0] > 2e6 * 86_400 * 365 else "D"
    used = -math.inf
    for place, moment in zip(places.tolist(), moments, strict=True):
        if place - used < _LINE:
            continue
        used = place
        anchor = "start" if place < _LEFT + 30 else "end" if place > WIDTH - _RIGHT - 30 else "middle"
        yield _text(place, frame.top + frame.height + 16, str(moment.astype(f"datetime64[{form}]")), anchor=anchor)


def _legend(frame: _Frame, keys: Sequence[tuple[str, str]]) -> Iterator[str]:
    x = float(_LEFT)
    for name, colour in keys:
        yield f'<rect x="{x:.0f}" y="{frame.top - 15}" width="14" height="4" fill="{colour}"/>'
        yield _text(x + 19, frame.top - 9, name)
        x += 40 + 6.2 * len(name)


def _lines(x: Array, y: Array, finite: np.ndarray, colour: str) -> Iterator[str]:
    for rows in _runs(finite):
        points = " ".join(_points(x[rows], y[rows]))
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.4"/>'


def _points(x: Array, y: Array) -> list[str]:
    return [f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)]


def _runs(finite: np.ndarray) -> Iterator[slice]:
    """Yield the stretches of neighbours that are known."""
    edges = np.flatnonzero(np.diff(np.r_[False, finite, False].astype(np.int8)))
    for start, stop in edges.reshape(-1, 2).tolist():
        yield slice(start, stop)


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Return some four round numbers within a range, with their texts."""
    step = 10.0 ** math.floor(math.log10((high - low) / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= 5)
    numbers = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
    return [(value, amount(0.0 if abs(value) < step / 2 else value)) for value in numbers.tolist()]


def _fan_ends(fan: Fan) -> tuple[float, float]:
    """Return the range of forecasts and actual values with their 80 % intervals, and a little more."""
    values = np.concatenate([fan.actual, fan.point, fan.quantiles[2], fan.quantiles[6]])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    margin = 0.04 * (high - low) or abs(high) * 0.01 or 1.0
    return low - margin, high + margin


def _title(detail: Detail) -> str:
    return _text(_LEFT, 18, f"{detail.variable}: {detail.focus_name}, one step ahead", size=14, weight="bold")


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 11, weight: str = "normal") -> str:
    style = f'font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{_INK}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'


def _document(parts: Sequence[str], height: int, words: str) -> str:
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    font = "font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif\""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font} role="img">'
        f'<title>{escape(words)}</title><rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>'
    )
