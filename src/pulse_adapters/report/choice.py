"""Which variables of a large run are told in detail, and how they were chosen."""

from __future__ import annotations

from collections.abc import Sequence

from pulse_adapters.report.views import Row

RIGHT = 0.8
"""What an 80 % interval should hold."""


def chosen(run_id: str, rows: Sequence[Row], asked: Sequence[str], limit: int) -> tuple[tuple[str, ...], str]:
    """Return the variables to tell in detail, and how they were chosen: in words, nothing where all are told.

    Those asked for; else all up to `limit`; else half by the strongest evidence, half by the worst calibration.
    """
    first = [row for row in rows if row.horizon == 1 and row.best is not None]
    if asked:
        return tuple(dict.fromkeys(asked)), "Details are given of the variables that were asked for."
    if len(first) <= limit:
        return tuple(row.variable for row in first), ""
    strong = sorted(first, key=lambda row: (-(row.log10_e or 0.0), row.variable))[: (limit + 1) // 2]
    taken = {row.variable for row in strong}
    rest = [row for row in first if row.variable not in taken]
    off = sorted(rest, key=lambda row: (-_distance(row), row.variable))[: limit - len(strong)]
    how = (
        f"Details are given of {limit} of {len(first):,} variables: the {len(strong)} with the strongest evidence, and "
        f"the {len(off)} whose 80% intervals are furthest from 80%. For others: pulse report {run_id} --detail NAME"
    )
    return tuple(sorted(taken | {row.variable for row in off})), how


def _distance(row: Row) -> float:
    return 0.0 if row.coverage is None else abs(row.coverage - RIGHT)
