"""Trust: the probability that over the next K origins a forecaster's mean loss is lower than the benchmark's.

Losses are compared by size: d is the benchmark's loss less the forecaster's, in units of the benchmark's mean absolute
error. The mean of d has a prior of two normals, learned from many series: one for forecasters with little or nothing to
offer, whose mean is below 0 because a forecaster without skill pays for its parameters, and one for those that differ.
What the faded sums of d say (see kernel/trust.c) makes a posterior of it, and trust is the predictive probability of
the mean over the span ahead, with the drift that means have.

Source: the normal mixture model with known variance (Gelman et al. 2013, Bayesian Data Analysis, 2.5 and 22.2), with a
long-run variance for overlapping errors (Hansen & Hodrick 1980, JPE 88) and exponential forgetting (power prior,
Ibrahim & Chen 2000).
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.data.calendars import Calendar
from pulse_core.kernel.bindings import trust as kernel_trust
from pulse_core.kernel.special import exp, log

Array = NDArray[np.float64]

STATE: Final = ("ratio", "effective", "inflation", "weight", "compared", "wins", "losses")
"""What the kernel tells of a pair: the mean of d over its standard deviation (NaN where it has none), the effective
number of differences, the inflation of the mean's variance by overlap, the faded numbers of differences and of
comparisons (ties included), and of wins and losses."""

LEAST_WEIGHT: Final = 3.0
"""With a smaller faded number of differences there is no trust."""

PRIOR: Final = ((1.0 / 3.0, -0.05, 0.015), (2.0 / 3.0, -0.15, 0.25))
"""Weight, mean and standard deviation of the two normals, in units of the standard deviation of d."""

DRIFT: Final = 0.08
"""How far the mean of d moves until the span ahead, as a standard deviation in the same units."""

HALF_LIVES: Final = {"level": 125.0, "size": 250.0, "wins": 1000.0}
"""Origins after which half is forgotten: of the benchmark's error, of the sizes of bets, of wins and losses. That of
the differences is the spec's `trust_half_life`."""

FEW: Final = 40
"""Trust that rests on fewer effective origins is told as such."""

LEAST_SPAN: Final = 12
_SPANS: Final = {"business days": 250, "days": 365, "weeks": 52, "months": 12, "quarters": 4, "years": 1}

_LIMITS: Final = (2.0, 200.0)
"""Of the degrees of freedom."""


@cache
def fade_of(half_life: float) -> float:
    """Return what remains after one step where half remains after `half_life` steps, by the kernel's arithmetic."""
    return float(exp(log(0.5) / half_life))


def span_of(calendar: Calendar | None, last_year: int) -> int:
    """Return the number of origins that trust looks ahead, about a year.

    `calendar` is that of the timestamps known when the period begins, `last_year` the number of them in the 365 days
    before it, which decides where the calendar is none of the common ones.
    """
    return _SPANS.get(str(calendar), max(LEAST_SPAN, last_year))


def trust_probability(states: Array, span: int) -> Array:
    """Return trust from states (.., STATE, horizon, forecaster); (.., horizon, forecaster), NaN where there is none."""
    if states.strides[-1] != states.itemsize:
        states = np.ascontiguousarray(states)
    rows = states.reshape(-1, *states.shape[-3:])
    values = kernel_trust(rows, float(span), np.array(PRIOR), DRIFT, LEAST_WEIGHT, np.array(_LIMITS))
    return values.reshape(*states.shape[:-3], *states.shape[-2:])
