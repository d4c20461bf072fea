"""What is there of a place's variables, and what is odd about them, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from pulse_entrypoints.commands.data.inspect import Looked
from pulse_entrypoints.commands.forecast.rows import moment

_NOTHING: Final = "\N{EN DASH}"
_WIDEST_VARIABLE: Final = 24


def listing(looked: Looked) -> Iterator[Any]:
    """Yield a table with a row a variable."""
    if not looked.variables:
        return
    shown = _table()
    shown.add_column("rows", justify="right", no_wrap=True)
    shown.add_column("absent", justify="right", no_wrap=True)
    for name in ("first", "last", "calendar", "known at"):
        shown.add_column(name, no_wrap=True)
    for one in looked.variables:
        shown.add_row(
            # a cell that does not wrap in a column that may: it is this column that gives way
            Text(one.variable, no_wrap=True, overflow="ellipsis"),
            f"{one.observations:,}",
            f"{one.absent:,}" if one.absent else _NOTHING,
            moment(one.first) or _NOTHING,
            moment(one.last) or _NOTHING,
            one.calendar or _NOTHING,
            "column" if one.vintages else _NOTHING,
        )
    yield shown


def findings(looked: Looked) -> Iterator[Any]:
    """Yield a table with a row a finding, and how many variables have none."""
    if looked.findings:
        shown = _table()
        shown.add_column("finding", no_wrap=True)
        shown.add_column("times", justify="right", no_wrap=True)
        shown.add_column("message", overflow="fold")
        for variable, finding in looked.findings:
            name = Text(variable, no_wrap=True, overflow="ellipsis")
            style = "dim" if finding.note else ""
            shown.add_row(name, finding.kind, f"{finding.count:,}", Text(finding.message), style=style)
        yield shown
    if looked.variables:
        sound = sum(all(finding.note for finding in one.findings) for one in looked.variables)
        yield Text(f"{sound} of {len(looked.variables)} variables have nothing odd about them", style="dim")


def _table() -> Table:
    shown = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    shown.add_column("variable", max_width=_WIDEST_VARIABLE, overflow="ellipsis")
    return shown
