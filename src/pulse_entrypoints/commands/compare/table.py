"""A comparison of two runs as tables for people: what differs between the runs, and the largest changes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from rich.text import Text

from pulse_adapters.published.terms import benchmark_text
from pulse_core.runs.comparing import Change
from pulse_entrypoints.commands.compare.command import Comparison
from pulse_entrypoints.commands.figures import NOTHING, percent, points

ROWS_SHOWN: Final = 30
_WIDEST_VARIABLE: Final = 20
_WIDEST_FORECASTER: Final = 16
_WIDEST_VALUE: Final = 48
_NAMES_SHOWN: Final = 5


def table(comparison: Comparison) -> Iterator[Any]:
    """Yield the title, the differences of the runs, the changes, and an explanation."""
    yield _title(comparison)
    differences = _differences(comparison)
    if differences.row_count:
        yield differences
    ranked = _ranked(comparison)
    if len(ranked):
        yield _changes(comparison, ranked[:ROWS_SHOWN].tolist())
    yield _explanation(comparison, len(ranked))
    if comparison.limit is not None and not comparison.losses().any():
        yield Text(f"No skill was lost beyond {comparison.limit:g}, at a certainty of {comparison.certainty:g}.")


def _title(comparison: Comparison) -> Text:
    title = Text(f"{comparison.before.run_id} and {comparison.after.run_id}", style="bold")
    if comparison.before.document.digest == comparison.after.document.digest:
        return title.append(": every score and trust is the same", style="not bold")
    if not comparison.compared and not comparison.same:
        return title.append(": they have nothing in common", style="not bold")
    message = (
        f": {len(_ranked(comparison))} of {comparison.compared} (variable, forecaster, horizon) differ in mean error"
    )
    variables = "1 more variable is" if comparison.same == 1 else f"{comparison.same} more variables are"
    same = f"; {variables} the same" if comparison.same else ""
    return title.append(message + same, style="not bold")


def _differences(comparison: Comparison) -> Table:
    """Return the differences of settings, software, data and variables."""
    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("differs", "before", "after"):
        grid.add_column(name, overflow="fold")
    for name, before, after in (*comparison.settings, *comparison.software):
        grid.add_row(Text(name), Text(_value(before)), Text(_value(after)))
    if comparison.data:
        grid.add_row("rows of the past", "", Text(_listed(comparison.data)))
    for title, names in zip(("only before", "only after"), comparison.only, strict=True):
        if names:
            grid.add_row(title, "", Text(_listed(names)))
    return grid


def _value(value: Any) -> str:
    if value is None:
        return NOTHING
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _WIDEST_VALUE else f"{text[: _WIDEST_VALUE - 1]}\N{HORIZONTAL ELLIPSIS}"


def _listed(names: Sequence[str]) -> str:
    hidden = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {hidden} more" if hidden > 0 else "")


def _ranked(comparison: Comparison) -> NDArray[np.int64]:
    """Return the indexes of what changed: losses beyond the limit first, then the surest."""
    if comparison.changes is None:
        return np.empty(0, dtype=np.int64)
    changed = np.flatnonzero(~comparison.changes.same)
    probability = np.nan_to_num(comparison.changes.probability[changed])
    return np.asarray(changed[np.lexsort((-probability, ~comparison.losses()[changed]))])


def _changes(comparison: Comparison, indexes: Sequence[int]) -> Table:
    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    grid.add_column("variable", max_width=_WIDEST_VARIABLE, overflow="ellipsis")
    grid.add_column("forecaster", max_width=_WIDEST_FORECASTER, no_wrap=True, overflow="ellipsis")
    for name in ("ahead", "skill", "change", "error", "sure"):
        grid.add_column(name, justify="right", no_wrap=True)
    changes, losses = comparison.changes or (), comparison.losses()
    for index in indexes:
        change = changes[index]
        # a cell that does not wrap in a column that may: it is this column that gives way
        label = Text(change.variable, no_wrap=True, overflow="ellipsis")
        style = _style(change, comparison.certainty, is_loss=bool(losses[index]))
        grid.add_row(label, Text(change.forecaster), str(change.horizon), *_cells(change), style=style)
    return grid


def _cells(change: Change) -> tuple[str, ...]:
    skill = NOTHING if change.skill_before is None else percent(change.skill_before)
    lost = NOTHING if change.lost is None else points(-change.lost)
    before, after = change.mae_before, change.mae_after
    error = NOTHING if not before or after is None else percent(after / before - 1, 2)
    return skill, lost, error, NOTHING if change.probability is None else _sure(change.probability)


def _sure(probability: float) -> str:
    """Return a probability that is 100% only where it is."""
    return f">{0.999:.1%}" if 0.999 < probability < 1 else f"{probability:.1%}"


def _style(change: Change, certainty: float, *, is_loss: bool) -> str:
    if is_loss:
        return "red"
    return "" if change.adjusted is not None and 1 - change.adjusted >= certainty else "dim"


def _explanation(comparison: Comparison, rows: int) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(style="dim", overflow="fold")
    paired = None if comparison.changes is None else comparison.changes.paired
    if rows:
        benchmark = benchmark_text(comparison.benchmarks.values(), comparison.before.spec.benchmark)
        grid.add_row("skill", Text(f"the share of {benchmark}'s error that it saved before"))
        grid.add_row("change", "of skill, in points of a hundred; error: of the mean absolute error")
        grid.add_row("sure", f"the chance that the error really differs that way (paired {paired}, Diebold-Mariano)")
    if rows > ROWS_SHOWN:
        grid.add_row("", f"{rows - ROWS_SHOWN} more changes: --format csv")
    if paired == "batches":
        grid.add_row("", "Trained with --hindcasts, both runs are paired origin by origin, which sees more.")
    return grid
