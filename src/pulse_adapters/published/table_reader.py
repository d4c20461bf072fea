"""Reader of a run's tables: selected columns and rows of their Parquet parts.

A part is read only where its bytes are those that `result.json` names: size and SHA-256 are checked first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.published.archive import Archive
from pulse_adapters.published.document import Part
from pulse_adapters.published.result_reader import DamagedPart, PublishedRun
from pulse_core.errors import RunNotFound
from pulse_core.tables import Column, Columns, Labels

_HINT: Final = "Run the same training again: it checks the parts of its tables, and writes this one anew"

_NAMES: Final = {"double": "float64", "float": "float32"}
"""What numpy calls types of Arrow that it names otherwise."""


@attrs.frozen(eq=False)
class Rows:
    """Rows of a table, column by column."""

    columns: Columns

    def __getitem__(self, column: str) -> NDArray[Any]:
        """Return the values of a column (row,): numbers, moments, or the codes of labels."""
        values = self.columns[column]
        return values.codes if isinstance(values, Labels) else values

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def names(self, column: str) -> tuple[str, ...]:
        """Return the names of a column of labels; codes index them."""
        labels = self.columns[column]
        if not isinstance(labels, Labels):
            raise TypeError(f"column '{column}' holds no labels")
        return labels.names

    def code(self, column: str, name: str) -> int:
        """Return the code of a name in a column of labels; -1 where the column lacks it."""
        names = self.names(column)
        return names.index(name) if name in names else -1

    def select(self, rows: NDArray[Any]) -> Rows:
        """Return the rows of a mask or of indexes."""
        return Rows({name: _selected(column, rows) for name, column in self.columns.items()})


@attrs.define(eq=False)
class RunTable:
    """Some columns of a run's table, `variable` among them; `parts` are the files of the table."""

    archive: Archive
    run_id: str
    parts: Sequence[Part]
    columns: Sequence[str]
    _opened: _OpenPart | None = None

    def check_parts(self) -> None:
        """Refuse parts that are missing or of another size, by a listing. Raises DamagedPart, SinkUnavailable.

        Their bytes are checked where they are read.
        """
        sizes = {table: self.archive.parts(self.run_id, table) for table in {part.table for part in self.parts}}
        for part in self.parts:
            self._check_size(part, sizes[part.table].get(part.name))

    def row_groups(
        self, part: Part, variables: Collection[str] | None = None, horizon: int | None = None
    ) -> Iterator[Rows]:
        """Yield the row groups of a part, with the rows of these variables and this horizon (None: of all).

        Raises DamagedPart where the part is missing, has changed or lacks a column; SinkUnavailable.
        """
        if variables is not None and not any(map(part.holds, variables)):
            return
        opened = self._open(part)
        for number in range(opened.groups):
            if variables is not None and not any(opened.may_hold(number, name) for name in variables):
                continue
            rows = self._rows(part, opened, number)
            selected = _matching(rows, variables, horizon)
            if selected.all():
                yield rows
            elif selected.any():
                yield rows.select(selected)

    def whole(self) -> Any:
        """Return all rows as a pyarrow Table with the columns in the order of the table. Raises as `row_groups`."""
        import pyarrow as pa

        pieces = []
        for part in self.parts:
            opened = self._open(part)
            with self._faults(part):
                pieces.append(opened.file.read(use_threads=False))
        return pa.concat_tables(pieces, promote_options="permissive").unify_dictionaries()

    def of(self, variable: str) -> Columns | None:
        """Return the rows of a variable; None where it has none. Raises as `row_groups`.

        The table holds one part in memory: read variables in name order.
        """
        for part in self.parts:
            if part.holds(variable):
                if self._opened is None or self._opened.name != part.name:
                    self._opened = self._open(part)
                pieces = [self._split(part, self._opened, number, variable) for number in range(self._opened.groups)]
                found = [piece for piece in pieces if piece is not None]
                if found:
                    return joined([Rows(columns) for columns in found]).columns
        return None

    def _split(self, part: Part, opened: _OpenPart, number: int, variable: str) -> Columns | None:
        """Return the rows of a variable in a row group, which is read once for all its variables."""
        if not opened.may_hold(number, variable):
            return None
        if number not in opened.split:
            opened.split[number] = rows_by_variable(self._rows(part, opened, number))
        return opened.split[number].get(variable)

    def _open(self, part: Part) -> _OpenPart:
        import pyarrow as pa
        import pyarrow.parquet

        content = self._content(part)
        with self._faults(part):
            # the SHA-256 covers the pages, and they are checked once more where they are decoded
            file = pyarrow.parquet.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
            missing = [name for name in self.columns if name not in file.schema_arrow.names]
        if missing:
            raise self._damaged(part, f"is a part of a table without {', '.join(missing)}")
        return _OpenPart(part.name, file, file.schema_arrow.get_field_index("variable"))

    def _rows(self, part: Part, opened: _OpenPart, number: int) -> Rows:
        with self._faults(part):
            group = opened.file.read_row_group(number, columns=list(self.columns), use_threads=False)
        return Rows({name: _column(group[name]) for name in self.columns})

    def _content(self, part: Part) -> bytes:
        """Return the bytes of a part, which are those that the result names. Raises DamagedPart, SinkUnavailable."""
        try:
            content = self.archive.read(self.run_id, part.name)
        except RunNotFound:
            raise self._missing(part) from None
        self._check_size(part, len(content))
        if hashlib.sha256(content).hexdigest() != part.sha256:
            raise self._damaged(part, "has changed since it was written: its SHA-256 is another")
        return content

    def _check_size(self, part: Part, size: int | None) -> None:
        if size is None:
            raise self._missing(part)
        if size != part.bytes:
            raise self._damaged(part, f"has {size:,} bytes, and had {part.bytes:,} when it was written")

    def _missing(self, part: Part) -> DamagedPart:
        return self._damaged(part, "is missing: the run's result names it as a part of a table")

    @contextmanager
    def _faults(self, part: Part) -> Iterator[None]:
        import pyarrow as pa

        try:
            yield
        except (pa.ArrowException, OSError) as error:
            first_line = str(error).partition("\n")[0][:200]
            raise self._damaged(part, f"is no sound part of a run's table: {first_line}") from error

    def _damaged(self, part: Part, message: str) -> DamagedPart:
        return DamagedPart(message, self.archive.address(self.run_id, part.name), _HINT)


@attrs.define(eq=False)
class _OpenPart:
    """A part that is being read; `split` are the row groups read so far, by variable.

    `position` is that of the column `variable`.
    """

    name: str
    file: Any
    position: int
    split: dict[int, dict[str, Columns]] = attrs.field(factory=dict)

    @property
    def groups(self) -> int:
        """The number of row groups."""
        return int(self.file.num_row_groups)

    def may_hold(self, number: int, variable: str) -> bool:
        """Whether a row group may have rows of a variable, by its statistics."""
        statistics = self.file.metadata.row_group(number).column(self.position).statistics
        if statistics is None or not statistics.has_min_max:
            return True
        return bool(statistics.min <= variable <= statistics.max)


def run_table(archive: Archive, run: PublishedRun, table: str, columns: Sequence[str]) -> RunTable:
    """Return columns of a run's table, `scores`, `batches` or `hindcasts`, with the labels of `variable`.

    Raises RunNotFound where the run has no such table.
    """
    parts = run.parts(table)
    if not parts:
        option = " with --hindcasts" if table == "hindcasts" else ""
        hint = f"Run the same training again{option}: finished variables are recalled, the table is written"
        raise RunNotFound(f"run '{run.run_id}' has no table '{table}'", run.address, hint)
    return RunTable(archive, run.run_id, parts, tuple(dict.fromkeys(("variable", *columns))))


def joined(groups: Sequence[Rows]) -> Rows:
    """Return the rows of all groups in order, their labels under one numbering. At least one group."""
    if len(groups) == 1:
        return groups[0]
    return Rows({name: _concatenated([group.columns[name] for group in groups]) for name in groups[0].columns})


def _concatenated(pieces: Sequence[Column]) -> Column:
    labels = [piece for piece in pieces if isinstance(piece, Labels)]
    if not labels:
        return np.concatenate([piece for piece in pieces if not isinstance(piece, Labels)])
    numbers = {
        name: number for number, name in enumerate(dict.fromkeys(name for piece in labels for name in piece.names))
    }
    codes = [np.array([numbers[name] for name in piece.names], dtype=np.int32)[piece.codes] for piece in labels]
    return Labels(tuple(numbers), np.concatenate(codes))


def rows_by_variable(rows: Rows) -> dict[str, Columns]:
    """Return the rows of each variable, in their order, without the column `variable`."""
    codes, names = rows["variable"], rows.names("variable")
    if (codes[1:] >= codes[:-1]).all():  # as they are written: slices share the memory
        order: Any = None
        edges = np.searchsorted(codes, np.arange(len(names) + 1))
    else:
        order = np.argsort(codes, kind="stable")
        edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
    columns = {name: column for name, column in rows.columns.items() if name != "variable"}
    return {
        name: {label: _selected(column, _positions(order, start, stop)) for label, column in columns.items()}
        for name, start, stop in zip(names, edges[:-1], edges[1:], strict=True)
    }


def _positions(order: NDArray[np.int64] | None, start: int, stop: int) -> Any:
    return slice(start, stop) if order is None else order[start:stop]


def _matching(rows: Rows, variables: Collection[str] | None, horizon: int | None) -> NDArray[np.bool_]:
    matching = np.ones(len(rows), dtype=bool)
    if variables is not None:
        matching &= np.array([name in variables for name in rows.names("variable")], dtype=bool)[rows["variable"]]
    if horizon is not None:
        matching &= rows["horizon"] == horizon
    return matching


def _column(chunks: Any) -> Column:
    import pyarrow as pa

    array = chunks.chunk(0) if chunks.num_chunks == 1 else chunks.combine_chunks()
    is_text = pa.types.is_dictionary(array.type) or pa.types.is_string(array.type)
    return _labels(array) if is_text else _values(array)


def _values(array: Any) -> NDArray[Any]:
    """Return an Arrow array as numpy's, of its memory where nothing is null; a null becomes NaN, or NaT.

    Arrow's own way would load pandas, which takes longer than most reading.
    """
    import pyarrow as pa

    bitmap, data = array.buffers()
    is_moment = pa.types.is_timestamp(array.type)
    dtype = np.dtype(f"datetime64[{array.type.unit}]" if is_moment else _NAMES.get(str(array.type), str(array.type)))
    start, stop = array.offset, array.offset + len(array)
    values: NDArray[Any] = np.frombuffer(data, dtype, count=stop)[start:]
    if array.null_count:
        valid = np.unpackbits(np.frombuffer(bitmap, np.uint8), count=stop, bitorder="little")[start:].astype(bool)
        values = np.where(valid, values, np.datetime64("NaT") if is_moment else np.nan)
    return values.astype("datetime64[us]", copy=False) if is_moment else values


def _labels(array: Any) -> Labels:
    """Return a text column as labels: the names that occur, in the order of their first row."""
    encoded = array if hasattr(array, "indices") else array.dictionary_encode()
    codes = _values(encoded.indices).astype(np.int64)
    first = np.full(len(encoded.dictionary), len(codes))
    first[codes[::-1]] = np.arange(len(codes))[::-1]  # of equal codes the last assignment stays: their first row
    used = np.flatnonzero(first < len(codes))
    order = used[np.argsort(first[used])]
    numbers = np.full(len(first), -1, dtype=np.int32)
    numbers[order] = np.arange(len(order))
    names = encoded.dictionary.to_pylist()
    return Labels(tuple(names[code] for code in order), numbers[codes])


def _selected(column: Column, rows: Any) -> Column:
    return Labels(column.names, column.codes[rows]) if isinstance(column, Labels) else column[rows]
