"""Forecasts as tables for people, which fit 80 columns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from pulse_adapters.published.cautions import FEW_MARK, is_few
from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.published.terms import FEW_TEXT, LOSSES, VERDICT_TEXT, benchmark_text, span_text
from pulse_core.data.zones import UTC
from pulse_core.levels import LEVELS
from pulse_core.runs.forecasting import Forecasts, VariableForecast
from pulse_entrypoints.commands.figures import NOTHING, trust_text
from pulse_entrypoints.commands.forecast.rows import clock_text, rows_of, shown, verdict

_WIDEST_NAME: Final = 22
_LOW, _HIGH = LEVELS.index(0.1), LEVELS.index(0.9)
_OF_TARGET: Final = {"level": "", "change": " of the change", "log-change": " of the change of the logarithm"}


def table(forecasts: Forecasts, names: Sequence[str], run: PublishedRun) -> Iterator[Any]:
    """Yield the title, a table (with several forecasters a table a variable), and an explanation."""
    yield _title(forecasts, names, run)
    if len(names) == 1:
        grid = _table("variable")
        for variable in forecasts.variables:
            if names[0] in variable.forecasters:
                _add(grid, variable.variable, variable, names[0])
            else:
                grid.add_row(_label(variable.variable), *[NOTHING] * (len(grid.columns) - 1))
        yield grid
    else:
        for variable in forecasts.variables:
            grid = _table("forecaster", variable.variable)
            for row in rows_of(variable, names):
                _add(grid, variable.forecasters[row], variable, variable.forecasters[row])
            yield grid
    yield _explanation(forecasts, names, run)


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
    grid.add_column("trust", justify="right", no_wrap=True)
    grid.add_column("verdict", no_wrap=True)
    return grid


def _add(grid: Table, label: str, variable: VariableForecast, name: str) -> None:
    """Add a forecaster's rows: label, ahead, for, forecast, interval, trust, verdict."""
    row = variable.forecasters.index(name)
    low, high = variable.quantiles[_LOW, row], variable.quantiles[_HIGH, row]
    decimals = _decimals(float(variable.point[row, 0]), float(high[0] - low[0]))
    for ahead, point in enumerate(variable.point[row].tolist()):
        exists = math.isfinite(point)
        interval = exists and math.isfinite(high[ahead] - low[ahead])
        grid.add_row(
            _label("" if ahead else label),
            str(ahead + 1),
            clock_text(variable.targets[ahead], variable.zone) or NOTHING,
            f"{point:,.{decimals}f}" if exists else NOTHING,
            f"{low[ahead]:,.{decimals}f} to {high[ahead]:,.{decimals}f}" if interval else NOTHING,
            _trust(variable, row, ahead) if exists else NOTHING,
            (verdict(variable, row, ahead) or NOTHING) if exists else NOTHING,
        )


def _label(text: str) -> Text:
    """Return a cell that does not wrap in a column that may: it is this column that gives way."""
    return Text(text, no_wrap=True, overflow="ellipsis")


def _trust(variable: VariableForecast, row: int, ahead: int) -> str:
    return trust_text(*(shown(variable, name, row, ahead) for name in ("probability", "n_effective")))


def _decimals(point: float, width: float) -> int:
    """Return the decimals that show a tenth of the interval's width, or else four digits of the point."""
    size = width / 10 if math.isfinite(width) and width > 0 else abs(point) / 1e3
    if not math.isfinite(size) or size <= 0:
        return 0
    return min(max(0, -math.floor(math.log10(size))), 9)


def _explanation(forecasts: Forecasts, names: Sequence[str], run: PublishedRun) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(style="dim", overflow="fold")
    zoned = any(variable.zone != UTC for variable in forecasts.variables)
    dates = "the next dates of the variable's calendar" + (", in its time zone" if zoned else "")
    grid.add_row("for", f"{dates}; empty where its dates follow none")
    benchmark, span = _benchmark(forecasts, run), span_text(variable.span for variable in forecasts.variables)
    loss = LOSSES[run.spec.trust_loss]
    grid.add_row("trust", Text(f"the probability that over {span} its mean {loss} is lower than {benchmark}'s"))
    if any(is_few(origins) for origins in _effective(forecasts, names)):
        grid.add_row(FEW_MARK, FEW_TEXT)
    unusable = [name for name in names if any(name not in variable.forecasters for variable in forecasts.variables)]
    if unusable:
        grid.add_row("without", f"{', '.join(unusable)}: for some variables, which lack the seasons that it needs")
    grid.add_row("verdict", Text(VERDICT_TEXT.format(loss=loss, benchmark=benchmark)))
    return grid


def _benchmark(forecasts: Forecasts, run: PublishedRun) -> str:
    return benchmark_text((variable.benchmark for variable in forecasts.variables), run.spec.benchmark)


def _effective(forecasts: Forecasts, names: Sequence[str]) -> Iterator[float | None]:
    for variable in forecasts.variables:
        for row in rows_of(variable, names):
            for ahead in range(variable.point.shape[1]):
                yield shown(variable, "n_effective", row, ahead)
