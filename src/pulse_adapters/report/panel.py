"""A panel of the report: a figure, what to conclude from it, and its numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from pulse_adapters.report.figures.style import Drawn

MOST_LINES = 12
"""The most lines of a figure's table; of a longer one, evenly spaced lines and the last."""


@attrs.frozen
class Numbers:
    """A figure's numbers as a table."""

    head: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


@attrs.frozen(kw_only=True, eq=False)
class Panel:
    """A figure with its title, the conclusion that is also its text for who cannot see it, and its numbers."""

    title: str
    conclusion: str
    drawn: Drawn
    note: str = ""
    numbers: Numbers | None = None
    wide: bool = False
    listed: bool = False
    """Whether the numbers stand in the open, because they name what the figure shows."""


def thinned(head: tuple[str, ...], lines: Sequence[tuple[str, ...]]) -> Numbers:
    """Return a table of at most MOST_LINES lines."""
    if len(lines) <= MOST_LINES:
        return Numbers(head, tuple(lines))
    places = np.unique(np.linspace(0, len(lines) - 1, MOST_LINES).round().astype(int))
    return Numbers(head, tuple(lines[place] for place in places.tolist()))
