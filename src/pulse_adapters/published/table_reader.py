"""A run's tables read back from the Parquet that parts.py writes, variable by variable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.errors import SinkUnavailable
from pulse_core.tables import Column, Columns, Labels

Read = Callable[[str], bytes]
"""Returns the content of a part by its name."""


@attrs.define(eq=False)
class RunTable:
    """Some columns of a run's table. `parts` are the names of its files, which `read` reads.

    One part is held at a time: ask for variables in the order of `variables`.
    """

    read: Read
    parts: Sequence[str]
    columns: Sequence[str]
    _part_of: dict[str, str] | None = None
    _held: tuple[str, dict[str, Columns]] = ("", {})

    def variables(self) -> tuple[str, ...]:
        """Return the variables that have rows, part after part. Raises SinkUnavailable."""
        return tuple(self._index())

    def of(self, variable: str) -> Columns:
        """Return a variable's rows; KeyError where it has none. Raises SinkUnavailable."""
        part = self._index()[variable]
        if self._held[0] != part:
            self._held = part, self._split(part)
        return self._held[1][variable]

    def _index(self) -> dict[str, str]:
        if self._part_of is None:
            self._part_of = {
                name: part
                for part in self.parts
                for name in _labels(self._table(part, ("variable",))["variable"]).names
            }
        return self._part_of

    def _split(self, part: str) -> dict[str, Columns]:
        table = self._table(part, ("variable", *self.columns))
        variable = _labels(table["variable"])
        columns = {name: _column(table[name]) for name in self.columns}
        order = np.argsort(variable.codes, kind="stable")
        edges = np.searchsorted(variable.codes[order], np.arange(len(variable.names) + 1))
        return {
            name: {key: _at(column, order[start:stop]) for key, column in columns.items()}
            for name, start, stop in zip(variable.names, edges[:-1], edges[1:], strict=True)
        }

    def _table(self, part: str, columns: Sequence[str]) -> Any:
        import pyarrow as pa
        import pyarrow.parquet

        try:
            return pyarrow.parquet.read_table(pa.BufferReader(self.read(part)), columns=list(columns))
        except (pa.ArrowException, OSError, KeyError) as error:
            first_line = str(error).partition("\n")[0][:200]
            hint = "Run the same training again: the table is written anew"
            raise SinkUnavailable(f"is no sound part of a run's table: {first_line}", part, hint) from error


def _column(chunks: Any) -> Column:
    import pyarrow as pa

    if pa.types.is_dictionary(chunks.type) or pa.types.is_string(chunks.type):
        return _labels(chunks)
    # a null is a NaN, or a NaT
    values: NDArray[Any] = chunks.to_numpy(zero_copy_only=False)
    return values.astype("datetime64[us]") if values.dtype.kind == "M" else values


def _labels(chunks: Any) -> Labels:
    """Return a text column as labels: the names that occur, in the order of their first row."""
    encoded = chunks.combine_chunks() if chunks.num_chunks != 1 else chunks.chunk(0)
    whole = encoded if hasattr(encoded, "indices") else encoded.dictionary_encode()
    codes = whole.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    used, first = np.unique(codes, return_index=True)
    order = used[np.argsort(first)]
    place = np.full(len(whole.dictionary), -1, dtype=np.int32)
    place[order] = np.arange(len(order))
    names = whole.dictionary.to_pylist()
    return Labels(tuple(names[code] for code in order), place[codes])


def _at(column: Column, rows: NDArray[np.int64]) -> Column:
    return Labels(column.names, column.codes[rows]) if isinstance(column, Labels) else column[rows]
