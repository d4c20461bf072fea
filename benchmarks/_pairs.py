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
"""One go of a side; its results go to a folder that is its own."""

CLOCK: Final = 0
CPU: Final = 1


@attrs.frozen
class Pairs:
    """The goes, a pair each: (bare, ours), each in seconds by the clock and of CPU."""

    taken: list[tuple[tuple[float, float], tuple[float, float]]]

    @classmethod
    def of(cls, bare: Side, ours: Side, goes: int, folder: Path) -> Pairs:
        """Run both so many times, the first of a pair in turn."""
        folder.mkdir()
        taken = []
        for go in range(goes):
            sides = [(bare, folder / f"bare-{go}"), (ours, folder / f"ours-{go}")]
            times = {side: spent(side, place) for side, place in (sides if go % 2 else reversed(sides))}
            taken.append((times[bare], times[ours]))
        return cls(taken)

    def least(self, which: int = CLOCK) -> tuple[float, float]:
        """Return the least of each side, bare and ours."""
        return min(bare[which] for bare, _ in self.taken), min(ours[which] for _, ours in self.taken)

    def ratios(self, which: int) -> list[float]:
        """Return ours over bare by pair, sorted."""
        return sorted(ours[which] / bare[which] for bare, ours in self.taken)

    def differences(self) -> list[float]:
        """Return ours less bare by the clock, by pair."""
        return [ours[CLOCK] - bare[CLOCK] for bare, ours in self.taken]

    def told(self, which: int) -> str:
        """Return the median ratio of the pairs, its spread, the least of each side, and their ratio."""
        ratios, (bare, ours) = self.ratios(which), self.least(which)
        spread = f"{statistics.median(ratios):.3f} x (pairs {ratios[0]:.3f} to {ratios[-1]:.3f})"
        return f"{spread}; least {bare:.2f} and {ours:.2f} s, {ours / bare:.3f} x"


def seconds(side: Side, place: Path) -> float:
    """Return what one go takes by the clock."""
    return spent(side, place)[CLOCK]


def spent(side: Side, place: Path) -> tuple[float, float]:
    """Return what one go takes by the clock, and of CPU in this process and all that it has started."""
    cpu, begun = _cpu(), time.perf_counter()
    side(place)
    return time.perf_counter() - begun, _cpu() - cpu


def _cpu() -> float:
    """Return the CPU time of this process and of all below it; who has ended counts with who waited for it."""
    here = psutil.Process()
    return sum(sum(process.cpu_times()[:4]) for process in (here, *here.children(recursive=True)))
