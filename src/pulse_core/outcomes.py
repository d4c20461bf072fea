"""Who won each origin against the benchmark, as forecasts are scored."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pulse_core.learning import NONE
from pulse_core.origins import Origins
from pulse_core.scores.terms import crps, pinball_loss
from pulse_core.scoring import Stretch
from pulse_core.spec import RunSpec
from pulse_core.trust import wins

Array = NDArray[np.float64]


class Outcomes:
    """Wins `won` (forecaster, origin, horizon) on first releases: 1, 1/2 or 0; NaN where there is no comparison.

    By absolute error at once; by CRPS, on request, as the quantiles are quoted: it watches the walk for them.
    """

    def __init__(self, forecasts: Array, origins: Origins, spec: RunSpec) -> None:
        self._released = origins.released
        self._benchmark = spec.roster.index(spec.benchmark)
        self._by_crps = spec.trust_loss == "crps"
        if self._by_crps:
            self.won = np.full(forecasts.shape, np.nan)
        else:
            benchmark = origins.released - forecasts[self._benchmark]
            self.won = np.empty(forecasts.shape)
            for place, forecast in enumerate(forecasts):  # one at a time stays in the cache
                self.won[place] = wins(origins.released - forecast, benchmark)

    def __call__(self, stretch: Stretch) -> None:
        """Take in what was quoted over a stretch."""
        if not self._by_crps:
            return
        step, variable = np.nonzero(stretch.quote != NONE)
        origin = stretch.quote[step, variable]
        quantiles = stretch.quantiles[:, step, variable]
        losses = np.moveaxis(crps(pinball_loss(self._released[origin][:, :, None], quantiles)), -1, 0)
        self.won[:, origin] = wins(losses, losses[self._benchmark])
