"""The seasons of a variable: proposed by its calendar, tested on what was known at the first origin of the period.

The calendar proposes: months 12, quarters 4, weeks 52, business days 5, days 7, hours 24 and 168, half hours 48 and
336, and so on. A season is kept where the autocorrelation at its lag is significant at the 90 % level, by Bartlett's
standard error for a series that is correlated at all shorter lags; a second one is tested on what the first leaves.
Nothing that became known later is looked at, so a season never changes while a run goes on.

Source: Assimakopoulos & Nikolopoulos (2000), The theta model, International Journal of Forecasting 16, and Makridakis,
Spiliotis & Assimakopoulos (2020), The M4 competition, International Journal of Forecasting 36, whose benchmarks decide
so whether to adjust a series.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.data.calendars import Calendar
from pulse_core.data.zones import DAY
from pulse_core.season import LONGEST_SEASON, Periods

Values = NDArray[np.float64]

LEAST_HISTORY: Final = 8
"""Observations that are known before the first forecast, at least, where `min_history` is not given."""

CYCLES: Final = 3
"""The seasons that a series must span to be tested."""

NORMAL: Final = 1.645
"""The quantile of the standard normal distribution at 95 %: 90 % in the middle."""

NEWEST: Final = 20_000
"""The newest values, by which seasons are tested."""

_WEEK: Final = 7 * DAY
_YEAR: Final = 52 * _WEEK
_MINUTE: Final = 60_000_000
_UNTESTED: Final = ("months", "quarters", "hours")


@attrs.frozen
class Seasonality:
    """How many steps a variable's seasons have, the shortest first, where that comes from, and why, in a sentence."""

    periods: tuple[int, ...] = ()
    source: str = "none"
    reason: str = ""

    @property
    def shortest(self) -> int:
        """The steps of the shortest season; 1 without any."""
        return self.periods[0] if self.periods else 1


def candidates(calendar: Calendar | None) -> Periods:
    """Return the seasons that a calendar proposes, the shortest first."""
    if calendar is None:
        return ()
    if calendar.unit == "business days":
        return (5,)
    if calendar.unit == "months":
        return (12 // calendar.step,) if calendar.step < 12 and 12 % calendar.step == 0 else ()
    step = calendar.step
    if step % _WEEK == 0:
        return (_YEAR // step,) if step < _YEAR and _YEAR % step == 0 else ()
    if step % DAY == 0:
        return (7,) if step == DAY else ()
    if step < _MINUTE or DAY % step:
        return ()
    return tuple(period for period in (DAY // step, _WEEK // step) if period <= LONGEST_SEASON)


def least_history(calendar: Calendar | None) -> int:
    """Return the observations that must be known before the first forecast, by the calendar's shortest season m.

    2m + 4, but no more than LEAST_HISTORY for quarters and weeks.
    """
    periods = candidates(calendar)
    if not periods or periods[0] in (4, 52):
        return LEAST_HISTORY
    return max(LEAST_HISTORY, 2 * periods[0] + 4)


def given(periods: Periods) -> Seasonality:
    """Return the seasonality that the settings give."""
    return Seasonality(periods, "given", "given by the settings")


def seasonality(history: Values, calendar: Calendar | None) -> Seasonality:
    """Find the seasons of a history (n,) with this calendar."""
    proposed = candidates(calendar)
    if not proposed:
        name = "no calendar" if calendar is None else str(calendar)
        return Seasonality((), "calendar", f"{name}: proposes no season")
    rest = history[-NEWEST:]
    periods: list[int] = []
    reasons: list[str] = []
    source = "tested"
    for period in proposed:
        if len(rest) < CYCLES * period:
            is_kept = calendar is not None and calendar.unit == "months"
            reasons.append(f"{period} untested: fewer than {CYCLES} seasons known")
            source = "calendar"
        else:
            correlation, limit = autocorrelation_test(np.diff(rest), period)
            is_kept = correlation > limit
            reasons.append(f"{period} {'kept' if is_kept else 'rejected'}: autocorrelation {correlation:.2f}, limit {limit:.2f}")
        if is_kept:
            periods.append(period)
            rest = without_season(rest, period)
    return Seasonality(tuple(periods), source, f"{calendar}: {'; '.join(reasons)}")


def autocorrelation_test(values: Values, period: int) -> tuple[float, float]:
    """Return the autocorrelation at lag m, and the limit above which it is significant at the 90 % level.

    1.645 sqrt((1 + 2 sum over i < m of r_i^2)/n), r_i the autocorrelation at lag i.
    """
    centred = values - total(values) / max(len(values), 1)
    variance = total(centred * centred)
    if not variance > 0:
        return 0.0, math.inf
    correlations = [total(centred[lag:] * centred[:-lag]) / variance for lag in range(1, period + 1)]
    squares = 0.0
    for correlation in correlations[:-1]:
        squares += correlation * correlation
    return correlations[-1], NORMAL * math.sqrt((1.0 + 2.0 * squares) / len(values))


def without_season(values: Values, period: int) -> Values:
    """Return the values less the mean of their season."""
    rest = values.copy()
    for first in range(period):
        rest[first::period] -= total(values[first::period]) / len(values[first::period])
    return rest


def total(values: Values | Sequence[float]) -> float:
    """Return the sum, added one after another: the same bits on every machine."""
    return float(np.cumsum(values)[-1]) if len(values) else 0.0
