"""Observations of one variable, and the rule that says when each became known."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import floats, moments, optional_moments
from pulse_core.errors import MalformedData
from pulse_core.spec import known_at_delay

Moments = NDArray[np.datetime64]
Values = NDArray[np.float64]

MONTHS_NEEDED = 12


@attrs.frozen(eq=False)
class Observations:
    """Rows of one variable, sorted by when they became known, then by timestamp; read-only arrays.

    `timestamps` and `known_at` are UTC, datetime64[us], shape (row,); `values` are float64, finite. `known_at` is None
    where the data do not say. `absent` counts rows whose value was blank. `source` names the place for errors.
    `version` is what the store calls this version of its data (see ports.TellsVersions), '' where it has no name for
    it. Raises MalformedData for faults that no store should let through.
    """

    variable: str
    timestamps: Moments = attrs.field(converter=moments)
    values: Values = attrs.field(converter=floats)
    known_at: Moments | None = attrs.field(converter=optional_moments, default=None)
    absent: int = 0
    source: str = ""
    version: str = ""

    def __attrs_post_init__(self) -> None:
        self._refuse_faults()
        known = self.timestamps if self.known_at is None else self.known_at
        order = np.lexsort((self.timestamps, known))
        if not np.array_equal(order, np.arange(len(order))):
            for name in ("timestamps", "values") + (() if self.known_at is None else ("known_at",)):
                array = getattr(self, name)[order]
                array.flags.writeable = False
                object.__setattr__(self, name, array)
        self._refuse_duplicates()

    def __len__(self) -> int:
        return len(self.values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Observations):
            return NotImplemented
        return (self.variable, self.absent, self.known_at is None) == (
            other.variable,
            other.absent,
            other.known_at is None,
        ) and all(np.array_equal(mine, theirs) for mine, theirs in zip(self._columns(), other._columns(), strict=True))

    __hash__ = None  # type: ignore[assignment]  # equal by content, and arrays have no hash

    def __reduce__(self) -> tuple[Any, ...]:
        # numpy forgets the read-only flag on pickling: rebuild through the constructor
        return type(self), (self.variable, *self._columns(optional=True), self.absent, self.source, self.version)

    def known_by(self, moment: np.datetime64) -> Observations:
        """Return the rows known at `moment` or before; `known_at` must have been resolved."""
        last = int(np.searchsorted(self.releases, moment, side="right"))
        return attrs.evolve(
            self, timestamps=self.timestamps[:last], values=self.values[:last], known_at=self.releases[:last]
        )

    @property
    def releases(self) -> Moments:
        """When each row became known, once that has been resolved. Raises ValueError before."""
        if self.known_at is None:
            raise ValueError(f"known_at of '{self.variable}' must be resolved first")
        return self.known_at

    def fingerprint(self) -> str:
        """Return the SHA-256 of all rows (little-endian), as hex."""
        digest = hashlib.sha256()
        for column in self._columns():
            digest.update(np.ascontiguousarray(column).astype(column.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()

    def _columns(self, *, optional: bool = False) -> tuple[Any, ...]:
        known = () if self.known_at is None and not optional else (self.known_at,)
        return (self.timestamps, self.values, *known)

    def _refuse_faults(self) -> None:
        lengths = {len(column) for column in self._columns()}
        faults = []
        if len(lengths) != 1:
            faults.append("the columns differ in length")
        if not np.isfinite(self.values).all():
            faults.append("a value is not finite")
        if any(np.isnat(column).any() for column in self._columns() if column is not self.values):
            faults.append("a time is missing")
        if not faults and self.known_at is not None and (self.known_at < self.timestamps).any():
            faults.append("a row is known before its timestamp")
        self._raise_for(faults)

    def _refuse_duplicates(self) -> None:
        known = self.timestamps if self.known_at is None else self.known_at
        same = (known[1:] == known[:-1]) & (self.timestamps[1:] == self.timestamps[:-1])
        if same.any():
            twice = self.timestamps[1:][same][0]
            self._raise_for([f"{int(same.sum())} rows repeat a (timestamp, known_at), the first at {twice}"])

    def _raise_for(self, faults: list[str]) -> None:
        if faults:
            hint = "Mend the data; a timestamp may come again only with another known_at"
            raise MalformedData.from_faults(faults, self.source or f"variable '{self.variable}'", hint)


def resolve_known_at(observations: Observations, rule: str, last_day: date) -> KnownRows:
    """Say when each row became known, by `rule` (METHOD.md, "observation"); return the rows and the rule applied.

    `auto` keeps a `known_at` column; without one it takes the end of the period where the data are monthly or
    coarser, else the timestamp. It looks only at rows that either reading would know by the end of `last_day`.
    """
    if rule == "auto":
        if observations.known_at is not None:
            return KnownRows(observations, "column")
        rule = "period-end" if _stamped_at_period_start(observations.timestamps, last_day) else "timestamp"
    known, applied = _known_by_rule(observations.timestamps, rule, last_day)
    return KnownRows(attrs.evolve(observations, known_at=known), applied)


def settled_by(observations: Observations, rule: str, last_day: date) -> bool:
    """Whether all rows are known by the end of a day, and would be by the same rule on any later one.

    `observations` as the data say, `rule` as asked for.
    """
    known = resolve_known_at(observations, rule, date.max).known.releases
    if rule == "auto" and observations.known_at is None:
        # which rule it is hangs on the periods that are over
        _, months = _settled(observations.timestamps, date.max)
        known = np.maximum(known, _period_ends(observations.timestamps, months))
    return bool((known <= end_of(last_day)).all())


@attrs.frozen
class KnownRows:
    """The rows of a variable that were known by some moment, and the rule that said when each became known."""

    known: Observations
    rule: str

    def by(self, day: date) -> KnownRows:
        """Return the rows known by the end of a day."""
        return KnownRows(self.known.known_by(end_of(day)), self.rule)


def end_of(day: date) -> np.datetime64:
    """Return the last microsecond of a day."""
    return np.datetime64(day, "us") + np.timedelta64(1, "D") - np.timedelta64(1, "us")


def _known_by_rule(timestamps: Moments, rule: str, last_day: date) -> tuple[Moments, str]:
    delay = known_at_delay(rule)
    if delay is not None:
        return timestamps + np.timedelta64(delay, "D"), rule
    if rule == "timestamp":
        return timestamps, rule
    _, months = _settled(timestamps, last_day)
    # a stamp late on the period's last day is known no earlier than itself
    return np.maximum(_period_ends(timestamps, months), timestamps), f"{rule} ({months} months)"


def _stamped_at_period_start(timestamps: Moments, last_day: date) -> bool:
    stamps, _ = _settled(timestamps, last_day)
    # the cheap look first: most series are daily
    on_the_first = bool((stamps == stamps.astype("datetime64[M]").astype(stamps.dtype)).all())
    return on_the_first and len(np.unique(stamps)) >= MONTHS_NEEDED


def _settled(timestamps: Moments, last_day: date) -> tuple[Moments, int]:
    """Return the stamps whose period has ended by `last_day`, and the period's months: known by then as either reads.

    The period is the smallest step between these very stamps; from a month upwards, the first that agrees.
    """
    months = 1
    while True:
        stamps = timestamps[_period_ends(timestamps, months) <= np.datetime64(last_day, "D")]
        steps = np.diff(np.sort(stamps.astype("datetime64[M]").astype(np.int64)))
        steps = steps[steps > 0]
        found = int(steps.min(initial=np.iinfo(np.int64).max))
        if not len(steps) or found <= months:
            return stamps, months
        months = found


def _period_ends(timestamps: Moments, months: int) -> Moments:
    """Return the last day of the period that begins in each stamp's month, at midnight."""
    ends = (timestamps.astype("datetime64[M]") + months).astype("datetime64[D]") - np.timedelta64(1, "D")
    return ends.astype("datetime64[us]")
