"""Who won each origin against the benchmark, as forecasts are scored."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pulse_core.backtest.learning import NONE
from pulse_core.backtest.origins import Origins
from pulse_core.backtest.scoring import Stretch
from pulse_core.scores.terms import crps, pinball_loss
from pulse_core.scores.trust import UNKNOWN, Outcome, outcome
from pulse_core.spec import RunSpec

Array = NDArray[np.float64]


class Outcomes:
    """Outcomes `of` (forecaster, origin, horizon) on first releases: WON, TIED, LOST; UNKNOWN without a comparison.

    By absolute error at once; by CRPS, on request, as the quantiles are quoted: it watches the walk for them.
    """

    def __init__(self, forecasts: Array, origins: Origins, spec: RunSpec) -> None:
        self._released = origins.released
        self._benchmark = spec.roster.index(spec.benchmark)
        self.by_crps = spec.trust_loss == "crps"
        self.of: Outcome = np.full(forecasts.shape, UNKNOWN, dtype=np.int8)
        if not self.by_crps:
            benchmark = np.abs(origins.released - forecasts[self._benchmark])
            for place, forecast in enumerate(forecasts):  # one at a time stays in the cache
                self.of[place] = outcome(np.abs(origins.released - forecast), benchmark)

    def __call__(self, stretch: Stretch) -> None:
        """Take in what was quoted over a stretch."""
        step, variable = np.nonzero(stretch.quote != NONE)
        origin = stretch.quote[step, variable]
        # (level, origin, forecaster, horizon)
        quantiles = np.moveaxis(stretch.quantiles, 3, 2)[:, step, variable]
        losses = np.moveaxis(crps(pinball_loss(self._released[origin][:, None], quantiles)), 1, 0)
        self.of[:, origin] = outcome(losses, losses[self._benchmark])
