"""Forecasts as a person reads them: a table that fits 80 columns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from pulse_adapters.published.result_reader import PublishedRun
from pulse_core.backtest.calibration import LEVELS
from pulse_core.results import TRUST
from pulse_core.runs.forecasting import Forecasts, VariableForecast
from pulse_entrypoints.commands.forecast.rows import moment

_NOTHING: Final = "\N{EN DASH}"
_WIDEST_NAME: Final = 22
_LOW, _HIGH = LEVELS.index(0.1), LEVELS.index(0.9)
_OF_TARGET: Final = {"level": "", "change": " of the change", "log-change": " of the change of the logarithm"}


def table(made: Forecasts, names: Sequence[str], run: PublishedRun) -> Iterator[Any]:
    """Yield what is shown: title, one table (of several forecasters one a variable), explanation."""
    yield _title(made, names, run)
    if len(names) == 1:
        shown = _table("variable")
        for one in made.variables:
            _add(shown, one.variable, one, names[0])
        yield shown
    else:
        for one in made.variables:
            shown = _table("forecaster", one.variable)
            for name in names:
                _add(shown, name, one, name)
            yield shown
    yield _explanation(run)


def _title(made: Forecasts, names: Sequence[str], run: PublishedRun) -> Text:
    by = f" by {names[0]}" if len(names) == 1 else ""
    title = Text(f"Forecasts{_OF_TARGET[run.spec.target]}{by}", style="bold")
    fresh = sum(one.fresh for one in made.variables)
    came = f"{fresh} rows came after its end, {run.spec.last_day}" if fresh else "no rows came after its end"
    title.append(f" (run {run.run_id}; {came})", style="not bold")
    return title


def _table(first: str, title: str = "") -> Table:
    heading = Text(title, style="bold") if title else None
    shown = Table(title=heading, title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="bold")
    shown.add_column(first, max_width=_WIDEST_NAME, overflow="ellipsis")
    shown.add_column("ahead", justify="right", no_wrap=True)
    shown.add_column("for", no_wrap=True)
    shown.add_column("forecast", justify="right", no_wrap=True)
    shown.add_column("80% interval", justify="right", no_wrap=True)
    shown.add_column("trust", no_wrap=True)
    return shown


def _add(shown: Table, label: str, one: VariableForecast, name: str) -> None:
    """Add a forecaster's rows: label, ahead, for, forecast, interval, trust."""
    place = one.forecasters.index(name)
    low, high = one.quantiles[_LOW, place], one.quantiles[_HIGH, place]
    decimals = _decimals(float(one.point[place, 0]), float(high[0] - low[0]))
    for ahead, point in enumerate(one.point[place].tolist()):
        there = math.isfinite(point)
        interval = there and math.isfinite(high[ahead] - low[ahead])
        shown.add_row(
            # a cell that does not wrap in a column that may: it is this column that gives way
            Text("" if ahead else label, no_wrap=True, overflow="ellipsis"),
            str(ahead + 1),
            (moment(one.targets[ahead]) or _NOTHING).removesuffix(".000000Z"),
            f"{point:,.{decimals}f}" if there else _NOTHING,
            f"{low[ahead]:,.{decimals}f} to {high[ahead]:,.{decimals}f}" if interval else _NOTHING,
            _trust(one, place, ahead) if there else _NOTHING,
        )


def _trust(one: VariableForecast, place: int, ahead: int) -> str:
    mean, low, high = (one.trust[place, ahead, TRUST.index(name)] for name in ("mean", "low", "high"))
    return f"{mean:4.0%} ({low:.0%} to {high:.0%})" if math.isfinite(low) else _NOTHING


def _decimals(point: float, width: float) -> int:
    """Return the decimals that show a tenth of the interval's width, or four digits of the point without one."""
    size = width / 10 if math.isfinite(width) and width > 0 else abs(point) / 1e3
    if not math.isfinite(size) or size <= 0:
        return 0
    return min(max(0, -math.floor(math.log10(size))), 9)


def _explanation(run: PublishedRun) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(style="dim", overflow="fold")
    grid.add_row("for", "the date to come by the variable's calendar, where it keeps to one")
    grid.add_row("trust", f"the chance that it beats {run.spec.benchmark}, with the 95% credible interval")
    return grid
