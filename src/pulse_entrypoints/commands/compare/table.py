"""A comparison as a person reads it: what was given to the runs, and the changes that matter most."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from pulse_core.runs.comparing import Change
from pulse_entrypoints.commands.compare.command import Comparison

ROWS_SHOWN: Final = 30
_NOTHING: Final = "\N{EN DASH}"
_WIDEST_VARIABLE: Final = 20
_WIDEST_FORECASTER: Final = 16
_WIDEST_VALUE: Final = 48
_NAMES_SHOWN: Final = 5


def table(found: Comparison) -> Iterator[Any]:
    """Yield what is shown: title, what differs, the table, its explanation."""
    yield _title(found)
    given = _given(found)
    if given.row_count:
        yield given
    rows = _ranked(found)
    if rows:
        yield _changes(found, rows[:ROWS_SHOWN])
    yield _explanation(found, len(rows))


def _title(found: Comparison) -> Text:
    title = Text(f"{found.before.run_id} and {found.after.run_id}", style="bold")
    if found.before.document.digest == found.after.document.digest:
        return title.append(": every score and trust is the same", style="not bold")
    changed = sum(not one.same for one in found.changes)
    message = f": {changed} of {len(found.changes)} (variable, forecaster, horizon) differ"
    return title.append(message if found.changes else ": they have nothing in common", style="not bold")


def _given(found: Comparison) -> Table:
    """Show what was given to the runs and differs."""
    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("differs", "before", "after"):
        grid.add_column(name, overflow="fold")
    for name, before, after in (*found.settings, *found.software):
        grid.add_row(Text(name), Text(_value(before)), Text(_value(after)))
    if found.data:
        grid.add_row("rows of the past", "", Text(_listed(found.data)))
    for title, names in zip(("only before", "only after"), found.only, strict=True):
        if names:
            grid.add_row(title, "", Text(_listed(names)))
    return grid


def _value(value: Any) -> str:
    if value is None:
        return _NOTHING
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _WIDEST_VALUE else f"{text[: _WIDEST_VALUE - 1]}\N{HORIZONTAL ELLIPSIS}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _ranked(found: Comparison) -> list[Change]:
    """Return what changed: losses beyond the limit first, then the surest."""
    changed = [one for one in found.changes if not one.same]
    return sorted(changed, key=lambda one: (not found.is_loss(one), -(one.probability or 0.0)))


def _changes(found: Comparison, rows: Sequence[Change]) -> Table:
    shown = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    shown.add_column("variable", max_width=_WIDEST_VARIABLE, overflow="ellipsis")
    shown.add_column("forecaster", max_width=_WIDEST_FORECASTER, no_wrap=True, overflow="ellipsis")
    for name in ("ahead", "skill", "change", "error", "sure"):
        shown.add_column(name, justify="right", no_wrap=True)
    for one in rows:
        # a cell that does not wrap in a column that may: it is this column that gives way
        label = Text(one.variable, no_wrap=True, overflow="ellipsis")
        shown.add_row(label, Text(one.forecaster), str(one.horizon), *_cells(one), style=_style(found, one))
    return shown


def _cells(one: Change) -> tuple[str, ...]:
    skill = _NOTHING if one.skill_before is None else f"{one.skill_before:+.1%}"
    change = _NOTHING if one.lost is None else f"{-100 * one.lost:+.2f}"
    error = _NOTHING if one.mae_before <= 0 else f"{one.mae_after / one.mae_before - 1:+.2%}"
    return skill, change, error, _NOTHING if one.probability is None else _sure(one.probability)


def _sure(probability: float) -> str:
    """Return a probability that is 100% only where it is."""
    return f">{0.999:.1%}" if 0.999 < probability < 1 else f"{probability:.1%}"


def _style(found: Comparison, one: Change) -> str:
    if found.is_loss(one):
        return "red"
    return "" if one.adjusted is not None and 1 - one.adjusted >= found.certainty else "dim"


def _explanation(found: Comparison, rows: int) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(style="dim", overflow="fold")
    if rows:
        pairs = "origins" if found.changes[0].paired == "origins" else "batches"
        grid.add_row("skill", f"the share of {found.before.spec.benchmark}'s error that it saved before")
        grid.add_row("change", "of skill, in points of a hundred; error: of the mean absolute error")
        grid.add_row("sure", f"the chance that the error really differs that way (paired {pairs}, Diebold-Mariano)")
    if rows > ROWS_SHOWN:
        grid.add_row("", f"{rows - ROWS_SHOWN} more changes: --format csv")
    if found.changes and found.changes[0].paired == "batches":
        grid.add_row("", "Trained with --hindcasts, both runs are paired origin by origin, which sees more.")
    return grid
