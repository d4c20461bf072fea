"""How units are named in errors."""

from __future__ import annotations

from pulse_core.plan import WorkUnit


def unit_context(unit: WorkUnit) -> str:
    """Name a unit by its number and its variables."""
    first, *further = unit.variables or ("nothing",)
    count = f" and {len(further)} more" if further else ""
    return f"unit {unit.index} ({first}{count})"
