"""Forecasts as tables for people, which fit 80 columns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from pulse_adapters.published.result_reader import PublishedRun
from pulse_core.levels import LEVELS
from pulse_core.results import TRUST
from pulse_core.runs.forecasting import Forecasts, VariableForecast
from pulse_entrypoints.commands.forecast.rows import moment

_NOTHING: Final = "\N{EN DASH}"
_WIDEST_NAME: Final = 22
_LOW, _HIGH = LEVELS.index(0.1), LEVELS.index(0.9)
_OF_TARGET: Final = {"level": "", "change": " of the change", "log-change": " of the change of the logarithm"}


def table(forecasts: Forecasts, names: Sequence[str], run: PublishedRun) -> Iterator[Any]:
    """Yield the title, a table (with several forecasters a table a variable), and an explanation."""
    yield _title(forecasts, names, run)
    if len(names) == 1:
        grid = _table("variable")
        for variable in forecasts.variables:
            _add(grid, variable.variable, variable, names[0])
        yield grid
    else:
        for variable in forecasts.variables:
            grid = _table("forecaster", variable.variable)
            for name in names:
                _add(grid, name, variable, name)
            yield grid
    yield _explanation(run)


def _title(forecasts: Forecasts, names: Sequence[str], run: PublishedRun) -> Text:
    by = f" by {names[0]}" if len(names) == 1 else ""
    title = Text(f"Forecasts{_OF_TARGET[run.spec.target]}{by}", style="bold")
    fresh = sum(variable.fresh for variable in forecasts.variables)
    arrived = f"{fresh} rows came after its end, {run.spec.last_day}" if fresh else "no rows came after its end"
    title.append(f" (run {run.run_id}; {arrived})", style="not bold")
    return title


def _table(first: str, title: str = "") -> Table:
    heading = Text(title, style="bold") if title else None
    grid = Table(title=heading, title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="bold")
    grid.add_column(first, max_width=_WIDEST_NAME, overflow="ellipsis")
    grid.add_column("ahead", justify="right", no_wrap=True)
    grid.add_column("for", no_wrap=True)
    grid.add_column("forecast", justify="right", no_wrap=True)
    grid.add_column("80% interval", justify="right", no_wrap=True)
    grid.add_column("trust", no_wrap=True)
    return grid


def _add(grid: Table, label: str, variable: VariableForecast, name: str) -> None:
    """Add a forecaster's rows: label, ahead, for, forecast, interval, trust."""
    row = variable.forecasters.index(name)
    low, high = variable.quantiles[_LOW, row], variable.quantiles[_HIGH, row]
    decimals = _decimals(float(variable.point[row, 0]), float(high[0] - low[0]))
    for ahead, point in enumerate(variable.point[row].tolist()):
        exists = math.isfinite(point)
        interval = exists and math.isfinite(high[ahead] - low[ahead])
        grid.add_row(
            # a cell that does not wrap in a column that may: it is this column that gives way
            Text("" if ahead else label, no_wrap=True, overflow="ellipsis"),
            str(ahead + 1),
            (moment(variable.targets[ahead]) or _NOTHING).removesuffix(".000000Z"),
            f"{point:,.{decimals}f}" if exists else _NOTHING,
            f"{low[ahead]:,.{decimals}f} to {high[ahead]:,.{decimals}f}" if interval else _NOTHING,
            _trust(variable, row, ahead) if exists else _NOTHING,
        )


def _trust(variable: VariableForecast, row: int, ahead: int) -> str:
    mean, low, high = (variable.trust[row, ahead, TRUST.index(name)] for name in ("mean", "low", "high"))
    return f"{mean:4.0%} ({low:.0%} to {high:.0%})" if math.isfinite(low) else _NOTHING


def _decimals(point: float, width: float) -> int:
    """Return the decimals that show a tenth of the interval's width, or else four digits of the point."""
    size = width / 10 if math.isfinite(width) and width > 0 else abs(point) / 1e3
    if not math.isfinite(size) or size <= 0:
        return 0
    return min(max(0, -math.floor(math.log10(size))), 9)


def _explanation(run: PublishedRun) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(style="dim", overflow="fold")
    grid.add_row("for", "the next dates of the variable's calendar; empty where its dates follow none")
    grid.add_row("trust", f"the chance that it beats {run.spec.benchmark}, with the 95% credible interval")
    return grid
