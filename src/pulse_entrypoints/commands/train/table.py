"""The table at the end of a run, at the width that there is, the addresses of the results, and the next command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.measure import Measurement
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

NEXT: Final = "Next"
"""The name of the next command among the addresses: it comes last."""

_UNBOUNDED: Final = 10_000
_DISCOVERY: Final = "*"
_AT_ONE_TIME: Final = "\N{DAGGER}"
IN_A_PIPE: Final = 160
"""The width where there is no terminal that has one."""
_STYLES: Final = {None: "dim", VERDICTS[BETTER]: "green", VERDICTS[WORSE]: "red"}


def show(result: RunResult, addresses: Mapping[str, Sequence[str]], console: Console, note: str = "") -> None:
    """Print the result of a run, the `addresses` of further files by their names, and a note where there is one."""
    rows = _best(result)
    parts = [
        _title(result),
        _fitting_table(rows, console),
        _explanation(result, rows),
        *(Text(text, style="yellow") for text in cautions(result)),
        *([Text(note, style="dim")] if note else []),
        _files(result, addresses),
    ]
    for part in parts:
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


def _fitting_table(rows: Sequence[tuple[str, int, BestForecaster | None]], console: Console) -> Table:
    """Return the table; where the terminal is too narrow without the intervals of skill, and names over lines."""
    table = _table(rows, with_intervals=True)
    is_wide = Measurement.get(console, console.options.update(max_width=_UNBOUNDED), table).maximum <= console.width
    return table if is_wide else _table(rows, with_intervals=False)


def _table(rows: Sequence[tuple[str, int, BestForecaster | None]], *, with_intervals: bool) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("variable", overflow="fold")
    table.add_column("ahead", justify="right", no_wrap=True)
    table.add_column("best", overflow="fold")
    table.add_column("skill", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for name in ("trust", "n", "in 80%"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, horizon, best in rows:
        cells = _cells(best, with_intervals=with_intervals) if best else (NOTHING,) * 6
        table.add_row(Text(name), str(horizon), *cells, style=_STYLES.get(best.verdict if best else None, ""))
    return table


def _cells(best: BestForecaster, *, with_intervals: bool) -> tuple[str | Text, ...]:
    interval = (best.low, best.high) if with_intervals else (None, None)
    return (
        Text(best.forecaster),
        skill_text(best.skill, *interval),
        f"{best.verdict or NOTHING}{_DISCOVERY if best.discovery else ''}{_AT_ONE_TIME if best.at_one_time else ''}",
        trust_text(best.trust, best.n_effective),
        origins_text(best.n_effective),
        NOTHING if best.coverage is None else f"{best.coverage:.1%}",
    )


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
    following = {name: texts for name, texts in addresses.items() if name == NEXT}
    others = {name: texts for name, texts in addresses.items() if name != NEXT}
    rows = {"Result": result.published, **others, "Digest": (result.digest,), **following}
    for name, texts in rows.items():
        for number, text in enumerate(texts):
            table.add_row(name if number == 0 else "", Text(text))
    return table


def _plural(count: int, noun: str, plural: str = "") -> str:
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"
