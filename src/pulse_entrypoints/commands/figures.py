"""Numbers in the tables for people: skill with its interval, trust, and the origins it rests on."""

from __future__ import annotations

from typing import Final

from pulse_adapters.published.cautions import FEW_MARK, is_few

NOTHING: Final = "\N{EN DASH}"

_LARGEST: Final = 99.99
"""Skills beyond this size, 9999 %, are told to lie beyond it."""


def skill_text(skill: float | None, low: float | None, high: float | None) -> str:
    """Return a skill in per cent, with its interval where it has one."""
    if skill is None:
        return NOTHING
    interval = "" if low is None or high is None else f" ({_signed(low)} to {_signed(high)})"
    return f"{_signed(skill)}%{interval}"


def trust_text(probability: float | None, n_effective: float | None) -> str:
    """Return a probability in per cent, never as certain; marked where it rests on few origins."""
    if probability is None:
        return NOTHING
    text = ">99%" if probability > 0.995 else "<1%" if probability < 0.005 else f"{probability:.0%}"
    return f"{FEW_MARK if is_few(n_effective) else ''}{text}"


def origins_text(n_effective: float | None) -> str:
    """Return an effective number of origins."""
    return NOTHING if n_effective is None else f"{n_effective:.0f}"


def percent(share: float, digits: int = 1) -> str:
    """Return a share in per cent with its sign; what rounds to nothing has none."""
    text = f"{share:+.{digits}%}"
    return text if text.strip("+-0.%") else text[1:]


def points(share: float) -> str:
    """Return a share in points of a hundred with its sign; what rounds to nothing has none."""
    return percent(share, 2).removesuffix("%")


def _signed(share: float) -> str:
    if abs(share) > _LARGEST:
        return f"{'>+' if share > 0 else '<-'}{100 * _LARGEST:.0f}"
    text = f"{100 * share:+.{1 if abs(share) < 0.9995 else 0}f}"
    return text if text.strip("+-0.") else text[1:]
