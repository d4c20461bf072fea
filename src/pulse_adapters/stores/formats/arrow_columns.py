"""Conversion of a pyarrow Table with our columns into a Table."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.stores.formats.arrow_cells import (
    FaultyCells,
    WrongType,
    codes_and_texts,
    is_text,
    moments,
    numbers,
    timestamps,
)
from pulse_adapters.stores.formats.table import (
    FAULTS_READ,
    Faults,
    Rows,
    Source,
    Table,
    grouped,
    normal_names,
    ordered,
    refuse,
    several_variables,
)


def from_arrow(table: Any, source: Source, rows: Rows) -> Table:
    """Return the Table of a pyarrow Table with each of our columns once; `rows` (row,) are the rows' numbers.

    Raises MalformedData where a column's type holds no times, numbers or names.
    """
    faults = Faults(source.context)
    owners = _owners(table, rows, faults, source) if source.by_variable else None
    if not source.by_variable and "variable" in table.column_names:
        _refuse_several(table.column("variable"), source)
    cells: dict[str, NDArray[Any]] = {}
    for name, convert in (("timestamp", timestamps), ("value", numbers), ("known_at", moments)):
        if name not in table.column_names:
            continue
        try:
            cells[name], faulty = convert(table.column(name))
        except WrongType as error:
            raise _wrong_type(table, name, source) from error
        _report(name, faulty, rows, owners, faults)
    groups = grouped(owners.names, owners.codes) if owners else None
    return Table(cells["timestamp"], cells["value"], cells.get("known_at"), rows, ordered(faults.faults), groups)


@attrs.frozen(eq=False)
class _Owners:
    """The variable of each row: codes (row,) into names, -1 where it is missing."""

    codes: NDArray[np.int64]
    names: list[str]

    def of(self, at: int) -> str | None:
        code = int(self.codes[at])
        return None if code < 0 else self.names[code]


def _owners(table: Any, rows: Rows, faults: Faults, source: Source) -> _Owners:
    column = table.column("variable")
    if not is_text(column.type):
        raise _wrong_type(table, "variable", source)
    codes, texts = codes_and_texts(column)
    codes[np.isin(codes, [code for code, text in enumerate(texts) if not text])] = -1
    for at in np.flatnonzero(codes < 0)[:FAULTS_READ]:
        faults.add(int(rows[at]), "variable is missing")
    return _Owners(codes, normal_names([text or "" for text in texts], source.context))


def _refuse_several(column: Any, source: Source) -> None:
    """Raise MalformedData where a column of labels holds different ones; other types than texts and integers pass."""
    import pyarrow as pa

    if is_text(column.type) or pa.types.is_integer(column.type):
        labels = column.unique().to_pylist()
        if len(labels) > 1:
            raise several_variables(labels, source.context)


def _report(name: str, faulty: list[FaultyCells], rows: Rows, owners: _Owners | None, faults: Faults) -> None:
    for cells in faulty:
        for at, message in zip(cells.at, cells.message, strict=True):
            faults.add(int(rows[at]), f"{name} {message}", owners.of(at) if owners else None)


def _wrong_type(table: Any, name: str, source: Source) -> Exception:
    due = {"value": "numbers", "variable": "names"}.get(name, "times")
    return refuse(f"column '{name}' holds {table.column(name).type}, not {due}", source)
