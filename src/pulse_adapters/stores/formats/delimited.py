"""Reader of delimited text with any columns, whose cells commas, semicolons, tabs or bars divide."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs
import numpy as np

from pulse_adapters.stores.formats.shapes import shaped
from pulse_adapters.stores.formats.table import Fault, Faults, Rows, Source, Table, malformed
from pulse_adapters.stores.formats.text import refuse_other_than_text
from pulse_core.errors import MalformedData

DELIMITERS: Final = (",", ";", "\t", "|")
_NAMES: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SAMPLE: Final = 100
"""Lines by which the delimiter is chosen."""


@attrs.frozen
class _Cells:
    """The cells of a text: the names of its columns, each column's cells, and the rows' numbers."""

    names: list[str]
    columns: list[list[str]]
    rows: Rows


def delimiters_of(content: bytes) -> list[str]:
    """Return the delimiters by which the first lines have as many cells as the header, which are two or more."""
    delimiters = []
    for delimiter in DELIMITERS:
        reader = csv.reader(_lines(content), delimiter=delimiter)
        try:
            widths = [len(cells) for cells, _ in zip(reader, range(_SAMPLE), strict=False) if any(cells)]
        except csv.Error:
            continue
        if widths and widths[0] > 1 and all(width == widths[0] for width in widths):
            delimiters.append(delimiter)
    return delimiters


def read_delimited(content: bytes, source: Source) -> Table:
    """Read UTF-8 text with a header of any names. Raises MalformedData where it has no reading, or several."""
    tables: dict[str, Table] = {}
    errors: dict[str, MalformedData] = {}
    for delimiter in delimiters_of(content) or _widest(content):
        try:
            tables[delimiter] = _read(content, delimiter, source)
        except MalformedData as error:
            errors[delimiter] = error
    if len(tables) > 1:
        raise _several_delimiters(list(tables), source)
    if not tables:
        raise next(iter(errors.values()), _no_columns(source))
    return next(iter(tables.values()))


def _no_columns(source: Source) -> MalformedData:
    hint = "The first line must be the columns' names, the cells divided by commas, semicolons, tabs or bars"
    return malformed([Fault(0, "has one column only, or lines before its header")], source.context, hint)


def delimited_table(content: bytes, source: Source) -> tuple[Any, Rows]:
    """Return text with a header as an Arrow table of texts, with its delimiter as metadata, and the rows' numbers.

    Raises MalformedData.
    """
    content = refuse_other_than_text(content, "CSV", source)
    delimiters = delimiters_of(content) or _widest(content) or [DELIMITERS[0]]
    if len(delimiters) > 1:
        raise _several_delimiters(delimiters, source)
    cells = _cells(content, delimiters[0], source)
    return _arrow(cells).replace_schema_metadata({"delimiter": delimiters[0]}), cells.rows


def _widest(content: bytes) -> list[str]:
    """Return the delimiter that divides the header most: its lines, which differ, are then told."""
    header = content[: content.find(b"\n") + 1 or None].decode("utf-8")
    delimiter = max(DELIMITERS, key=header.count)
    return [delimiter] if header.count(delimiter) else []


def _read(content: bytes, delimiter: str, source: Source) -> Table:
    cells = _cells(content, delimiter, source)
    return shaped(_arrow(cells), source, cells.rows, continental=delimiter == ";")


def _arrow(cells: _Cells) -> Any:
    import pyarrow as pa

    return pa.table([pa.array(column, pa.string()) for column in cells.columns], names=cells.names)


def _several_delimiters(delimiters: Sequence[str], source: Source) -> MalformedData:
    ways = " or ".join(_NAMES[delimiter] for delimiter in delimiters)
    hint = "Write it with one delimiter, and the cells that hold another in quotes"
    return malformed([Fault(0, f"its cells may be divided by {ways}")], source.context, hint)


def _cells(content: bytes, delimiter: str, source: Source) -> _Cells:
    reader = csv.reader(_lines(content), delimiter=delimiter, strict=True)
    faults = Faults(source.context)
    names: list[str] = []
    rows: list[int] = []
    lines: list[list[str]] = []
    last = 0
    try:
        names = [name.strip() for name in next(reader)]
        last = reader.line_num
        for number, cells in _numbered(reader):
            last = reader.line_num
            if len(cells) == len(names):
                rows.append(number)
                lines.append(cells)
            elif any(cells):
                faults.add(number, f"{len(cells)} fields, the header has {len(names)}")
    except csv.Error as error:
        faults.add(last + 1, f"is no CSV ({error}); nothing was read from here on")
    if faults.faults:
        raise malformed(faults.faults, source.context)
    columns = [list(column) for column in zip(*lines, strict=True)] or [[] for _ in names]
    return _Cells(names, columns, np.array(rows, dtype=np.int64))


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the number of its first line."""
    last = reader.line_num
    for cells in reader:
        yield last + 1, cells
        last = reader.line_num


def _lines(content: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
