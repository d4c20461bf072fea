"""Selection of the variables that the report of a large run shows in detail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pulse_adapters.report.views import Row

NOMINAL: Final = 0.8
"""The share of actuals that an 80 % interval should hold."""


def select_variables(
    run_id: str, rows: Sequence[Row], requested: Sequence[str], limit: int
) -> tuple[tuple[str, ...], str]:
    """Return the variables to show in detail, and how they were selected: in words, or empty where all are shown.

    Those that were requested; else all up to `limit`; else half by the strongest evidence, half by the worst
    calibration.
    """
    scored = [row for row in rows if row.horizon == 1 and row.best is not None]
    if requested:
        return tuple(dict.fromkeys(requested)), "Details are given of the variables that were asked for."
    if len(scored) <= limit:
        return tuple(row.variable for row in scored), ""
    convincing = sorted(scored, key=lambda row: (-(row.standing.log10_e or 0.0), row.variable))[: (limit + 1) // 2]
    selected = {row.variable for row in convincing}
    further = [row for row in scored if row.variable not in selected]
    miscalibrated = sorted(further, key=lambda row: (-_miscalibration(row), row.variable))[: limit - len(convincing)]
    words = (
        f"Details are given of {limit} of {len(scored):,} variables: the {len(convincing)} with the strongest "
        f"evidence, and the {len(miscalibrated)} whose 80% intervals are furthest from 80%. For others: "
        f"pulse report {run_id} --detail NAME"
    )
    return tuple(sorted(selected | {row.variable for row in miscalibrated})), words


def _miscalibration(row: Row) -> float:
    return 0.0 if row.coverage is None else abs(row.coverage - NOMINAL)
