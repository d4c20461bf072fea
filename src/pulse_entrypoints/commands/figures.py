"""Numbers and words of the tables for people: skill with its interval, trust, and what they mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pulse_adapters.published.cautions import FEW_MARK, is_few
from pulse_core.scores.trust import FEW

NOTHING: Final = "\N{EN DASH}"
LOSSES: Final = {"absolute": "error", "crps": "CRPS"}
"""What the loss of a spec's `trust_loss` is called."""
VERDICT_TEXT: Final = "what is shown of its mean {loss} against {benchmark}'s: better, worse, or open"
"""What a verdict means."""
FEW_TEXT: Final = f"fewer than {FEW} origins: trust rests more on other series than on this"
"""What the mark of such a trust means."""

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


def benchmark_text(benchmarks: Iterable[str], default: str) -> str:
    """Return the benchmark's name where all variables have the same; `default` where there is no variable."""
    names = set(benchmarks)
    return names.pop() if len(names) == 1 else "its benchmark" if names else default


def span_text(spans: Iterable[int]) -> str:
    """Return the origins that trust looks ahead, from those of all variables."""
    ordered = sorted(set(spans))
    if len(ordered) > 1:
        return f"the next {ordered[0]} to {ordered[-1]} origins (a variable's year)"
    return f"the next {ordered[0]} origin{'' if ordered[0] == 1 else 's'}" if ordered else "the next year"


def _signed(share: float) -> str:
    if abs(share) > _LARGEST:
        return f"{'>+' if share > 0 else '<-'}{100 * _LARGEST:.0f}"
    text = f"{100 * share:+.{1 if abs(share) < 0.9995 else 0}f}"
    return text if text.strip("+-0.") else text[1:]
