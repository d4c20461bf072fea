"""Observations of one variable: what its values were said to be, and when."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import floats, moment_text, moments, optional_moments
from pulse_core.errors import MalformedData

Moments = NDArray[np.datetime64]
Values = NDArray[np.float64]


@attrs.frozen(eq=False)
class Observations:
    """Rows of one variable, sorted by when they became known, then by timestamp; read-only arrays.

    `timestamps` and `known_at` are UTC, datetime64[us], shape (row,); `values` are float64, finite, but NaN where a row
    retracts what an earlier one said of its timestamp. `known_at` is None where the data have no such column. `absent`
    counts the other rows whose value was blank. `source` is the name of the file or table in errors. `version` is the
    store's name of this version of its data (see ports.TellsVersions), '' where it has none. `caution` says what is
    doubtful about the source, '' where nothing is; `understood` what its columns were taken for, '' where they are our
    own. Raises MalformedData for faults that no store should let through.
    """

    variable: str
    timestamps: Moments = attrs.field(converter=moments)
    values: Values = attrs.field(converter=floats)
    known_at: Moments | None = attrs.field(converter=optional_moments, default=None)
    absent: int = 0
    source: str = ""
    version: str = ""
    caution: str = ""
    understood: str = ""

    def __attrs_post_init__(self) -> None:
        self._refuse_faults()
        if self.known_at is None and (self.timestamps[1:] > self.timestamps[:-1]).all():
            return  # in order, and none twice: as most come
        order = np.lexsort((self.timestamps, self._release_times))
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
        ) and all(
            np.array_equal(left, right, equal_nan=True)
            for left, right in zip(self._columns(), other._columns(), strict=True)
        )

    __hash__ = None  # type: ignore[assignment]  # equal by content, and arrays have no hash

    def __reduce__(self) -> tuple[Any, ...]:
        # numpy forgets the read-only flag on pickling: rebuild through the constructor
        columns = self._columns(optional=True)
        return type(self), (
            self.variable,
            *columns,
            self.absent,
            self.source,
            self.version,
            self.caution,
            self.understood,
        )

    def known_by(self, moment: np.datetime64) -> Observations:
        """Return the rows known at `moment`; `known_at` must have been resolved."""
        last = int(np.searchsorted(self.releases, moment, side="right"))
        if last == len(self):
            return self
        return attrs.evolve(
            self, timestamps=self.timestamps[:last], values=self.values[:last], known_at=self.releases[:last]
        )

    @property
    def releases(self) -> Moments:
        """When each row became known. Raises ValueError where `known_at` has not been resolved."""
        if self.known_at is None:
            raise ValueError(f"known_at of '{self.variable}' must be resolved first")
        return self.known_at

    def fingerprint(self) -> str:
        """Return the SHA-256 of all rows (little-endian), as hex."""
        digest = hashlib.sha256()
        for column in self._columns():
            digest.update(np.ascontiguousarray(column).astype(column.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()

    @property
    def _release_times(self) -> Moments:
        """`known_at`, or the timestamps where there is none."""
        return self.timestamps if self.known_at is None else self.known_at

    def _columns(self, *, optional: bool = False) -> tuple[Any, ...]:
        """Return the columns; `known_at` only where there is one, unless it is `optional`."""
        known_at = () if self.known_at is None and not optional else (self.known_at,)
        return (self.timestamps, self.values, *known_at)

    def _refuse_faults(self) -> None:
        lengths = {len(column) for column in self._columns()}
        faults = []
        if len(lengths) != 1:
            faults.append("the columns differ in length")
        if len(lengths) == 1 and not (np.isfinite(self.values) | self._retracts()).all():
            faults.append("a value is not finite")
        if any(np.isnat(column).any() for column in self._columns() if column is not self.values):
            faults.append("a time is missing")
        if not faults and self.known_at is not None and (self.known_at < self.timestamps).any():
            faults.append("a row is known before its timestamp")
        self._raise_for(faults)

    def _refuse_duplicates(self) -> None:
        released, stamps = self._release_times, self.timestamps
        is_repeated = (released[1:] == released[:-1]) & (stamps[1:] == stamps[:-1])
        if is_repeated.any():
            first = stamps[1:][is_repeated][0]
            count = int(is_repeated.sum())
            self._raise_for([f"{count} rows repeat a (timestamp, known_at), the first at {moment_text(first)}"])

    def _retracts(self) -> NDArray[np.bool_]:
        """Return which rows retract their timestamp: blank ones, of which an earlier one had a value."""
        return retractions(self.timestamps, self.values, self.known_at)

    def _raise_for(self, faults: list[str]) -> None:
        if faults:
            hint = "Correct the data; a timestamp may appear again only with another known_at"
            raise MalformedData.from_faults(faults, self.source or f"variable '{self.variable}'", hint)


def retractions(timestamps: Moments, values: Values, known_at: Moments | None) -> NDArray[np.bool_]:
    """Return which rows (row,), in any order, are blank (NaN) and became known after a value of their timestamp."""
    blank = np.isnan(values)
    if known_at is None or not blank.any():
        return np.zeros(len(values), dtype=bool)
    order = np.lexsort((known_at, timestamps))
    stamps, has_value = timestamps[order], ~blank[order]
    is_start = np.append(True, stamps[1:] != stamps[:-1])
    # values so far, less those before the timestamp's first row
    count = np.cumsum(has_value)
    before = (count - has_value)[is_start][np.cumsum(is_start) - 1]
    retracts = np.empty(len(values), dtype=bool)
    retracts[order] = ~has_value & (count > before)
    return retracts


def end_of(day: date) -> np.datetime64:
    """Return the last microsecond of a day."""
    return np.datetime64(day, "us") + np.timedelta64(1, "D") - np.timedelta64(1, "us")
