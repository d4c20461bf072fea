"""Figure of skill by horizon, with jackknife intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pulse_adapters.report.figures.series import digits, padded
from pulse_adapters.report.figures.style import HUES, MARKERS, Drawing, Key, canvas, hover, level
from pulse_adapters.report.views import SkillCurve

REACH = 0.44


def skill_figure(curves: Sequence[SkillCurve]) -> Drawing:
    """Draw each forecaster's skill at each horizon, side by side, and its 95 % interval as a line."""
    from bokeh.models import NumeralTickFormatter

    horizons = len(curves[0].skill)
    plot = canvas(240, y_range=_range(curves), x_range=(0.5, horizons + 0.5))
    plot.yaxis.formatter = NumeralTickFormatter(format="+0.[0]%")
    plot.xaxis.ticker = list(range(1, horizons + 1)) if horizons <= 24 else []
    plot.xaxis.axis_label = "steps ahead"
    level(plot, 0.0)
    keys, renderers = [], []
    for index, curve in enumerate(curves):
        offset = (index - (len(curves) - 1) / 2) * REACH / max(len(curves) - 1, 1)
        keys.append(Key(curve.forecaster, HUES[index], MARKERS[index]))
        renderers.append(_curve(plot, curve, offset, HUES[index], MARKERS[index]))
    tips = [("forecaster", "@name"), ("ahead", "@horizon"), ("skill", "@skill{+0.0%}")]
    hover(plot, [*tips, ("from", "@low{+0.0%}"), ("to", "@high{+0.0%}")], renderers)
    return Drawing(plot, tuple(keys))


def _curve(plot: Any, curve: SkillCurve, offset: float, hue: str, marker: str) -> Any:
    from bokeh.models import ColumnDataSource

    horizon = list(range(1, len(curve.skill) + 1))
    values = {name: digits(getattr(curve, name), 4) for name in ("skill", "low", "high")}
    x = [round(step + offset, 3) for step in horizon]
    source = ColumnDataSource({"x": x, "horizon": horizon, "name": [curve.forecaster] * len(x), **values})
    plot.segment("x", "low", "x", "high", source=source, line_color=hue, line_width=2, line_alpha=0.55)
    return plot.scatter("x", "skill", source=source, marker=marker, size=9, fill_color=hue, line_color=hue)


def _range(curves: Sequence[SkillCurve]) -> tuple[float, float]:
    """Return a range that shows every skill; an interval much wider than all of them may leave it."""
    skills = np.concatenate([curve.skill for curve in curves])
    ends = np.concatenate([[0.0], *([curve.low, curve.high] for curve in curves)], axis=None)
    skills, ends = skills[np.isfinite(skills)], ends[np.isfinite(ends)]
    if not len(skills):
        return -1.0, 1.0
    reach = max(float(np.abs(skills).max()) * 6.0, 0.01)
    low, high = max(float(ends.min()), -reach), min(float(ends.max()), reach)
    return padded(min(low, float(skills.min()), 0.0), max(high, float(skills.max()), 0.0))
