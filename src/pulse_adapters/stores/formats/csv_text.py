"""Reader of CSV: a quick one for plain and clean files, and a careful one for others, which finds the faults.

The careful reader reads every file of the quick one to the same bits. A row's number is its line in the file, from the
header in line 1; a row over several lines has the number of its first line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np

from pulse_adapters.stores.formats.arrow_columns import from_arrow
from pulse_adapters.stores.formats.cells import ABSENT_TEXTS
from pulse_adapters.stores.formats.delimited import read_delimited
from pulse_adapters.stores.formats.plain_csv import read_plain
from pulse_adapters.stores.formats.reading import Reading
from pulse_adapters.stores.formats.rows import TableBuilder
from pulse_adapters.stores.formats.shapes import is_own, own_or_shaped
from pulse_adapters.stores.formats.table import Faults, Source, Table, needed_columns, refuse
from pulse_adapters.stores.formats.text import refuse_other_than_text
from pulse_core.errors import MalformedData

_OFFSET = re.compile(r"[T ].*(?:Z|[+-]\d\d(?::?\d\d)?)")
# a quoted field between two commas or line ends, without quotes or line ends in it
_QUOTED = re.compile(rb'(?<![^,\r\n])"[^"\r\n]*"(?![^,\r\n])')
_CUT = "the last line has no end: was the file cut? Its last cell may lack characters"
_LONGEST_FIELD = 2**31 - 1
"""Python's own limit, of 128 KiB, is shorter than a note can be."""
_COLUMNS = ("timestamp", "value", "known_at", "variable")


def read_csv(content: bytes, source: Source) -> Table:
    """Read UTF-8 text with a header. Raises MalformedData where it is no such text or lacks a column."""
    content = refuse_other_than_text(content, "CSV", source)
    is_plain = not source.by_variable and source.reading == Reading()
    plain = read_plain(content) if is_plain else None
    if plain is not None:
        return plain if content.endswith(b"\n") else attrs.evolve(plain, caution=_CUT)
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(_lines(content))
    try:
        names = [name.strip() for name in next(reader)]
    except csv.Error as error:
        raise refuse(f"is no CSV: {error}", source) from error
    if not is_own(names, source.reading):
        return _with_caution(read_delimited(content, source), content)
    columns = needed_columns(names, source)
    quick = _quick(content, _first_row(reader, names), columns, source)
    if quick is None:
        quick = own_or_shaped(lambda: _careful(content, columns, source), lambda: read_delimited(content, source))
    return attrs.evolve(quick, caution=_CUT) if _may_be_cut(content, names) else quick


def _with_caution(table: Table, content: bytes) -> Table:
    """Return a table of any columns with the doubt about its last cell, where its last line has no end."""
    return table if content.endswith((b"\n", b"\r", b'"')) else attrs.evolve(table, caution=_CUT)


def _may_be_cut(content: bytes, names: list[str]) -> bool:
    """Whether the file may end within a cell of ours: its last line has no end, and its last column is one of ours."""
    return names[-1] in _COLUMNS and not content.endswith((b"\n", b"\r", b'"'))


def _lines(content: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")


def _first_row(reader: Iterator[list[str]], names: list[str]) -> dict[str, str]:
    try:
        return dict(zip(names, next(reader, []), strict=False))
    except csv.Error:  # the careful reader locates the fault
        return {}


def _quick(content: bytes, first: dict[str, str], columns: tuple[str, ...], source: Source) -> Table | None:
    """Return the table, or None where the careful reader is needed."""
    import pyarrow as pa
    import pyarrow.csv

    times = {bool(_OFFSET.search(first.get(name, ""))) for name in ("timestamp", "known_at") if name in columns}
    if len(times) > 1 or not _is_plain(content):  # which of the two columns may hold what, the careful reader knows
        return None
    try:
        table = pyarrow.csv.read_csv(
            pa.py_buffer(content),
            read_options=pyarrow.csv.ReadOptions(use_threads=False),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=columns,
                column_types={name: _arrow_type(name, first.get(name, "")) for name in columns},
                null_values=ABSENT_TEXTS,
            ),
        )
        rows = from_arrow(table, source, np.arange(2, table.num_rows + 2))
    except (pa.ArrowException, MalformedData):  # the careful reader describes and locates the fault
        return None
    # NaN by another spelling, such as nan(1), is for the careful reader
    strange = np.count_nonzero(np.isnan(rows.values)) != table.column("value").null_count
    skipped = content.rstrip(b"\r\n").count(b"\n") != table.num_rows
    return None if rows.faults or strange or skipped else rows


def _is_plain(content: bytes) -> bool:
    """Whether all lines end alike and every quote encloses a field within its line."""
    returns, quotes = content.count(b"\r"), content.count(b'"')
    if returns and returns != content.count(b"\r\n"):
        return False
    return not quotes or 2 * sum(1 for _ in _QUOTED.finditer(content)) == quotes


def _arrow_type(column: str, first: str) -> Any:
    """Return the Arrow type of a column; the first row decides whether times have an offset."""
    import pyarrow as pa

    if column == "value":
        return pa.float64()
    if column == "variable":
        return pa.dictionary(pa.int32(), pa.string())
    return pa.timestamp("us", "UTC" if _OFFSET.search(first) else None)


def _careful(content: bytes, columns: tuple[str, ...], source: Source) -> Table:
    reader = csv.reader(_lines(content), strict=True)
    builder = TableBuilder(Faults(source.context), "known_at" in columns, source.by_variable)
    last = 0
    try:
        header = [name.strip() for name in next(reader)]
        positions = [header.index(name) if name in columns else None for name in _COLUMNS]
        last = reader.line_num
        for fields in reader:
            row, last = last + 1, reader.line_num
            if len(fields) == len(header):
                timestamp, value, known_at, variable = (None if at is None else fields[at] for at in positions)
                builder.add(row, (timestamp, value, known_at, variable))
            elif fields:
                builder.faults.add(row, f"{len(fields)} fields, the header has {len(header)}")
    except csv.Error as error:
        builder.faults.add(last + 1, f"is no CSV ({error}); nothing was read from here on")
    return builder.table()
