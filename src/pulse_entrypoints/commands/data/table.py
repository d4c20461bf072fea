"""The variables of the data and their findings as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from pulse_core.data.quality import Quality
from pulse_entrypoints.commands.data.inspect import Inspection
from pulse_entrypoints.commands.forecast.rows import clock_text

PAGE: Final = 500
"""Variables of a table: the list of many is shown while they are read."""

_NOTHING: Final = "\N{EN DASH}"
_NAME_WIDTH: Final = 10
"""Characters of a name that stand in one line even where the table is too wide."""


def listing(variables: Iterable[Quality]) -> Iterator[Any]:
    """Yield tables with a row a variable, as they come: one of up to PAGE variables after another."""
    remaining = iter(variables)
    while page := list(islice(remaining, PAGE)):
        yield _page(page)


def _page(variables: Sequence[Quality]) -> Table:
    grid = _table()
    grid.add_column("rows", justify="right", no_wrap=True)
    grid.add_column("absent", justify="right", no_wrap=True)
    grid.add_column("first", no_wrap=True)
    grid.add_column("last", no_wrap=True)
    grid.add_column("calendar", min_width=13, overflow="fold")
    grid.add_column("known at", no_wrap=True)
    for variable in variables:
        grid.add_row(
            Text(variable.variable),
            f"{variable.observations:,}",
            f"{variable.absent:,}" if variable.absent else _NOTHING,
            clock_text(variable.first, variable.zone) or _NOTHING,
            clock_text(variable.last, variable.zone) or _NOTHING,
            variable.calendar or _NOTHING,
            "column" if variable.vintages else _NOTHING,
        )
    return grid


def findings(inspection: Inspection) -> Iterator[Any]:
    """Yield a table with a row a finding, and how many variables have none."""
    if inspection.findings:
        grid = _table()
        grid.add_column("finding", no_wrap=True)
        grid.add_column("times", justify="right", no_wrap=True)
        grid.add_column("message", overflow="fold")
        for variable, finding in inspection.findings:
            name = Text(variable.variable)
            style = "dim" if finding.note else ""
            grid.add_row(name, finding.kind, f"{finding.count:,}", Text(finding.message), style=style)
        yield grid
    if inspection.variables:
        sound = sum(all(finding.note for finding in variable.findings) for variable in inspection.variables)
        yield Text(f"{sound} of {len(inspection.variables)} variables have nothing odd about them", style="dim")


def _table() -> Table:
    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    grid.add_column("variable", min_width=_NAME_WIDTH, overflow="fold")
    return grid
