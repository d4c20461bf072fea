"""Builder of a Table from rows of plain Python values, for the careful readers; it lists every fault."""

from __future__ import annotations

from array import array

import attrs
import numpy as np

from pulse_adapters.stores.formats.cells import NOT_A_TIME, moment_and_kind, number
from pulse_adapters.stores.formats.offsets import Offsets
from pulse_adapters.stores.formats.table import Faults, Table, grouped, normal_names, ordered, several_variables
from pulse_core.arrays import normal_form

Row = tuple[object, object, object, object]
"""The cells timestamp, value, known_at and variable of a row; None for a column that the source lacks.

In a source of one variable the cell variable must be the same in all rows.
"""


def _integers() -> array[int]:
    return array("q")


@attrs.define
class TableBuilder:
    """The rows of a Table so far. Raises MalformedData once there are too many faults to read on."""

    faults: Faults
    with_known_at: bool
    by_variable: bool
    _numbers: array[int] = attrs.field(factory=_integers)
    _timestamps: array[int] = attrs.field(factory=_integers)
    _known_at: array[int] = attrs.field(factory=_integers)
    _values: array[float] = attrs.field(factory=lambda: array("d"))
    _codes: array[int] = attrs.field(factory=_integers)
    _names: dict[str, int] = attrs.field(factory=dict)
    _offsets: Offsets = attrs.field(factory=Offsets)
    _label: str | None = None

    def add(self, row: int, cells: Row) -> None:
        """Add a row under its number, and its faults to the list."""
        timestamp, value, known_at, variable = cells
        owner = None
        if self.by_variable:
            owner = self._owner(row, variable)
        else:
            self._refuse_another_label(variable)
        self._numbers.append(row)
        self._timestamps.append(self._moment(row, "timestamp", timestamp, owner))
        self._values.append(self._value(row, value, owner))
        if self.with_known_at:
            self._known_at.append(self._moment(row, "known_at", known_at, owner))

    def table(self) -> Table:
        """Return the Table of the added rows."""
        codes = np.array(self._codes, dtype=np.int64)
        return Table(
            np.array(self._timestamps, dtype=np.int64).view("datetime64[us]"),
            np.array(self._values, dtype=np.float64),
            np.array(self._known_at, dtype=np.int64).view("datetime64[us]") if self.with_known_at else None,
            np.array(self._numbers, dtype=np.int64),
            ordered(self.faults.faults),
            grouped(normal_names(list(self._names), self.faults.context), codes) if self.by_variable else None,
        )

    def _refuse_another_label(self, variable: object) -> None:
        label = "" if variable is None else str(variable)
        if self._label is None:
            self._label = label
        elif self._label != label:
            raise several_variables([self._label, label], self.faults.context)

    def _owner(self, row: int, variable: object) -> str | None:
        if isinstance(variable, str) and variable:
            self._codes.append(self._names.setdefault(variable, len(self._names)))
            return normal_form(variable)
        self.faults.add(row, "variable is missing")
        self._codes.append(-1)
        return None

    def _moment(self, row: int, column: str, cell: object, owner: str | None) -> int:
        try:
            parsed, kind = moment_and_kind(cell)
        except ValueError as error:
            self.faults.add(row, f"{column} {error}", owner)
            return NOT_A_TIME
        mixture = self._offsets.mixture(row, column, kind)
        if mixture is not None:
            self.faults.add(row, mixture)
        return parsed

    def _value(self, row: int, cell: object, owner: str | None) -> float:
        try:
            return number(cell)
        except ValueError as error:
            self.faults.add(row, f"value {error}", owner)
            return float("nan")
