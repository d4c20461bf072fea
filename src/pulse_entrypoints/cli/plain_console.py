"""Tables and texts of rich without control characters of foreign text; rich's own stay."""

from __future__ import annotations

from typing import Any

import attrs
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment

from pulse_entrypoints.cli.plain_text import plain_text


@attrs.frozen
class Plain:
    """A renderable whose segments are plain."""

    renderable: Any

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the segments."""
        for segment in console.render(self.renderable, options):
            yield segment if segment.control else Segment(plain_text(segment.text), segment.style)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return the widths."""
        return Measurement.get(console, options, self.renderable)
