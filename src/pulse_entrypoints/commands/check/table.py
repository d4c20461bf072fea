"""The checks of `pulse check` as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.commands.train.preflight import Check


def table(checks: Sequence[Check], mask: Masker) -> Table:
    """Return a table with a row a check."""
    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    grid.add_column("check", no_wrap=True)
    grid.add_column("", no_wrap=True)
    grid.add_column("message", overflow="fold")
    for check in checks:
        passed = check.error is None
        grid.add_row(
            check.subject,
            Text("ok" if passed else "no", style="green" if passed else "bold red"),
            _message(check, mask),
        )
    return grid


def _message(check: Check, mask: Masker) -> Text:
    text = Text(f"{mask(check.context)}: " if check.context else "", style="dim")
    text.append(mask(check.message), style="not dim")
    if check.error is not None and check.error.hint:
        text.append(f". {mask(check.error.hint)}", style="not dim")
    return text
