"""Two sides in turn, so that whatever else the machine does disturbs both alike, by the clock and by CPU time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs
import psutil

Side = Callable[[Path], object]
"""A run of a side; its results go to a folder that is its own."""

CLOCK: Final = 0
CPU: Final = 1


@attrs.frozen
class Pairs:
    """The runs, in pairs: (bare, ours), each in seconds by the clock and of CPU."""

    times: list[tuple[tuple[float, float], tuple[float, float]]]

    @classmethod
    def of(cls, bare: Side, ours: Side, repeats: int, folder: Path) -> Pairs:
        """Run both so many times, the first of a pair in turn."""
        folder.mkdir()
        pairs = []
        for run in range(repeats):
            sides = [(bare, folder / f"bare-{run}"), (ours, folder / f"ours-{run}")]
            times = {side: spent(side, results) for side, results in (sides if run % 2 else reversed(sides))}
            pairs.append((times[bare], times[ours]))
        return cls(pairs)

    def least(self, measure: int = CLOCK) -> tuple[float, float]:
        """Return the least of each side, bare and ours."""
        return min(bare[measure] for bare, _ in self.times), min(ours[measure] for _, ours in self.times)

    def ratios(self, measure: int) -> list[float]:
        """Return ours over bare by pair, sorted."""
        return sorted(ours[measure] / bare[measure] for bare, ours in self.times)

    def differences(self) -> list[float]:
        """Return ours less bare by the clock, by pair."""
        return [ours[CLOCK] - bare[CLOCK] for bare, ours in self.times]

    def summary(self, measure: int) -> str:
        """Return the median ratio of the pairs, its spread, the least of each side, and their ratio."""
        ratios, (bare, ours) = self.ratios(measure), self.least(measure)
        spread = f"{statistics.median(ratios):.3f} x (pairs {ratios[0]:.3f} to {ratios[-1]:.3f})"
        return f"{spread}; least {bare:.2f} and {ours:.2f} s, {ours / bare:.3f} x"


def seconds(side: Side, results: Path) -> float:
    """Return what a run takes by the clock."""
    return spent(side, results)[CLOCK]


def spent(side: Side, results: Path) -> tuple[float, float]:
    """Return what a run takes by the clock, and of CPU in this process and all that it has started."""
    cpu, started = _cpu(), time.perf_counter()
    side(results)
    return time.perf_counter() - started, _cpu() - cpu


def _cpu() -> float:
    """Return the CPU time of this process and of all below it; who has ended counts with who waited for it."""
    own = psutil.Process()
    return sum(sum(process.cpu_times()[:4]) for process in (own, *own.children(recursive=True)))
