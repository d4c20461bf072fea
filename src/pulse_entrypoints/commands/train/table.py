"""The table at the end of a run, which fits 80 columns, and the addresses of the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pulse_adapters.published.cautions import FEW_MARK, is_few
from pulse_adapters.published.terms import FEW_TEXT, LOSSES, VERDICT_TEXT, benchmark_text, span_text
from pulse_core.results import RunResult
from pulse_core.scores.verdict import BETTER, VERDICTS, WORSE
from pulse_entrypoints.cli.plain_console import Plain
from pulse_entrypoints.commands.figures import NOTHING, origins_text, skill_text, trust_text
from pulse_entrypoints.commands.train.best import BestForecaster, best_forecaster
from pulse_entrypoints.commands.train.cautions import cautions

ROWS_SHOWN: Final = 40
VARIABLES_SHOWN: Final = 30

_DISCOVERY: Final = "*"
_AT_ONE_TIME: Final = "\N{DAGGER}"
_WIDEST_VARIABLE: Final = 24
_WIDEST_FORECASTER: Final = 20
_STYLES: Final = {None: "dim", VERDICTS[BETTER]: "green", VERDICTS[WORSE]: "red"}


def show(result: RunResult, addresses: Mapping[str, Sequence[str]], console: Console, note: str = "") -> None:
    """Print the result of a run, the `addresses` of further files by their names, and a note where there is one."""
    rows = _best(result)
    notes = Text(note, style="dim")
    parts = [
        _title(result),
        _table(rows),
        _explanation(result, rows),
        *(Text(text, style="yellow") for text in cautions(result)),
        _files(result, addresses),
        notes,
    ]
    for part in parts if note else parts[:-1]:
        console.print()
        console.print(Plain(part), highlight=False)


def _best(result: RunResult) -> list[tuple[str, int, BestForecaster | None]]:
    """Return the rows of the table: the variable, named once, the horizon, and the best forecaster."""
    horizons, discoveries = _horizons_shown(result), result.discoveries()
    return [
        (
            summary.variable if horizon == horizons[0] else "",
            horizon,
            best_forecaster(summary, horizon, result.spec, discoveries),
        )
        for summary in result.variables[:VARIABLES_SHOWN]
        for horizon in horizons
    ]


def _title(result: RunResult) -> Text:
    spec, units = result.spec, result.units
    title = Text(f"{_plural(len(result.variables), 'variable')}, {spec.start} to {spec.last_day}", style="bold")
    recalled = f"; {_plural(units.recalled, 'variable')} recalled" if units.recalled else ""
    seconds = ""
    if result.started_at and result.finished_at:
        seconds = f", {(result.finished_at - result.started_at).total_seconds():.1f} s"
    title.append(f" ({_plural(len(result.batches), 'batch', 'batches')}{seconds}{recalled})", style="not bold")
    return title


def _table(rows: Sequence[tuple[str, int, BestForecaster | None]]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("variable", max_width=_WIDEST_VARIABLE, overflow="ellipsis")
    table.add_column("ahead", justify="right", no_wrap=True)
    table.add_column("best", max_width=_WIDEST_FORECASTER, overflow="ellipsis")
    table.add_column("skill", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for name in ("trust", "n", "in 80%"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, horizon, best in rows:
        cells = _cells(best) if best else (NOTHING,) * 6
        table.add_row(_yielding(name), str(horizon), *cells, style=_STYLES.get(best.verdict if best else None, ""))
    return table


def _cells(best: BestForecaster) -> tuple[str | Text, ...]:
    return (
        _yielding(best.forecaster),
        skill_text(best.skill, best.low, best.high),
        f"{best.verdict or NOTHING}{_DISCOVERY if best.discovery else ''}{_AT_ONE_TIME if best.at_one_time else ''}",
        trust_text(best.trust, best.n_effective),
        origins_text(best.n_effective),
        NOTHING if best.coverage is None else f"{best.coverage:.1%}",
    )


def _yielding(name: str) -> Text:
    """Return a cell that does not wrap in a column that may: it is these columns that give way on a narrow terminal."""
    return Text(name, no_wrap=True, overflow="ellipsis")


def _horizons_shown(result: RunResult) -> Sequence[int]:
    """Return the first and the last horizon where the table stays short, else the first."""
    rows = 2 * min(len(result.variables), VARIABLES_SHOWN)
    last = result.spec.horizon
    return (1, last) if last > 1 and rows <= ROWS_SHOWN else (1,)


def _explanation(result: RunResult, rows: Sequence[tuple[str, int, BestForecaster | None]]) -> Table:
    benchmark = benchmark_text((summary.benchmark for summary in result.variables), result.spec.benchmark)
    span, loss = span_text(summary.span for summary in result.variables), LOSSES[result.spec.trust_loss]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(style="dim", overflow="fold")
    table.add_row("ahead", "steps ahead")
    table.add_row("best", "the forecaster of the least mean absolute error")
    table.add_row("skill", Text(f"the share of {benchmark}'s {loss} it saves, with the 95% interval over batches"))
    table.add_row("verdict", Text(VERDICT_TEXT.format(loss=loss, benchmark=benchmark)))
    table.add_row(_DISCOVERY, _discovery_text(result))
    if any(best is not None and best.at_one_time for *_, best in rows):
        table.add_row(_AT_ONE_TIME, "shown at this one time; who looks every day sees as much by chance more often")
    table.add_row("trust", Text(f"the probability that over {span} its mean {loss} is lower than {benchmark}'s"))
    table.add_row("n", "so many independent origins would say as much as those trust rests on")
    if any(best is not None and is_few(best.n_effective) for *_, best in rows):
        table.add_row(FEW_MARK, FEW_TEXT)
    table.add_row("in 80%", "how often the actual lay in its 80% interval")
    hidden = len(result.variables) - VARIABLES_SHOWN
    if hidden > 0:
        table.add_row("", f"{_plural(hidden, 'more variable')} in the result")
    return table


def _discovery_text(result: RunResult) -> str:
    """Return the meaning of the mark, and how many forecasts bear it."""
    count = sum(int(marks.sum()) for marks in result.discoveries().values())
    return (
        f"better beyond chance, all comparisons of the run counted ({count or 'none'} {'is' if count == 1 else 'are'})"
    )


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
