"""Parts of a run's Parquet tables as arrays: only the columns and rows that are asked for."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.errors import MalformedData


@attrs.frozen(eq=False)
class Rows:
    """Some rows of a table: numbers and moments as arrays, labels as codes into `names`."""

    columns: dict[str, NDArray[Any]]
    names: dict[str, tuple[str, ...]]

    def __getitem__(self, column: str) -> NDArray[Any]:
        return self.columns[column]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def where(self, chosen: NDArray[Any]) -> Rows:
        """Return the chosen rows: a mask or places."""
        return Rows({name: column[chosen] for name, column in self.columns.items()}, self.names)

    def code(self, column: str, name: str) -> int:
        """Return the code of a label; -1 where no row bears it."""
        names = self.names[column]
        return names.index(name) if name in names else -1


def read_rows(
    content: bytes, context: str, columns: Sequence[str], variables: Collection[str] | None, horizon: int | None = None
) -> Iterator[Rows]:
    """Yield a part's rows, row group by row group, of these variables (None: all) and horizon (None: all).

    Columns that the part lacks are left out. Raises MalformedData where the file is no Parquet.
    """
    import pyarrow as pa
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
        there = [name for name in columns if name in file.schema_arrow.names]
        for group in range(file.num_row_groups):
            rows = _rows(file.read_row_group(group, columns=there, use_threads=False))
            chosen = _chosen(rows, variables, horizon)
            if chosen.any():
                yield rows.where(chosen)
    except pa.ArrowInvalid as error:
        hint = "Run the same training again: finished variables are recalled"
        raise MalformedData(f"not a part of a run's table: {error}", context, hint) from error


def joined(parts: Sequence[Rows]) -> Rows:
    """Return all rows in one, their labels under one numbering; at least one part."""
    names = {
        label: tuple(dict.fromkeys(name for part in parts for name in part.names[label])) for label in parts[0].names
    }
    columns = {}
    for column in parts[0].columns:
        pieces = [_renumbered(part, column, names) if column in names else part[column] for part in parts]
        columns[column] = np.concatenate(pieces)
    return Rows(columns, names)


def _renumbered(part: Rows, column: str, names: dict[str, tuple[str, ...]]) -> NDArray[Any]:
    place = {name: number for number, name in enumerate(names[column])}
    mapping = np.array([place[name] for name in part.names[column]], dtype=np.int64)
    return np.asarray(mapping[part[column]])


def _rows(table: Any) -> Rows:
    import pyarrow as pa

    columns, names = {}, {}
    table = table.unify_dictionaries().combine_chunks()
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_dictionary(column.type):
            chunk = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
            names[name] = tuple(chunk.dictionary.to_pylist())
            columns[name] = chunk.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        elif pa.types.is_timestamp(column.type):
            columns[name] = column.cast(pa.timestamp("us")).to_numpy().astype("datetime64[us]")
        else:
            columns[name] = column.to_numpy()
    return Rows(columns, names)


def _chosen(rows: Rows, variables: Collection[str] | None, horizon: int | None) -> NDArray[np.bool_]:
    chosen = np.ones(len(rows), dtype=bool)
    if variables is not None:
        wanted = np.array([name in variables for name in rows.names["variable"]], dtype=bool)
        chosen &= wanted[rows["variable"]]
    if horizon is not None:
        chosen &= rows["horizon"] == horizon
    return chosen
