"""What a person sees at the end of a run: a table that fits 80 columns, and where everything is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pulse_core.results import RunResult
from pulse_entrypoints.commands.train.findings import Finding, best_of

ROWS_SHOWN: Final = 40
VARIABLES_SHOWN: Final = 30

_NOTHING: Final = "\N{EN DASH}"
_DISCOVERY: Final = "*"
_WIDEST_VARIABLE: Final = 24
_WIDEST_FORECASTER: Final = 20


def show(result: RunResult, places: Mapping[str, Sequence[str]], console: Console, slow: str = "") -> None:
    """Print the result of a run and the `places` of what else there is; `slow` says what took long, if anything."""
    parts = (_title(result), _table(result), _explanation(result), _places(result, places), Text(slow, style="dim"))
    for part in parts if slow else parts[:-1]:
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
            finding = best_of(summary, horizon, result.spec.benchmark, discoveries)
            name = summary.variable if horizon == horizons[0] else ""
            cells = _cells(finding) if finding else (_NOTHING,) * 4
            # a cell that does not wrap in a column that may: it is this column that gives way on a narrow terminal
            table.add_row(Text(name, no_wrap=True, overflow="ellipsis"), str(horizon), *cells, style=_style(finding))
    return table


def _cells(finding: Finding) -> tuple[str | Text, ...]:
    skill = _NOTHING if finding.skill is None else f"{finding.skill:+.1%}"
    trust = _NOTHING
    if finding.trust is not None and finding.low is not None and finding.high is not None:
        mark = f" {_DISCOVERY}" if finding.discovery else ""
        trust = f"{finding.trust:4.0%} ({finding.low:.0%} to {finding.high:.0%}){mark}"
    coverage = _NOTHING if finding.coverage is None else f"{finding.coverage:.1%}"
    return Text(finding.forecaster), skill, trust, coverage


def _style(finding: Finding | None) -> str:
    if finding is None or finding.low is None:
        return "dim"
    return "green" if finding.discovery else ""


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
    table.add_row(_DISCOVERY, _on_discoveries(result))
    table.add_row("in 80%", "how often what came lay in its 80% interval")
    hidden = len(result.variables) - VARIABLES_SHOWN
    if hidden > 0:
        table.add_row("", f"{_plural(hidden, 'more variable')} in the result")
    return table


def _on_discoveries(result: RunResult) -> str:
    """Say what the mark means, and how many of the run's forecasts have earned it."""
    count = sum(int(found.sum()) for found in result.discoveries().values())
    how = f"beats {result.spec.benchmark} beyond chance, all comparisons of the run counted"
    return f"{how} ({count or 'none'} {'does' if count == 1 else 'do'})"


def _places(result: RunResult, others: Mapping[str, Sequence[str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    rows = {"Result": result.published, **others, "Digest": (result.digest,)}
    for name, places in rows.items():
        for number, place in enumerate(places):
            table.add_row(name if number == 0 else "", Text(place))
    return table


def _plural(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or f'{one}s'}"
