"""The method once more, slow and plain: every origin refitted from scratch, from METHOD.md's words alone.

Loops over Python floats; nothing is shared with the core but the fields of a RunSpec. Where rounding could turn a
comparison round (two losses or two grid points that differ in the last digits), the report says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import attrs
import numpy as np

from pulse_core.data.observations import Observations
from pulse_core.spec import RunSpec

Row = tuple[int, float, int]
"""Timestamp and known_at in microseconds since 1970, with the value between them."""
Vintage = list[tuple[int, float]]
Score = float | None

DAY = 86_400_000_000
WARM_UP = 250
"""Origins before the period from which learners learn."""

NEAR = 1e-9
"""Two numbers closer than this, relative to the series, are too close for another's rounding to order alike."""


def rows_of(observations: Observations) -> list[Row]:
    assert observations.known_at is not None
    stamps, known = (column.astype(np.int64).tolist() for column in (observations.timestamps, observations.known_at))
    return list(zip(stamps, observations.values.tolist(), known, strict=True))


def vintage(rows: Iterable[Row], moment: int) -> Vintage:
    """For each timestamp the newest row known at the moment, unless that one retracts it."""
    newest: dict[int, tuple[int, float]] = {}
    for stamp, value, known in rows:
        if known <= moment and (stamp not in newest or known > newest[stamp][0]):
            newest[stamp] = (known, value)
    return [(stamp, newest[stamp][1]) for stamp in sorted(newest) if not math.isnan(newest[stamp][1])]


def transformed(known: Vintage, target: str) -> Vintage:
    """The series of the target, within one vintage."""
    if target == "level":
        return known
    values = [(stamp, math.log(value) if target == "log-change" else value) for stamp, value in known]
    return [(stamp, value - before) for (_, before), (stamp, value) in pairwise(values)]


def naive(history: Sequence[float], horizon: int) -> tuple[list[Score], bool]:
    return [history[-1]] * horizon, True


def drift(history: Sequence[float], horizon: int) -> tuple[list[Score], bool]:
    if len(history) < 2:
        return [None] * horizon, True
    slope = (history[-1] - history[0]) / (len(history) - 1)
    return [history[-1] + step * slope for step in range(1, horizon + 1)], True


def mean(history: Sequence[float], horizon: int) -> tuple[list[Score], bool]:
    return [math.fsum(history) / len(history)] * horizon, True


def ses(history: Sequence[float], horizon: int) -> tuple[list[Score], bool]:
    fits = [exponential_smoothing(history, step / 20) for step in range(1, 21)]
    losses = [math.fsum(error * error for error in errors) for _, errors in fits]
    best = losses.index(min(losses))
    rivals = [fit for fit, loss in zip(fits, losses, strict=True) if loss <= losses[best] * (1 + NEAR)]
    sizes = [[abs(error) for error in errors] for _, errors in rivals]
    return [fits[best][0]] * horizon, all(size == sizes[0] for size in sizes)


def exponential_smoothing(history: Sequence[float], alpha: float) -> tuple[float, list[float]]:
    """The level after the last value, and the one-step errors; the first level is the first value."""
    level, errors = history[0], []
    for value in history[1:]:
        errors.append(value - level)
        level = level + alpha * (value - level)
    return level, errors


FORECASTS: dict[str, Callable[[Sequence[float], int], tuple[list[Score], bool]]] = {
    "naive": naive,
    "drift": drift,
    "mean": mean,
    "ses": ses,
}
"""Forecasts of the next steps (None where there is none yet), and whether they were chosen clearly."""


@attrs.frozen
class Case:
    """One forecast of one step ahead, and all that judges it; moments in microseconds, no `release` where none came."""

    origin: int
    release: int | None
    batch: int
    horizon: int
    newest: float
    forecast: Score
    benchmark: Score
    reported: Score
    released: Score
    release_batch: int
    absolute_step: float
    squared_step: float


@attrs.frozen
class Report:
    """What a run should say of one variable; by forecaster, then horizon.

    `earlier` are the benchmark's cases before the period, from which the scale of its errors is learned, by horizon.
    """

    cases: dict[str, dict[int, list[Case]]]
    earlier: dict[int, list[Case]]
    origins: list[int]
    clear: bool
    size: float
    benchmark: str


def report(observations: Observations, spec: RunSpec) -> Report | None:
    """Hindcast from scratch at every origin; None where there is no origin."""
    rows = [row for row in rows_of(observations) if row[2] <= moment_of(spec.last_day + timedelta(days=1)) - 1]
    steps = grid(rows)
    final = dict(transformed(vintage(rows, max((row[2] for row in rows), default=0)), spec.target))
    horizons = range(1, spec.horizon + 1)
    cases: dict[str, dict[int, list[Case]]] = {name: {step: [] for step in horizons} for name in spec.forecasters}
    earlier: dict[int, list[Case]] = {step: [] for step in horizons}
    counts = [0] * (batch_of(moment_of(spec.last_day), spec) + 1)
    clear, size = True, 0.0
    (season, *_) = (*(spec.season.of(observations.variable) or ()), 1)
    for moment in origins(rows, spec):
        counted = moment >= moment_of(spec.start)
        known = transformed(vintage(rows, moment), spec.target)
        history = [value for _, value in known]
        size = max(size, *(abs(value) for value in history))
        if counted:
            counts[batch_of(moment, spec)] += 1
        moves = [abs(after - before) for before, after in zip(history, history[season:], strict=False)]
        made = {
            name: FORECASTS[name](history, spec.horizon)
            for name in (spec.forecasters if counted else (spec.benchmark,))
        }
        clear = clear and all(sure for _, sure in made.values())
        here = [stamp for stamp, _ in steps].index(known[-1][0])
        for ahead in horizons:
            stamp, release = steps[here + ahead] if here + ahead < len(steps) else (0, 0)
            released = dict(transformed(vintage(rows, release), spec.target)).get(stamp) if release else None
            for name, (forecasts, _) in made.items():
                case = Case(
                    origin=moment,
                    release=release or None,
                    batch=batch_of(moment, spec),
                    horizon=ahead,
                    newest=history[-1],
                    forecast=forecasts[ahead - 1],
                    benchmark=made[spec.benchmark][0][ahead - 1],
                    reported=final.get(stamp) if spec.actuals == "latest" and release else released,
                    released=released,
                    release_batch=batch_of(release, spec),
                    absolute_step=math.fsum(moves) / len(moves) if moves else 0.0,
                    squared_step=math.fsum(move * move for move in moves) / len(moves) if moves else 0.0,
                )
                (cases[name] if counted else earlier)[ahead].append(case)
    return Report(cases, earlier, counts, clear, size, spec.benchmark) if sum(counts) else None


def moment_of(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


def batch_of(moment: int, spec: RunSpec) -> int:
    return (moment - moment_of(spec.start)) // DAY // spec.batch_size_days


def grid(rows: Sequence[Row]) -> list[tuple[int, int]]:
    """Each timestamp that was newer than all known before its first release, with the moment of that release."""
    steps: list[tuple[int, int]] = []
    for moment in sorted({known for _, _, known in rows}):
        before = [stamp for stamp, _, known in rows if known < moment]
        fresh = {stamp for stamp, _, known in rows if known == moment and stamp > max(before, default=stamp - 1)}
        steps.extend((stamp, moment) for stamp in sorted(fresh))
    return steps


def origins(rows: Sequence[Row], spec: RunSpec) -> list[int]:
    """The moments at which the newest timestamp advances and enough is known, and up to 250 before the period."""
    advancing = sorted({moment for _, moment in grid(rows)})
    serving = [
        moment
        for moment in advancing
        if len(transformed(vintage(rows, moment), spec.target)) >= (spec.min_history or 0)
    ]
    before = [moment for moment in serving if moment < moment_of(spec.start)]
    return serving[max(0, len(before) - WARM_UP) :]


def scored(cases: Iterable[Case]) -> list[Case]:
    return [case for case in cases if case.forecast is not None and case.reported is not None]
