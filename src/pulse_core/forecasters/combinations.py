"""Equal-weight combinations: the mean and the median of all forecasters that have a forecast.

Source: Clemen (1989), Combining forecasts, International Journal of Forecasting 5; Timmermann (2006) for why they
are hard to beat.
"""

from __future__ import annotations

from typing import Protocol

import attrs
import numpy as np

from pulse_core.forecasters.base import Values


class Combination(Protocol):
    """A forecaster made of the others' forecasts."""

    @property
    def name(self) -> str:
        """The name in results."""

    @property
    def version(self) -> str:
        """What a record's key holds of it."""

    def combine(self, forecasts: Values) -> Values:
        """Combine (forecaster, origin, horizon) over the first axis; NaN where none has a forecast."""


@attrs.frozen
class MeanOfAll:
    """The mean of all forecasts there are."""

    name: str = "mean-of-all"
    version: str = "1"

    def combine(self, forecasts: Values) -> Values:
        """See Combination."""
        there = np.isfinite(forecasts)
        everywhere = bool(there.all())
        first = forecasts[0]
        if not everywhere:
            first = np.take_along_axis(forecasts, np.argmax(there, axis=0)[None], axis=0)[0]
        # less the first, so that the mean of equals is exactly theirs
        total, count = np.zeros(first.shape), np.full(first.shape, float(len(forecasts)))
        for forecast, known in zip(forecasts, there, strict=True):
            np.add(total, forecast - first if everywhere else np.where(known, forecast - first, 0.0), out=total)
        if not everywhere:
            count = there.sum(axis=0).astype(np.float64)
            count[count == 0] = np.nan
        return np.asarray(first + total / count)


@attrs.frozen
class MedianOfAll:
    """The median of all forecasts there are: the middle one, or the mean of the middle two."""

    name: str = "median-of-all"
    version: str = "1"

    def combine(self, forecasts: Values) -> Values:
        """See Combination."""
        ordered = np.sort(forecasts, axis=0)  # what is missing comes last
        count = np.isfinite(forecasts).sum(axis=0)[None]
        low, high = (
            np.take_along_axis(ordered, np.maximum(place, 0), axis=0)[0] for place in ((count - 1) // 2, count // 2)
        )
        return np.where(count[0] > 0, (low + high) / 2.0, np.nan)
