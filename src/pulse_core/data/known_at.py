"""The rules by which each row of a variable became known, where its data do not say (METHOD.md, "observation")."""

from __future__ import annotations

from datetime import date
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.data.observations import Moments, Observations, end_of
from pulse_core.data.period_starts import Months, PeriodStarts, nearest_months, period_starts
from pulse_core.data.zones import UTC
from pulse_core.errors import DataError
from pulse_core.spec import known_at_delay

_LAST_DAY: Final = np.datetime64("9999-12-31", "D")
_COLUMN_HINT: Final = (
    "Leave --known-at out: the column known_at says when each release became known. Variables that need a rule go into "
    "a run of their own"
)
_HINT: Final = (
    "Say when the rows became known: --known-at period-end (each stands for the month, quarter or year that begins "
    "there), timestamp (known at once) or +Nd; or correct the dates"
)


@attrs.frozen
class KnownRows:
    """The rows of a variable that were known by a moment, and the rule by which each became known."""

    known: Observations
    rule: str

    def by(self, day: date) -> KnownRows:
        """Return the rows known by the end of a day."""
        return KnownRows(self.known.known_by(end_of(day)), self.rule)


def resolve_known_at(observations: Observations, rule: str, last_day: date) -> KnownRows:
    """Return the rows with the moment at which each became known by `rule`.

    `auto` keeps a `known_at` column; without one a row is known at the end of its period where all timestamps are the
    first of a month at one time of day, in any one time zone, else at its timestamp. Which of the two applies is
    decided from the rows that both would make known by the end of `last_day`. Raises DataError where timestamps come
    near to that and miss.
    """
    if rule == "auto" and observations.known_at is not None:
        return KnownRows(observations, "column")
    stamps = observations.timestamps
    delay = known_at_delay(rule)
    if delay is not None:
        return KnownRows(_released(observations, _later(stamps, delay)), rule)
    if rule == "timestamp":
        return KnownRows(_released(observations, stamps), rule)
    starts = _starts_by(stamps, last_day)
    if rule == "auto" and starts.near:
        raise DataError(starts.near, observations.source or f"variable '{observations.variable}'", _HINT)
    if rule == "auto" and starts.zone is None:
        return KnownRows(_released(observations, stamps), "timestamp")
    in_month = starts.months(stamps)
    _, months = _completed_periods(in_month, last_day)
    # a row stamped late on its period's last day is known no earlier than its timestamp
    known_at = np.maximum(_period_ends(in_month, months), stamps)
    zone = "" if starts.zone in (None, UTC) else f", {starts.zone}"
    return KnownRows(_released(observations, known_at), f"period-end ({months} months{zone})")


def settled_by(observations: Observations, rule: str, last_day: date) -> bool:
    """Whether all rows are known by the end of `last_day`, by a rule that no later day changes.

    `observations` are as the store gives them, `rule` is that of the spec.
    """
    try:
        known_at = resolve_known_at(observations, rule, date.max).known.releases
    except DataError:  # later rows leave no rule
        return False
    if rule == "auto" and observations.known_at is None:
        # the rule depends on the periods that have ended
        in_month = nearest_months(observations.timestamps)
        _, months = _completed_periods(in_month, date.max)
        known_at = np.maximum(known_at, _period_ends(in_month, months))
    return bool((known_at <= end_of(last_day)).all())


def near_miss(observations: Observations, last_day: date) -> str:
    """Say what keeps timestamps that come near to period starts from being such; empty where nobody need ask."""
    return "" if observations.known_at is not None else _starts_by(observations.timestamps, last_day).near


def _released(observations: Observations, known_at: Moments) -> Observations:
    """Return the rows known at other moments; raises DataError where a timestamp has several releases."""
    if observations.known_at is not None and len(np.unique(observations.timestamps)) < len(observations):
        message = "timestamps have several releases, and one rule for all would make them known at one moment"
        raise DataError(message, observations.source or f"variable '{observations.variable}'", _COLUMN_HINT)
    return attrs.evolve(observations, known_at=known_at)


def _later(timestamps: Moments, days: int) -> Moments:
    """Return timestamps some days later, at the latest on the last day that there is."""
    room = (_LAST_DAY - timestamps.astype("datetime64[D]")).astype(np.int64)
    return np.asarray(timestamps + np.minimum(room, days).astype("timedelta64[D]"))


def _starts_by(timestamps: Moments, last_day: date) -> PeriodStarts:
    """Return how the timestamps whose period has ended by a day stand to the starts of months."""
    is_completed, _ = _completed_periods(nearest_months(timestamps), last_day)
    return period_starts(timestamps[is_completed])


def _completed_periods(in_month: Months, last_day: date) -> tuple[NDArray[np.bool_], int]:
    """Return which timestamps' periods have ended by `last_day`, given their months; and the months of a period.

    A period is as long as the smallest step between those timestamps, at least a month. A longer period leaves
    fewer timestamps, so the length grows from a month until it is no longer than that step.
    """
    months = 1
    # a period has ended by a day if the month after it begins on the next day at the latest
    latest = (np.datetime64(last_day, "D") + 1).astype("datetime64[M]")
    while True:
        is_completed = in_month + months <= latest
        steps = np.diff(np.sort(in_month[is_completed].view(np.int64)))
        steps = steps[steps > 0]
        smallest = int(steps.min(initial=np.iinfo(np.int64).max))
        if not len(steps) or smallest <= months:
            return is_completed, months
        months = smallest


def _period_ends(in_month: Months, months: int) -> Moments:
    """Return the last day, at midnight, of the period that begins in each month."""
    ends = (in_month + months).astype("datetime64[D]") - np.timedelta64(1, "D")
    return ends.astype("datetime64[us]")
