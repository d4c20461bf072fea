"""A panel of the report: a figure, what to conclude from it, and its numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from pulse_adapters.report.figures.style import Drawing

LINE_LIMIT = 12
"""The number of lines that a figure's table shows; of a longer table, lines evenly apart and the last."""


@attrs.frozen
class Numbers:
    """A figure's numbers as a table."""

    head: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


@attrs.frozen(kw_only=True, eq=False)
class Panel:
    """A figure with its title, its conclusion, which screen readers read in its place, and its numbers."""

    title: str
    conclusion: str
    drawing: Drawing
    note: str = ""
    numbers: Numbers | None = None
    wide: bool = False
    listed: bool = False
    """Whether the numbers stay visible, because they name what the figure shows."""


def thinned(head: tuple[str, ...], lines: Sequence[tuple[str, ...]]) -> Numbers:
    """Return a table of at most LINE_LIMIT lines."""
    if len(lines) <= LINE_LIMIT:
        return Numbers(head, tuple(lines))
    indexes = np.unique(np.linspace(0, len(lines) - 1, LINE_LIMIT).round().astype(int))
    return Numbers(head, tuple(lines[index] for index in indexes.tolist()))
