"""Hypothesis strategies for the domain's values."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations
from typing import Any

import attrs
import numpy as np
from hypothesis import strategies as st

from pulse_core import BUILT_IN
from pulse_core.data.known_at import resolve_known_at
from pulse_core.data.observations import Observations
from pulse_core.spec import AUTO, CALIBRATIONS, DEFAULT_FORECASTERS, RIDGE, SEASONAL, TRUST_LOSSES, RunSpec

DAY = np.timedelta64(1, "D")
FIRST_DAY = date(2020, 1, 1)
BUILT_IN_NAMES = tuple(forecaster.name for forecaster in BUILT_IN)
SEASON = 3
ALL_NAMES = (
    *BUILT_IN_NAMES,
    *(f"{name}({SEASON})" for name in SEASONAL),
    *(name for name in DEFAULT_FORECASTERS if name not in BUILT_IN_NAMES),
)
"""All that needs no predictors: what sees histories, then combinations and the ensemble."""


def values(low: float = -1e6, high: float = 1e6) -> st.SearchStrategy[float]:
    """Finite values, ties and round numbers among them; none so small that the next could be 1e300 times as large."""
    drawn = st.floats(low, high, allow_nan=False, allow_infinity=False, width=64)
    return st.one_of(st.integers(-3, 3).map(float), drawn.map(lambda value: 0.0 if abs(value) < 1e-6 else value))


@st.composite
def daily(
    draw: st.DrawFn,
    min_size: int = 1,
    max_size: int = 60,
    variable: str = "x",
    numbers: st.SearchStrategy[float] | None = None,
) -> Observations:
    """A series on days, some of them missing, without known_at."""
    steps = draw(st.lists(st.integers(1, 4), min_size=min_size, max_size=max_size))
    stamps = np.datetime64(FIRST_DAY, "us") + np.cumsum(steps) * DAY
    return Observations(variable, stamps, draw(exactly(len(steps), numbers)))


RELEASES = tuple(
    releases
    for count in (1, 2, 3)
    for releases in combinations([0, 1, 2, 5, 12, 40], count)
    if len(releases) < 3 or 40 not in releases
)
"""Days after its timestamp on which a value is released and revised."""


@st.composite
def revised(
    draw: st.DrawFn,
    min_size: int = 4,
    max_size: int = 40,
    variable: str = "x",
    numbers: st.SearchStrategy[float] | None = None,
) -> Observations:
    """A series with vintages: late, revised, retracted and bulk-released rows, and timestamps filled in afterwards."""
    releases = draw(st.lists(st.sampled_from(RELEASES), min_size=min_size, max_size=max_size))
    bulk = draw(st.sampled_from([1, 1, 3, 5]))
    moments = {(-(-(stamp + delay) // bulk) * bulk, stamp) for stamp, delays in enumerate(releases) for delay in delays}
    known_at, stamps = (
        np.array(column) * DAY + np.datetime64(FIRST_DAY, "us") for column in zip(*sorted(moments), strict=True)
    )
    drawn = np.array(draw(exactly(len(moments), numbers)))
    # one in some forty rows, or none, retracts: rows that are the first of their timestamp cannot
    later = np.array([stamp in stamps[:row] for row, stamp in enumerate(stamps)])
    retracted = np.array(draw(exactly(len(moments), st.just(0) if draw(st.booleans()) else st.integers(0, 5)))) == 1
    return Observations(variable, stamps, np.where(later & retracted, np.nan, drawn), known_at)


@st.composite
def monthly(
    draw: st.DrawFn, variable: str = "x", max_size: int = 24, numbers: st.SearchStrategy[float] | None = None
) -> Observations:
    """A series stamped on the first of each month, some months missing, without known_at."""
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 2, 3]), min_size=1, max_size=max_size))
    stamps = (np.datetime64(FIRST_DAY, "M") + np.cumsum(steps) - steps[0]).astype("datetime64[us]")
    return Observations(variable, stamps, draw(exactly(len(steps), numbers)))


def exactly(size: int, numbers: st.SearchStrategy[Any] | None = None) -> st.SearchStrategy[list[Any]]:
    """That many values."""
    return st.lists(values() if numbers is None else numbers, min_size=size, max_size=size)


@st.composite
def specs(
    draw: st.DrawFn, variables: tuple[str, ...] = ("x",), last: int = 60, targets: tuple[str, ...] = ("level", "change")
) -> RunSpec:
    """A spec whose period begins within the first `last` days of the strategies' series."""
    start = draw(st.integers(0, last // 2))
    length = draw(st.integers(0, last))
    return RunSpec(
        variables=variables,
        start=FIRST_DAY + timedelta(days=start),
        end=FIRST_DAY + timedelta(days=start + length),
        batch_size_days=draw(st.integers(1, 40)),
        batch_limit=draw(st.none() | st.integers(1, 5)),
        horizon=draw(st.integers(1, 4)),
        forecasters=draw(st.permutations(BUILT_IN_NAMES)),
        benchmark=draw(st.just("naive") | st.sampled_from(BUILT_IN_NAMES)),
        min_history=draw(st.integers(1, 8)),
        trust_half_life=draw(st.sampled_from([1.0, 20.0, 500.0, 1e6])),
        trust_span=draw(st.sampled_from([None, None, 1, 5])),
        actuals=draw(st.sampled_from(["first", "latest"])),
        target=draw(st.sampled_from(targets)),
        season=None,
    )


def round_values(low: int = -3000, high: int = 3000) -> st.SearchStrategy[float]:
    """Multiples of 1/64: their sums are exact in any order, so that rounding makes no tie and breaks none."""
    return st.one_of(
        st.integers(max(low, -3), 3).map(float), st.integers(low * 64, high * 64).map(lambda number: number / 64)
    )


def replayed(numbers: st.SearchStrategy[float] | None = None, variable: str = "x") -> st.SearchStrategy[Observations]:
    """A daily, a revised or a monthly series of round values, its known_at resolved."""
    drawn = round_values() if numbers is None else numbers
    kinds = [daily(8, 40, variable, drawn), revised(8, 30, variable, drawn), monthly(variable, numbers=drawn)]
    return st.one_of(kinds).map(resolved)


@st.composite
def specs_for(draw: st.DrawFn, observations: Observations, targets: tuple[str, ...] = ("level", "change")) -> RunSpec:
    """A spec whose period mostly holds origins of this series, and the actuals of some."""
    assert observations.known_at is not None
    first, last = (moment.astype("datetime64[D]").item() for moment in observations.known_at[[0, -1]])
    span = (last - first).days
    start = first + timedelta(days=draw(st.integers(-3, span // 2)))
    drawn = draw(specs(variables=(observations.variable,), targets=targets))
    return attrs.evolve(
        drawn,
        start=start,
        end=max(start, last - timedelta(days=draw(st.integers(-20, span // 3)))),
        batch_limit=draw(st.sampled_from([None, None, None, 1, 3])),
    )


def resolved(observations: Observations, rule: str = "auto") -> Observations:
    """The rows with a known_at each, whatever the end of the period."""
    return resolve_known_at(observations, rule, date(9000, 1, 1)).known


@st.composite
def rewritten_after(
    draw: st.DrawFn,
    observations: Observations,
    moment: np.datetime64,
    numbers: st.SearchStrategy[float] | None = None,
) -> Observations:
    """The rows known by a moment, and after it anything: other values and stamps, more rows, fewer, none."""
    past = observations.known_by(moment)
    assert past.known_at is not None
    first = np.datetime64(FIRST_DAY, "us")
    waits = draw(st.lists(st.integers(1, 30), max_size=25))
    # in half of the futures the series just goes on; in the others older stamps are revised or filled in as well
    stamp_days = draw(exactly(len(waits), st.just(10_000) if draw(st.booleans()) else st.integers(-5, 80)))
    later = sorted(
        {
            (moment + wait * DAY, min(first + day * DAY, moment + wait * DAY))
            for wait, day in zip(waits, stamp_days, strict=True)
        }
    )
    drawn = np.array(draw(exactly(len(later), numbers))) * draw(st.sampled_from([1.0, 1.0, 1e3, 1e290]))
    known_at, stamps = (np.array([row[column] for row in later], dtype="datetime64[us]") for column in (0, 1))
    return Observations(
        observations.variable,
        np.append(past.timestamps, stamps),
        np.append(past.values, drawn),
        np.append(past.known_at, known_at),
    )


@st.composite
def whole(draw: st.DrawFn, spec: RunSpec, predictors: tuple[str, ...] = ()) -> RunSpec:
    """The spec with every forecaster there is, in any order, and any rule of learning."""
    forecasters = (*ALL_NAMES, *((RIDGE,) if predictors else ()))
    return attrs.evolve(
        spec,
        forecasters=draw(st.permutations(forecasters)),
        benchmark=draw(st.just("naive") | st.just(AUTO) | st.sampled_from(forecasters)),
        season=draw(st.sampled_from([None, "auto", "auto", 1, 2, 5])),
        calibration=draw(st.sampled_from(CALIBRATIONS)),
        trust_loss=draw(st.sampled_from(TRUST_LOSSES)),
        predictors=predictors,
    )


def whole_for(
    observations: Observations, targets: tuple[str, ...] = ("level", "change"), predictors: tuple[str, ...] = ()
) -> st.SearchStrategy[RunSpec]:
    """A spec for this series with every forecaster there is."""
    return specs_for(observations, targets).flatmap(lambda spec: whole(spec, predictors))


@st.composite
def portfolios(draw: st.DrawFn, smallest: int = 2, largest: int = 4) -> tuple[list[Observations], RunSpec]:
    """Variables of several kinds and lengths, and a spec that suits some of them; one may be a predictor."""
    names = [f"v{number}" for number in range(draw(st.integers(smallest, largest)))]
    members = [draw(replayed(values(), name)) for name in names]
    spec = draw(whole_for(members[0], predictors=draw(st.sampled_from([(), (names[-1],)]))))
    # some forty batches at most: a forecaster called origin by origin has a unit for each
    size = max(spec.batch_size_days, (spec.end - spec.start).days // 40)
    return members, attrs.evolve(spec, variables=tuple(draw(st.permutations(names))), batch_size_days=size)
