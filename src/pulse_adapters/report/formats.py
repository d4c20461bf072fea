"""Formats of numbers, shares, days and lists in text."""

from __future__ import annotations

import math
from datetime import date, datetime

import numpy as np

NONE = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def amount(value: float | None) -> str:
    """Return a number of the data to four significant digits."""
    if value is None or not math.isfinite(value):
        return NONE
    size = abs(value)
    if size and not 1e-4 <= size < 1e7:
        text = f"{value:.3e}"
    elif size >= 1000:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.4g}"
    return text.replace("-", MINUS)


def share(value: float | None, places: int = 0) -> str:
    """Return a share in per cent."""
    return NONE if value is None or not math.isfinite(value) else f"{value:.{places}%}".replace("-", MINUS)


def chance(value: float | None) -> str:
    """Return a probability in per cent, never as certain."""
    if value is None or not math.isfinite(value):
        return NONE
    return ">99%" if value > 0.995 else "<1%" if value < 0.005 else f"{value:.0%}"


def chance_words(value: float | None) -> str:
    """Return a probability in per cent as a sentence has it."""
    return chance(value).replace(">", "more than ").replace("<", "less than ")


def signed(value: float | None, places: int = 1) -> str:
    """Return a signed share in per cent; what rounds to nothing has no sign."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{value:+.{places}%}"
    return (text[1:] if not text.strip("+-0.%") else text).replace("-", MINUS)


def evidence(log10_e: float | None) -> str:
    """Return an e-value as odds: `1,200` or a power of ten."""
    if log10_e is None or not math.isfinite(log10_e):
        return NONE
    if log10_e >= 4:
        return "10" + f"{log10_e:.0f}".translate(_RAISED)
    value = 10.0**log10_e
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}" if value >= 0.01 else "below 0.01"


def day(moment: np.datetime64 | date | datetime) -> str:
    """Return a day as ISO 8601."""
    if isinstance(moment, np.datetime64):
        return str(moment.astype("datetime64[D]"))
    return moment.isoformat()[:10]


def counted(count: int, singular: str, plural: str = "") -> str:
    """Return a count with its noun."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Return names as a list in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
