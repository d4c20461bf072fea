"""What a person sees at the end of a run: a table that fits 80 columns, and where everything is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pulse_core.results import RunResult
from pulse_entrypoints.findings import Finding, best_of

ROWS_SHOWN: Final = 40
VARIABLES_SHOWN: Final = 30

_NOTHING: Final = "\N{EN DASH}"
_WIDEST_VARIABLE: Final = 24
_WIDEST_FORECASTER: Final = 16


def show(result: RunResult, logs: Sequence[str], console: Console) -> None:
    """Print the result of a run; `logs` are the places of its logs."""
    colours = console.color_system is not None and not console.no_color
    parts = (_title(result), _table(result), _explanation(result, colours=colours), _places(result, logs))
    for part in parts:
        console.print()
        console.print(part, highlight=False)


def _title(result: RunResult) -> Text:
    spec, units = result.spec, result.units
    title = Text(f"{_plural(len(result.variables), 'variable')}, {spec.start} to {spec.last_day}", style="bold")
    recalled = f", {units.recalled} of them recalled" if units.recalled else ""
    seconds = ""
    if result.started_at and result.finished_at:
        seconds = f", {(result.finished_at - result.started_at).total_seconds():.1f} s"
    title.append(f" ({_plural(len(result.batches), 'batch', 'batches')}{recalled}{seconds})", style="not bold")
    return title


def _table(result: RunResult) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("variable", max_width=_WIDEST_VARIABLE, no_wrap=True, overflow="ellipsis")
    table.add_column("ahead", justify="right", no_wrap=True)
    table.add_column("best", max_width=_WIDEST_FORECASTER, no_wrap=True, overflow="ellipsis")
    table.add_column("MAE", justify="right", no_wrap=True)
    table.add_column("skill", justify="right", no_wrap=True)
    table.add_column("trust", no_wrap=True)
    horizons = _horizons_shown(result)
    for summary in result.variables[:VARIABLES_SHOWN]:
        for horizon in horizons:
            finding = best_of(summary, horizon, result.spec.benchmark)
            name = summary.variable if horizon == horizons[0] else ""
            cells = _cells(finding) if finding else (_NOTHING,) * 4
            table.add_row(Text(name), str(horizon), *cells, style=_style(finding))
    return table


def _cells(finding: Finding) -> tuple[str | Text, ...]:
    mae = _NOTHING if finding.mae is None else f"{finding.mae:#.4g}".rstrip(".")
    skill = _NOTHING if finding.skill is None else f"{finding.skill:+.1%}"
    trust = _NOTHING
    if finding.trust is not None and finding.low is not None and finding.high is not None:
        trust = f"{finding.trust:4.0%} ({finding.low:.0%} to {finding.high:.0%})"
    return Text(finding.forecaster), mae, skill, trust


def _style(finding: Finding | None) -> str:
    if finding is None or finding.low is None:
        return "dim"
    return "green" if finding.low > 0.5 else ""


def _horizons_shown(result: RunResult) -> Sequence[int]:
    """Return every horizon where the table stays short, else the first and the last, else the first."""
    variables, last = min(len(result.variables), VARIABLES_SHOWN), result.spec.horizon
    if variables * last <= ROWS_SHOWN:
        return range(1, last + 1)
    return (1, last) if variables * 2 <= ROWS_SHOWN else (1,)


def _explanation(result: RunResult, *, colours: bool) -> Text:
    benchmark = result.spec.benchmark
    hidden = len(result.variables) - VARIABLES_SHOWN
    sentences = [
        f"ahead: steps. best: least mean absolute error (MAE). skill: the share of {benchmark}'s error it saves.",
        f"trust: the chance that it beats {benchmark}, with the 95% credible interval.",
        "green: the whole interval is above 50%." if colours else "",
        f"{_plural(hidden, 'more variable')} in the result." if hidden > 0 else "",
    ]
    return Text(" ".join(sentence for sentence in sentences if sentence), style="dim")


def _places(result: RunResult, logs: Sequence[str]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    rows = {"Result": result.published, "Log": logs, "Digest": (result.digest,)}
    for name, places in rows.items():
        for number, place in enumerate(places):
            table.add_row(name if number == 0 else "", Text(place))
    return table


def _plural(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or f'{one}s'}"
