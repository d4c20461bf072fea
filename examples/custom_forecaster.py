"""A forecaster of your own against the built-in ones.

As a service would, this program hands the forecaster over as an object. On the command line it is named instead:
`pulse train --data sample --variables core_cpi --forecasters naive ari custom_forecaster:LastYear` in this folder.
"""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.sample import FOLDER
from pulse_adapters.sinks.memory import MemorySink
from pulse_adapters.stores.folder import FolderStore
from pulse_core import MEASURES, PerOriginForecaster, RetrodictionTraining, RunResult, RunSpec


class LastYear:
    """Each month changes as the same month did a year ago, on average over the last `years` years."""

    version = "1"

    def __init__(self, years: int = 3) -> None:
        self.years = years

    def forecast(self, history: NDArray[np.float64], horizon: int) -> NDArray[np.float64]:
        """Return `horizon` forecasts from the history y_1..y_n, oldest first; NaN where there is none."""
        changes = np.diff(history)[-12 * self.years :]
        if len(changes) < 12 * self.years:
            return np.full(horizon, np.nan)
        by_month = changes.reshape(self.years, 12).mean(axis=0)
        return np.asarray(history[-1] + np.cumsum(np.resize(by_month, horizon)))


def train() -> RunResult:
    """Replay nine years of consumer prices."""
    custom = PerOriginForecaster(name="last-year", version=LastYear.version, model=LastYear())
    training = RetrodictionTraining(
        store=FolderStore(FOLDER), backend=SerialBackend(), sink=MemorySink(), forecasters=(custom,)
    )
    spec = RunSpec(
        variables=["core_cpi"],
        start=date(2010, 1, 1),
        end=date(2018, 12, 31),
        horizon=3,
        forecasters=["naive", "drift", "ari", "last-year", "ensemble"],
    )
    return training.execute(spec)


def main() -> None:
    """Print what share of the benchmark's error each forecaster saves, 1 to 3 months ahead."""
    (prices,) = train().variables
    skills = prices.scores[..., MEASURES.index("skill_mae")]
    for forecaster, skill in zip(prices.forecasters, skills, strict=True):
        print(f"{forecaster:10}", *(f"{share:7.1%}" for share in skill))


if __name__ == "__main__":
    main()
