"""Do quantiles come true, and does trust? Measured on simulated series whose dynamics are known, and on daily ones.

Quantiles: coverage, loss and width of the rules around naive forecasts, by horizon. Empirical quantiles of all past
errors, the rule that Pulse had before (plain numpy), and the present one (the kernel), for series by day with and
without volatility, beside the best quantiles that stay the same throughout, in hindsight. Trust (`--trust`): see
_trust_truth.py.

    python benchmarks/truth.py [--series 100] [--seed 1] [--data FOLDER]
    python benchmarks/truth.py --trust [--size small|default|large] [--data FOLDER]
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import attrs
import numpy as np
from _tracking import tracked_quantiles
from _trust_truth import SERIES as SIZES
from _trust_truth import run as trust_truth
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from pulse_core.backtest.volatility import is_by_day
from pulse_core.data.calendars import calendar_of
from pulse_core.levels import INTERVALS
from tests.processes import PROCESSES, Process, broken_walk, growth, stairs
from tests.simulation import Quoted, quoted

Array = NDArray[np.float64]

HORIZONS: Final = (1, 2, 5, 10, 20, 40, 60)
WIDTH: Final = 80
BREAK: Final = 500
HISTORY: Final = 31


@attrs.frozen
class Case:
    """Series (time, series), how many values the first origin knows, and the origins that are counted."""

    name: str
    values: Array
    history: int
    first: int = 0
    last: int | None = None
    horizons: tuple[int, ...] = HORIZONS
    by_day: bool = False

    def rules(self) -> dict[str, Quoted]:
        """Return what each rule quotes at the origins that are counted."""
        present = quoted(self.values, self.history, self.horizons)
        empirical = quoted(self.values, self.history, self.horizons, calibration="empirical")
        scale = np.abs(np.diff(self.values[: self.history], axis=0)).mean(axis=0)
        former = attrs.evolve(present, quantiles=tracked_quantiles(present.errors, self.horizons, scale))
        rules = {"empirical": empirical, "before": former, "now": present}
        if self.by_day:
            rules["volatility"] = quoted(self.values, self.history, self.horizons, by_day=True)
        return {name: rule.between(self.first, self.last) for name, rule in rules.items()}


def simulated(count: int, seed: int) -> Iterator[Case]:
    """Yield the simulated series."""

    def values(process: Process, points: int, number: int = count) -> Array:
        return process(np.random.default_rng(seed), points, number)

    for name, process in PROCESSES.items():
        yield Case(f"{name}, after 300 origins", values(process, HISTORY + 1269), HISTORY, 300, 1210, by_day=True)
    # the last value before the break is known at origin BREAK
    broken = values(broken_walk(3.0, HISTORY + BREAK), HISTORY + BREAK + 270)
    yield Case(
        "steps three times as large, the year after", broken, HISTORY, BREAK, BREAK + 250, HORIZONS[:5], by_day=True
    )
    for months in (60, 264):
        growing = values(growth(0.008, 0.03), 24 + months)
        yield Case(f"growing .8 % a month, {months} months", growing, 24, horizons=HORIZONS[:4])
    for share in (0.05, 0.1, 0.2):
        yield Case(f"{share:.0%} of steps are not zero", values(stairs(share), 1031), HISTORY, horizons=HORIZONS[:5])
    for origins in (15, 40):
        yearly = values(growth(0.03, 0.05), 8 + origins, 4 * count)
        yield Case(f"yearly, {origins} origins", yearly, 8, horizons=(1, 2, 5))


def measured(folder: Traversable) -> Iterator[Case]:
    """Yield the series of a folder of CSV files (timestamp, value), all origins after 300."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.endswith(".csv"):
            with path.open(encoding="utf-8", newline="") as lines:
                rows = [row for row in csv.DictReader(lines) if row["value"].strip()]
            values = np.array([float(row["value"]) for row in rows])
            stamps = np.array([row["timestamp"] for row in rows], dtype="datetime64[us]")
            by_day = is_by_day(calendar_of(np.sort(stamps)[-1000:]))
            yield Case(f"{path.name}, {len(values):,} values", values[:, None], HISTORY, 300, by_day=by_day)


def print_case(case: Case) -> None:
    """Print a line for each horizon, the rules side by side."""
    rules = case.rules()
    columns = " ".join(f"{interval:>5}" for interval in INTERVALS) + "   loss  width"
    print(f"\n{case.name}\n{'h':>4}   " + "   ".join(f"{name:^{len(columns)}}" for name in rules) + "   oracle's own")
    print(f"{'':>4}   " + "   ".join(columns for _ in rules) + "       loss  width")
    oracle = rules["now"].oracle()
    constant = attrs.evolve(rules["now"], quantiles=np.broadcast_to(oracle, rules["now"].quantiles.shape))
    best_loss, best_width = constant.loss(), constant.width(WIDTH)
    with np.errstate(divide="ignore"):
        figures = [
            (
                *(rule.coverage(interval) for interval in INTERVALS),
                rule.loss() / best_loss,
                rule.width(WIDTH) / best_width,
            )
            for rule in rules.values()
        ]
    for column, horizon in enumerate(case.horizons):
        parts = []
        for *coverage, loss, width in figures:
            shares = " ".join(f"{share[column]:>5.1f}" for share in coverage)
            parts.append(f"{shares} {loss[column]:>6.3f} {width[column]:>6.3f}")
        print(f"{horizon:>4}   " + "   ".join(parts) + f"   {best_loss[column]:>8.3g} {best_width[column]:>6.3g}")
    sys.stdout.flush()


def main() -> None:
    """Print a table for each process and series."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--series", type=int, default=100, help="how many of each process")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--data", type=Path, help="a folder of CSV files (timestamp,value); else the sample data")
    options.add_argument("--trust", action="store_true", help="measure trust and evidence, not quantiles")
    options.add_argument("--size", choices=SIZES, default="default", help="how much to simulate for trust")
    arguments = options.parse_args()
    if arguments.trust:
        trust_truth(arguments.size, arguments.data)
        return
    print(f"coverage in per cent; mean pinball loss and width of the {WIDTH} % interval over the oracle's")
    for case in simulated(arguments.series, arguments.seed):
        print_case(case)
    for case in measured(arguments.data or files("pulse_adapters") / "sample"):
        print_case(case)


if __name__ == "__main__":
    main()
