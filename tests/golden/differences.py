"""What differs between two recordings of a golden run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

Document = dict[str, Any]

SPECIAL_PIECES: Final = (
    *("scores.dm_p", "trust.probability", "trust.log10_e_wins", "trust.skill_low", "trust.skill_high", "reliability"),
    *("trust.win_rate", "trust.win_rate_low", "trust.win_rate_high"),
)
"""Pieces made of special functions, or of sums that numpy takes: their numbers are kept and compared to some digits."""

SPECIAL_DISTANCE: Final = 1e-12

NOT_OF_POINTS: Final = re.compile(
    r"scores\.(crps|skill_crps|mean_quantile_loss|pinball_.*|coverage_.*|width_.*|interval_score|msis)"
    r"|hindcasts\.q.*"
    r"|trust\..*|log10_e|record\.(sums|sums\.quantiles|wins|losses)"
)
"""Pieces that follow from quantiles or trust: they may be recorded anew, those of point forecasts may not."""


def differences(before: Document, now: Document, *, of_points: bool = False) -> list[str]:
    """What differs between two digests of a run, a line for each variable or fact of the run.

    With `of_points` only in what follows from point forecasts, and what there was not before is no difference.
    """
    lines = []
    if before["failures"] != now["failures"]:
        lines.append(f"failures: {before['failures']} became {now['failures']}")
    for variable in before["variables"].keys() | now["variables"].keys():
        earlier, later = before["variables"].get(variable), now["variables"].get(variable)
        if earlier is None or later is None:
            lines.append(f"{variable}: {'is new' if earlier is None else 'is missing'}")
        elif earlier["forecasters"] != later["forecasters"]:
            lines.append(f"{variable}: forecasters are {later['forecasters']}, not {earlier['forecasters']}")
        elif pieces := [
            line for name, line in _moved_pieces(earlier, later) if not of_points or _is_of_points(name, earlier)
        ]:
            lines.append(f"{variable}: {', '.join(pieces)}")
    return sorted(lines)


def _is_of_points(name: str, before: Document) -> bool:
    return name in before["hashes"] and not NOT_OF_POINTS.fullmatch(name)


def _moved_pieces(before: Document, now: Document) -> Iterator[tuple[str, str]]:
    """Yield the names of pieces that differ, and how they do."""
    for name in [*before["hashes"], *(name for name in now["hashes"] if name not in before["hashes"])]:
        has_values = name in before["values"] and name in now["values"]
        is_near = name in SPECIAL_PIECES and has_values and near(before["values"][name], now["values"][name])
        if before["hashes"].get(name) != now["hashes"].get(name) and not is_near:
            yield name, f"{name} ({distance(before['values'][name], now['values'][name])})" if has_values else name


def near(before: list[float | None], now: list[float | None]) -> bool:
    """Whether the numbers of a piece of special functions are as far apart as these may be."""
    earlier, later = (np.array(values, dtype=np.float64) for values in (before, now))
    return earlier.shape == later.shape and np.allclose(
        later, earlier, rtol=SPECIAL_DISTANCE, atol=SPECIAL_DISTANCE, equal_nan=True
    )


def distance(before: list[float | None], now: list[float | None]) -> str:
    """How far apart the numbers of a piece are."""
    earlier, later = (np.array(values, dtype=np.float64) for values in (before, now))
    if earlier.shape != later.shape or (np.isnan(earlier) != np.isnan(later)).any():
        return "other numbers are missing"
    gap = np.nan_to_num(np.abs(later - earlier))
    size = np.nan_to_num(np.maximum(np.abs(earlier), np.abs(later)))
    return f"by up to {gap.max():.1e}, {(gap[size > 0] / size[size > 0]).max(initial=0.0):.1e} of its size"
