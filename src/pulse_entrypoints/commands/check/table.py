"""What `pulse check` found, as a person reads it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.commands.train.preflight import Check


def table(checks: Sequence[Check], mask: Masker) -> Table:
    """Return a table with a row a check."""
    shown = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    shown.add_column("check", no_wrap=True)
    shown.add_column("", no_wrap=True)
    shown.add_column("what was found", overflow="fold")
    for check in checks:
        sound = check.error is None
        shown.add_row(
            check.subject, Text("ok" if sound else "no", style="green" if sound else "bold red"), _told(check, mask)
        )
    return shown


def _told(check: Check, mask: Masker) -> Text:
    told = Text(f"{mask(check.context)}: " if check.context else "", style="dim")
    told.append(mask(check.found), style="not dim")
    if check.error is not None and check.error.hint:
        told.append(f". {mask(check.error.hint)}", style="not dim")
    return told
