"""The variables of the data and their findings as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

import numpy as np
from rich.table import Table
from rich.text import Text

from pulse_core.data.quality import Quality
from pulse_core.data.zones import local
from pulse_entrypoints.commands.data.inspect import Inspection
from pulse_entrypoints.commands.forecast.rows import moment

PAGE: Final = 500
"""Variables of a table: the list of many is shown while they are read."""

_NOTHING: Final = "\N{EN DASH}"
_WIDEST_VARIABLE: Final = 24


def listing(variables: Iterable[Quality]) -> Iterator[Any]:
    """Yield tables with a row a variable, as they come: one of up to PAGE variables after another."""
    remaining = iter(variables)
    while page := list(islice(remaining, PAGE)):
        yield _page(page)


def _page(variables: Sequence[Quality]) -> Table:
    grid = _table()
    grid.add_column("rows", justify="right", no_wrap=True)
    grid.add_column("absent", justify="right", no_wrap=True)
    for name in ("first", "last", "calendar", "known at"):
        grid.add_column(name, no_wrap=True)
    for variable in variables:
        grid.add_row(
            # a cell that does not wrap in a column that may: it is this column that gives way
            Text(variable.variable, no_wrap=True, overflow="ellipsis"),
            f"{variable.observations:,}",
            f"{variable.absent:,}" if variable.absent else _NOTHING,
            _short(variable.first, variable.zone),
            _short(variable.last, variable.zone),
            variable.calendar or _NOTHING,
            "column" if variable.vintages else _NOTHING,
        )
    return grid


def _short(stamp: np.datetime64, zone: str) -> str:
    """Return a moment by its zone's clocks, as a day where that is midnight; the calendar names the zone."""
    return (moment(local(np.array([stamp]), zone)[0]) or _NOTHING).removesuffix(".000000Z").removesuffix("Z")


def findings(inspection: Inspection) -> Iterator[Any]:
    """Yield a table with a row a finding, and how many variables have none."""
    if inspection.findings:
        grid = _table()
        grid.add_column("finding", no_wrap=True)
        grid.add_column("times", justify="right", no_wrap=True)
        grid.add_column("message", overflow="fold")
        for variable, finding in inspection.findings:
            name = Text(variable.variable, no_wrap=True, overflow="ellipsis")
            style = "dim" if finding.note else ""
            grid.add_row(name, finding.kind, f"{finding.count:,}", Text(finding.message), style=style)
        yield grid
    if inspection.variables:
        sound = sum(all(finding.note for finding in variable.findings) for variable in inspection.variables)
        yield Text(f"{sound} of {len(inspection.variables)} variables have nothing odd about them", style="dim")


def _table() -> Table:
    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    grid.add_column("variable", max_width=_WIDEST_VARIABLE, overflow="ellipsis")
    return grid
