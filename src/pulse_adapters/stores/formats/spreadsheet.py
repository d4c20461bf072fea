"""Reader of Excel workbooks of one sheet: its cells as texts, by which columns are recognised as in any other file."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any, Final

import attrs
import numpy as np

from pulse_adapters.stores.formats.shapes import shaped
from pulse_adapters.stores.formats.table import Source, Table, refuse
from pulse_core.errors import SettingsError
from pulse_core.extras import missing

EXTRA: Final = "excel"
_EXACT: Final = 2.0**53
"""Below it a float holds every whole number."""


def read_spreadsheet(content: bytes, source: Source) -> Table:
    """Read the sheet of a workbook that holds something; its first row that is not blank is the header.

    Raises MalformedData where it is no workbook, has several such sheets, or no reading; SettingsError where the extra
    `excel` is not installed.
    """
    import pyarrow as pa

    name, first, rows = _only_sheet(content, source)
    width = max(len(row) for row in rows)
    header = [*map(_text, rows[0]), *([None] * (width - len(rows[0])))]
    names = [text or "" for text in header]
    used = [at for at in range(width) if names[at] or any(len(row) > at and row[at] != "" for row in rows[1:])]
    filled = [(number, row) for number, row in enumerate(rows[1:], start=first + 1) if any(cell != "" for cell in row)]
    columns = [pa.array([_text(row[at]) if len(row) > at else None for _, row in filled], pa.string()) for at in used]
    table = pa.table(columns, names=[names[at] for at in used])
    result = shaped(table, source, np.array([number for number, _ in filled], dtype=np.int64))
    return _of_sheet(result, name)


def _of_sheet(table: Table, name: str) -> Table:
    return attrs.evolve(table, understood=f"sheet {name!r}: {table.understood}")


def _only_sheet(content: bytes, source: Source) -> tuple[str, int, list[list[Any]]]:
    """Return the name, the number of the first row and the rows of the only sheet that holds anything."""
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ModuleNotFoundError as error:
        raise SettingsError([f"{source.context}: {missing(error.name, EXTRA)}"]) from error
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
            sheets = {name: workbook.get_sheet_by_name(name) for name in workbook.sheet_names}
            rows = {name: (sheet.start, sheet.to_python(skip_empty_area=True)) for name, sheet in sheets.items()}
    except CalamineError as error:
        raise refuse(f"is no sound workbook: {error}", source) from error
    filled = {name: (start, cells) for name, (start, cells) in rows.items() if cells}
    if len(filled) != 1:
        message = f"has {len(filled)} sheets that hold anything{_listed(filled)}: save the one that counts as a file"
        raise refuse(message, source)
    ((name, (start, cells)),) = filled.items()
    return name, (start[0] if start else 0) + 1, cells


def _listed(names: Iterable[str]) -> str:
    return f" ({', '.join(repr(name) for name in list(names)[:5])})" if names else ""


def _text(cell: Any) -> str | None:
    """Return a cell as text: whole numbers without a point, moments as ISO 8601, None for a blank one."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float):
        return str(int(cell)) if abs(cell) < _EXACT and cell == int(cell) else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat()
    return cell.isoformat() if isinstance(cell, date | time) else str(cell).strip()
