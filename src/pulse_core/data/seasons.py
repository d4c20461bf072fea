"""The seasons of a variable: proposed by its calendar, tested on what was known at the first origin of the period.

The calendar proposes the steps in a year, a week or a day: months 12, quarters 4, weeks 52, business days 5, days 7,
hours 24 and 168, half hours 48 and 336, and so on. Whether the steps of a season differ is tested on the differences of
the history from one value to the next, which have neither level nor trend: a one-way analysis of variance by the step
of the season. A second season is tested on what the first leaves. Nothing that became known later is looked at, so a
season never changes while a run goes on.

Sources: Fisher (1925), Statistical Methods for Research Workers, chapter 7, for the test; Paulson (1942), Annals of
Mathematical Statistics 13, for its critical values. The test of the M4 competition (Assimakopoulos & Nikolopoulos 2000,
International Journal of Forecasting 16), by the autocorrelation at lag m, finds far fewer seasons in short series: see
docs/decisions/0021-seasons-by-calendar-and-test.md.
"""

from __future__ import annotations

import math
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.data.calendars import Calendar
from pulse_core.data.observations import Moments
from pulse_core.data.zones import DAY
from pulse_core.season import LONGEST_SEASON

Values = NDArray[np.float64]
Positions = NDArray[np.int64]
SOURCES: Final = ("given", "calendar", "test")
"""Where seasons, or that there are none, may come from: the settings, the calendar alone, or the test."""

CYCLES: Final = 3
"""The seasons that a history spans where it is tested."""

NEWEST: Final = 20_000
"""The newest values, by which seasons are tested."""

LEAST_SHARE: Final = 0.05
"""The share of the variance of differences that a season explains at least, adjusted for its number of steps."""

NORMAL_90: Final = 1.2816
NORMAL_99: Final = 2.3263
"""Quantiles of the standard normal distribution; 99 % is asked of a season of days, which few series have."""

MOSTLY_FILLED: Final = 0.9
"""The share of a day's or a week's timestamps from which on those that are missing count as gaps."""

LEAST_HISTORY: Final = 8
MOST_HISTORY: Final = 100
"""The least and the most that `min_history` is where it is not given."""

_WEEK: Final = 7 * DAY
_YEAR: Final = 52 * _WEEK
_MINUTE: Final = 60_000_000


@attrs.frozen
class Seasonality:
    """A variable's seasons, where they come from (see SOURCES), and why, in words.

    `periods` are how many steps they have, the shortest first; () without any.
    """

    periods: tuple[int, ...] = ()
    source: str = "calendar"
    reason: str = ""

    @property
    def shortest(self) -> int:
        """The steps of the shortest season; 1 without any."""
        return self.periods[0] if self.periods else 1


@attrs.frozen
class SeasonTest:
    """The F statistic of a season, the limit above which it is significant, and the share of variance it explains."""

    statistic: float
    limit: float
    share: float

    @property
    def is_passed(self) -> bool:
        """Whether the steps of the season differ, by enough to matter."""
        return self.statistic > self.limit and self.share >= LEAST_SHARE


def candidates(calendar: Calendar | None, stamps: Moments | None = None) -> tuple[int, ...]:
    """Return the seasons that a calendar proposes, the shortest first.

    `stamps` (n,) are its timestamps in order: where days or weeks are not filled, as those of an exchange, a season has
    the steps that they hold; without them all are taken as filled.
    """
    if calendar is None:
        return ()
    if calendar.unit == "business days":
        return (5,)
    if calendar.unit == "months":
        return (12 // calendar.step,) if calendar.step < 12 and 12 % calendar.step == 0 else ()
    if stamps is not None and calendar.step < DAY:
        return _within_days(calendar.step, stamps)
    return _of_even_steps(calendar.step)


def _within_days(step: int, stamps: Moments) -> tuple[int, ...]:
    """Return the seasons of steps within days, by what the days and weeks of these timestamps hold."""
    full = _of_even_steps(step)
    periods = tuple(_steps_held(stamps, length, length // step) for length in (DAY, _WEEK)[: len(full)])
    if len(periods) > 1 and periods[0] != full[0] and not _middle_counts(stamps, _WEEK).size:
        periods = periods[:1]  # days are not filled, and no week is known
    return tuple(sorted({period for period in periods if 1 < period <= LONGEST_SEASON}))


def _steps_held(stamps: Moments, length: int, full: int) -> int:
    """Return how many timestamps stretches of a length hold at the median; all of them where few are missing."""
    counts = np.sort(_middle_counts(stamps, length))
    held = int(counts[len(counts) // 2]) if len(counts) else full
    return held if held < MOSTLY_FILLED * full else full


def _middle_counts(stamps: Moments, length: int) -> Positions:
    """Return how many timestamps stand in each stretch of a length that holds any, the first and the last left out."""
    return np.unique(stamps.astype("datetime64[us]").view(np.int64) // length, return_counts=True)[1][1:-1]


def _of_even_steps(step: int) -> tuple[int, ...]:
    """Return the seasons of steps of so many microseconds."""
    if step % _WEEK == 0:
        return (_YEAR // step,) if step < _YEAR and _YEAR % step == 0 else ()
    if step >= DAY:
        return (7,) if step == DAY else ()
    periods = (DAY // step, _WEEK // step) if step >= _MINUTE and DAY % step == 0 else ()
    return tuple(period for period in periods if period <= LONGEST_SEASON)


def tested_history(calendar: Calendar | None) -> int:
    """Return how many values are needed for a season that is never taken untested, of days or business days; else 0."""
    return CYCLES * candidates(calendar)[0] if calendar is not None and _is_daily(calendar) else 0


def least_history(calendar: Calendar | None) -> int:
    """Return how many observations must be known before the first forecast where `min_history` is not given.

    2m + 4, m the shortest season that the calendar proposes, within LEAST_HISTORY and MOST_HISTORY; LEAST_HISTORY
    without one, for quarters and longer steps, whose series are short, and for weeks, whose season is long.
    """
    periods = candidates(calendar)
    if calendar is None or not periods or (calendar.unit == "months" and calendar.step > 1) or _is_weekly(calendar):
        return LEAST_HISTORY
    return min(max(LEAST_HISTORY, 2 * periods[0] + 4), MOST_HISTORY)


def given(periods: tuple[int, ...]) -> Seasonality:
    """Return the seasonality that the settings give."""
    return Seasonality(periods, "given", "given by the settings")


def seasonality(history: Values, calendar: Calendar | None, stamps: Moments | None = None) -> Seasonality:
    """Find the seasons of a history (n,) with this calendar, whose timestamps so far are `stamps`.

    What is too short to be tested has the calendar's seasons, but none of days and weeks: few series have these.
    """
    proposed = candidates(calendar, stamps)
    if calendar is None:
        return Seasonality((), "calendar", "the timestamps follow no calendar")
    if not proposed:
        return Seasonality((), "calendar", f"the calendar ({calendar}) has no season")
    rest = np.diff(history[-NEWEST:])
    kept: list[int] = []
    reasons: list[str] = []
    source = "calendar"
    for period in proposed:
        if len(rest) + 1 < CYCLES * period:
            is_kept = not (_is_daily(calendar) or _is_weekly(calendar))
            verdict = f"{'taken' if is_kept else 'not taken'} untested from fewer than {CYCLES * period} values"
        else:
            source = "test"
            test = season_test(rest, period, kept[-1] if kept else 1, NORMAL_99 if _is_daily(calendar) else NORMAL_90)
            is_kept = test.is_passed
            verdict = f"{'found' if is_kept else 'not found'} (F {test.statistic:.3g}, limit {test.limit:.3g})"
            if is_kept:
                rest = rest - means_of_steps(rest, period)
        reasons.append(f"{period} {verdict}")
        if is_kept:
            kept.append(period)
    return Seasonality(tuple(kept), source, f"{calendar}: {', '.join(reasons)}")


def season_test(differences: Values, period: int, shorter: int, normal: float) -> SeasonTest:
    """Test whether the means of differences (n,) differ by the step of the season.

    With RSS_0 the sum of squares around their mean and RSS_1 that around the means of the m steps,
    F = (RSS_0 - RSS_1)/(m - 1) / (RSS_1/(n - m)). `shorter` is the season that was taken out of the differences before,
    or 1: where it divides m, its means are among the m, and take as many of the degrees of freedom. `normal` is the
    quantile of the standard normal distribution at the level of the test.
    """
    taken = shorter if period % shorter == 0 else 1
    between, within = period - taken, len(differences) - period
    centred = differences - _total(differences) / len(differences)
    rest = differences - means_of_steps(differences, period)
    whole, unexplained = _total(centred * centred), _total(rest * rest)
    limit = f_limit(between, within, normal)
    if not 0.0 < whole < math.inf:
        return SeasonTest(0.0, limit, 0.0)
    if unexplained <= 0.0:
        return SeasonTest(math.inf, limit, 1.0)
    statistic = (whole - unexplained) / between / (unexplained / within)
    share = 1.0 - unexplained / within / (whole / (len(differences) - taken))
    return SeasonTest(statistic, limit, share)


def f_limit(between: int, within: int, normal: float) -> float:
    """Return the quantile of the F distribution by Paulson's approximation, within 5 % from 7 degrees of freedom on.

    The cube root q of F is such that (a q - b)/sqrt(v q^2 + w) = z, with w = 2/(9 between), b = 1 - w, and v and a
    likewise of `within`.
    """
    v, w = 2.0 / (9.0 * within), 2.0 / (9.0 * between)
    a, b = 1.0 - v, 1.0 - w
    square = normal * normal
    leading, constant = a * a - square * v, b * b - square * w
    root = (a * b + math.sqrt(max(a * b * a * b - leading * constant, 0.0))) / leading
    return root * root * root


def means_of_steps(values: Values, period: int) -> Values:
    """Return, for each value (n,), the mean of all at its step of the season, in a fixed order of additions.

    There must be a season of values at least.
    """
    cycles = -(-len(values) // period)
    padded = np.zeros(cycles * period)
    padded[: len(values)] = values
    sums = np.cumsum(padded.reshape(cycles, period), axis=0)[-1]
    counts = np.where(np.arange(period) < len(values) - (cycles - 1) * period, cycles, cycles - 1)
    return np.tile(sums / counts, cycles)[: len(values)]


def _total(values: Values) -> float:
    """Return the sum, added one after another: the same bits on every machine."""
    return float(np.cumsum(values)[-1])


def _is_daily(calendar: Calendar) -> bool:
    return calendar.unit == "business days" or (calendar.unit == "microseconds" and calendar.step == DAY)


def _is_weekly(calendar: Calendar) -> bool:
    return calendar.unit == "microseconds" and calendar.step % _WEEK == 0
