"""The table at the end of a run, which fits 80 columns, and the addresses of the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pulse_core.results import RunResult
from pulse_entrypoints.commands.train.best import BestForecaster, best_forecaster

ROWS_SHOWN: Final = 40
VARIABLES_SHOWN: Final = 30

_NOTHING: Final = "\N{EN DASH}"
_DISCOVERY: Final = "*"
_WIDEST_VARIABLE: Final = 24
_WIDEST_FORECASTER: Final = 20


def show(result: RunResult, addresses: Mapping[str, Sequence[str]], console: Console, note: str = "") -> None:
    """Print the result of a run, the `addresses` of further files by their names, and a note where there is one."""
    parts = (_title(result), _table(result), _explanation(result), _files(result, addresses), Text(note, style="dim"))
    for part in parts if note else parts[:-1]:
        console.print()
        console.print(part, highlight=False)


def _title(result: RunResult) -> Text:
    spec, units = result.spec, result.units
    title = Text(f"{_plural(len(result.variables), 'variable')}, {spec.start} to {spec.last_day}", style="bold")
    recalled = f"; {_plural(units.recalled, 'variable')} recalled" if units.recalled else ""
    seconds = ""
    if result.started_at and result.finished_at:
        seconds = f", {(result.finished_at - result.started_at).total_seconds():.1f} s"
    title.append(f" ({_plural(len(result.batches), 'batch', 'batches')}{seconds}{recalled})", style="not bold")
    return title


def _table(result: RunResult) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("variable", max_width=_WIDEST_VARIABLE, overflow="ellipsis")
    table.add_column("ahead", justify="right", no_wrap=True)
    table.add_column("best", max_width=_WIDEST_FORECASTER, no_wrap=True, overflow="ellipsis")
    table.add_column("skill", justify="right", no_wrap=True)
    table.add_column("trust", no_wrap=True)
    table.add_column("in 80%", justify="right", no_wrap=True)
    horizons, discoveries = _horizons_shown(result), result.discoveries()
    for summary in result.variables[:VARIABLES_SHOWN]:
        for horizon in horizons:
            best = best_forecaster(summary, horizon, result.spec.benchmark, discoveries)
            name = summary.variable if horizon == horizons[0] else ""
            cells = _cells(best) if best else (_NOTHING,) * 4
            # a cell that does not wrap in a column that may: it is this column that gives way on a narrow terminal
            table.add_row(Text(name, no_wrap=True, overflow="ellipsis"), str(horizon), *cells, style=_style(best))
    return table


def _cells(best: BestForecaster) -> tuple[str | Text, ...]:
    skill = _NOTHING if best.skill is None else f"{best.skill:+.1%}"
    trust = _NOTHING
    if best.trust is not None and best.low is not None and best.high is not None:
        mark = f" {_DISCOVERY}" if best.discovery else ""
        trust = f"{best.trust:4.0%} ({best.low:.0%} to {best.high:.0%}){mark}"
    coverage = _NOTHING if best.coverage is None else f"{best.coverage:.1%}"
    return Text(best.forecaster), skill, trust, coverage


def _style(best: BestForecaster | None) -> str:
    if best is None or best.low is None:
        return "dim"
    return "green" if best.discovery else ""


def _horizons_shown(result: RunResult) -> Sequence[int]:
    """Return the first and the last horizon where the table stays short, else the first."""
    rows = 2 * min(len(result.variables), VARIABLES_SHOWN)
    last = result.spec.horizon
    return (1, last) if last > 1 and rows <= ROWS_SHOWN else (1,)


def _explanation(result: RunResult) -> Table:
    benchmark = result.spec.benchmark
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(style="dim", overflow="fold")
    table.add_row("ahead", "steps ahead")
    table.add_row("best", "the forecaster of the least mean absolute error")
    table.add_row("skill", f"the share of {benchmark}'s error it saves")
    table.add_row("trust", f"the chance that it beats {benchmark}, with the 95% credible interval")
    table.add_row(_DISCOVERY, _discovery_text(result))
    table.add_row("in 80%", "how often the actual lay in its 80% interval")
    hidden = len(result.variables) - VARIABLES_SHOWN
    if hidden > 0:
        table.add_row("", f"{_plural(hidden, 'more variable')} in the result")
    return table


def _discovery_text(result: RunResult) -> str:
    """Return the meaning of the mark, and how many forecasts bear it."""
    count = sum(int(marks.sum()) for marks in result.discoveries().values())
    how = f"beats {result.spec.benchmark} beyond chance, all comparisons of the run counted"
    return f"{how} ({count or 'none'} {'does' if count == 1 else 'do'})"


def _files(result: RunResult, addresses: Mapping[str, Sequence[str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    rows = {"Result": result.published, **addresses, "Digest": (result.digest,)}
    for name, texts in rows.items():
        for number, text in enumerate(texts):
            table.add_row(name if number == 0 else "", Text(text))
    return table


def _plural(count: int, noun: str, plural: str = "") -> str:
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"
