"""What the terms of a result mean, in the words that terminal and report share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from pulse_adapters.published.document import Season
from pulse_core.scores.trust import FEW

LOSSES: Final = {"absolute": "error", "crps": "CRPS"}
"""What the loss of a spec's `trust_loss` is called."""
VERDICT_TEXT: Final = "what is shown of its mean {loss} against {benchmark}'s: better, worse, or open"
"""What a verdict means."""
FEW_TEXT: Final = f"fewer than {FEW} origins: what other series taught still weighs much in trust"
"""What the mark of such a trust means."""


def benchmark_text(benchmarks: Iterable[str], default: str) -> str:
    """Return the benchmark's name where all variables have the same; `default` where there is no variable."""
    names = set(benchmarks)
    return names.pop() if len(names) == 1 else "its benchmark" if names else default


def periods_text(periods: Sequence[int]) -> str:
    """Return a variable's seasons in words: '48 and 336', or 'none'."""
    return " and ".join(map(str, periods)) or "none"


def season_text(season: Season) -> str:
    """Return a variable's seasons, and why it has these."""
    return f"season: {periods_text(season.periods)} ({season.reason})"


def seasons_text(seasons: Iterable[Sequence[int]]) -> str:
    """Return the seasons of a run's variables, with how many have each where they differ."""
    counts = Counter(map(periods_text, seasons))
    if len(counts) <= 1:
        return next(iter(counts), "none")
    return ", ".join(f"{name} ({count:,})" for name, count in counts.most_common())


def span_text(spans: Iterable[int]) -> str:
    """Return the origins that trust looks ahead, from those of all variables."""
    ordered = sorted(set(spans))
    if len(ordered) > 1:
        return f"the next {ordered[0]} to {ordered[-1]} origins (a variable's year)"
    return f"the next {ordered[0]} origin{'' if ordered[0] == 1 else 's'}" if ordered else "the next year"
