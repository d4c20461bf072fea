"""Equal-weight combinations: the mean and the median of the forecasters that combinations are made of.

Those are told by ForecasterSet.combined; at an origin they are the ones that have a forecast.

Source: Clemen (1989), Combining forecasts, International Journal of Forecasting 5; Timmermann (2006) for why they
are hard to beat.
"""

from __future__ import annotations

from typing import Protocol

import attrs
import numpy as np

from pulse_core.forecasters.base import Values
from pulse_core.kernel import hindcasts as kernel


class Combination(Protocol):
    """A forecaster made of the others' forecasts."""

    @property
    def name(self) -> str:
        """The name in results."""

    @property
    def version(self) -> str:
        """What a record's key holds of it."""

    def combine(self, forecasts: Values) -> Values:
        """Combine (origin, forecaster, horizon) into (origin, horizon); NaN where none is finite."""
        out = np.empty((forecasts.shape[0], forecasts.shape[2]))
        self.combine_into(forecasts, out)
        return out

    def combine_into(self, forecasts: Values, out: Values) -> None:
        """Write what `combine` returns into `out`. Rows of either may lie apart; an origin's forecasts may not."""


@attrs.frozen
class MeanOfAll(Combination):
    """The mean of all finite forecasts."""

    name: str = "mean-of-all"
    version: str = "2"

    def combine_into(self, forecasts: Values, out: Values) -> None:
        """See Combination."""
        kernel.mean_of_all(forecasts, out)


@attrs.frozen
class MedianOfAll(Combination):
    """The median of all finite forecasts: the middle one, or the mean of the middle two."""

    name: str = "median-of-all"
    version: str = "2"

    def combine_into(self, forecasts: Values, out: Values) -> None:
        """See Combination."""
        kernel.median_of_all(forecasts, out)
