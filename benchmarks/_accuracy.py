"""Mean absolute errors on real data, against statsforecast refitted at the same origins."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import attrs
import numpy as np
from _statsforecast import Job, Windows, run_peer
from _synthetic import HORIZON, histories
from numpy.typing import NDArray

from pulse_core import Forecaster
from pulse_core.forecasters.smoothing import SimpleExponentialSmoothing
from pulse_core.forecasters.theta import Theta
from pulse_core.forecasters.trend import Holt

Array = NDArray[np.float64]

FIRST_ORIGIN: Final = date(2015, 1, 1)
LAST_DAY: Final = date(2023, 12, 31)


@attrs.frozen
class Pair:
    """A forecaster of ours, the peer's model of the same method, and whether the peer takes long."""

    ours: Forecaster
    peer: str
    slow: bool


@attrs.frozen(eq=False)
class Variable:
    """A variable's values up to LAST_DAY, and how many stand before the first origin."""

    name: str
    values: Array
    before: int

    def windows(self, every: int) -> Windows:
        """Return every `every`-th origin of the period whose `HORIZON` actuals are all known."""
        return Windows(1 + (len(self.values) - HORIZON - self.before - 1) // every, every)


PAIRS: Final = {
    "ses": Pair(SimpleExponentialSmoothing(), "SimpleExponentialSmoothingOptimized", slow=False),
    "holt": Pair(Holt(), "Holt", slow=True),
    "theta": Pair(Theta(), "Theta", slow=True),
}
"""What is compared, by name."""


def compare(folder: Path, names: Sequence[str], every: int, since: date | None) -> None:
    """Print the ratio of the errors per variable, and of their averages in all."""
    variables = [_read(path, since) for path in sorted(folder.glob("*.csv"))]
    begins = f"from {since}" if since else "whole"
    print(f"origins {FIRST_ORIGIN} to {LAST_DAY}, h = 1..{HORIZON}, histories {begins}; MAE ours / statsforecast's")
    for name in names:
        pair = PAIRS[name]
        step = every if pair.slow else 1
        print(f"{name}, every origin" if step == 1 else f"{name}, every {step}th origin", flush=True)
        print(f"{'variable':>16} {'origins':>8} {'ours':>11} {'peer':>11} {'ratio':>8} {'+-':>7}   by horizon")
        ratios = list(_lines(variables, pair, step))
        print(f"{'geometric mean':>16} {'':>8} {'':>11} {'':>11} {np.exp(np.mean(np.log(ratios))):>8.4f}", flush=True)


def _lines(variables: Sequence[Variable], pair: Pair, step: int) -> Iterator[float]:
    for variable in variables:
        ours, peer = _errors(variable, pair, step)
        ratio = float(ours.mean() / peer.mean())
        # the standard error of the ratio over origins: says how far a sample of them can be read
        spread = (ours - ratio * peer).mean(axis=1).std() / np.sqrt(len(ours)) / peer.mean()
        by_horizon = " ".join(f"{ratio:.4f}" for ratio in ours.mean(axis=0) / peer.mean(axis=0))
        print(
            f"{variable.name:>16} {len(ours):>8} {ours.mean():>11.5g} {peer.mean():>11.5g} {ratio:>8.4f} "
            f"{spread:>7.4f}   {by_horizon}",
            flush=True,
        )
        yield ratio


def _errors(variable: Variable, pair: Pair, step: int) -> tuple[Array, Array]:
    """Return the absolute errors of both sides; (origin, horizon)."""
    windows, values = variable.windows(step), variable.values
    lengths = windows.lengths(len(values))
    actuals = values[lengths[:, None] + np.arange(HORIZON)]
    ours = pair.ours.hindcast(histories(values, lengths), HORIZON)
    _, (peer,) = run_peer([Job(pair.peer, values[:, None], windows)])
    return np.abs(actuals - ours), np.abs(actuals - peer.forecasts[0])


def _read(path: Path, since: date | None) -> Variable:
    with path.open(newline="") as file:
        rows = [(date.fromisoformat(row["timestamp"][:10]), float(row["value"])) for row in csv.DictReader(file)]
    kept = [(day, value) for day, value in rows if day <= LAST_DAY and (since is None or day >= since)]
    before = sum(day < FIRST_ORIGIN for day, _ in kept)
    return Variable(path.stem, np.array([value for _, value in kept]), before)
