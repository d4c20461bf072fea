"""Quantile levels: those that every forecaster is quoted at, and the intervals between them."""

from __future__ import annotations

from typing import Final

LEVELS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
"""The levels of the quantiles."""

INTERVALS: Final = (50, 80, 90, 95)
"""The central intervals that are scored, in per cent."""

NORMAL_QUANTILES: Final = (
    -1.9599639845400545,
    -1.6448536269514729,
    -1.2815515655446004,
    -0.6744897501960817,
    0.0,
    0.6744897501960817,
    1.2815515655446004,
    1.6448536269514722,
    1.9599639845400545,
)
"""The standard normal's quantiles at LEVELS; written out, because their computation depends on the CPU type."""
