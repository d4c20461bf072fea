"""Reader of Parquet: it checks the footer first, then reads our columns only. Rows are numbered from 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from pulse_adapters.stores.formats.arrow_columns import from_arrow
from pulse_adapters.stores.formats.memory import ALWAYS
from pulse_adapters.stores.formats.shapes import is_own, own_or_shaped, shaped
from pulse_adapters.stores.formats.table import Rows, Source, Table, needed_columns, refuse

FOOTER_LIMIT = 16 * 2**20
"""Bytes of metadata; a thousand row groups of a few columns have less than one MiB."""

COLUMN_LIMIT = 10_000

_MAGIC = b"PAR1"
_ROW_BYTES = 24
"""Of a row as numbers; reading takes a little more than twice as much."""
_ODD_RATIO = 1_000
"""Times a file's size that its rows may take: moments that differ pack to a hundredth at best."""


def read_parquet(content: bytes, source: Source) -> Table:
    """Read our columns of a Parquet file of bounded size; raises MalformedData."""
    import pyarrow as pa
    import pyarrow.parquet

    _refuse_other_than_parquet(content, source)
    try:
        file = pyarrow.parquet.ParquetFile(pa.BufferReader(content))
        columns = _columns(file, len(content), source)
        table = file.read(columns=None if columns is None else list(columns), use_threads=False)
        rows = np.arange(1, table.num_rows + 1)
        if columns is None:
            return shaped(table, source, rows)
        return own_or_shaped(lambda: from_arrow(table, source, rows), lambda: shaped(table, source, rows))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise refuse(f"is no sound Parquet: {_first_line(error)}", source) from error


def parquet_table(content: bytes, source: Source) -> tuple[Any, Rows]:
    """Return all columns of a Parquet file of bounded size as an Arrow table, and the rows' numbers."""
    import pyarrow as pa
    import pyarrow.parquet

    _refuse_other_than_parquet(content, source)
    try:
        file = pyarrow.parquet.ParquetFile(pa.BufferReader(content))
        _refuse_large(file, len(content), source)
        table = file.read(use_threads=False)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise refuse(f"is no sound Parquet: {_first_line(error)}", source) from error
    return table, np.arange(1, table.num_rows + 1)


def _refuse_other_than_parquet(content: bytes, source: Source) -> None:
    if not content:
        raise refuse("is empty", source)
    if not content.startswith(_MAGIC):
        raise refuse("is not Parquet", source)
    if len(content) < 12 or not content.endswith(_MAGIC):
        raise refuse("is Parquet cut short: its footer is missing", source)
    footer = int.from_bytes(content[-8:-4], "little")
    if footer > min(FOOTER_LIMIT, len(content) - 12):
        message = f"has a footer of {footer} bytes, of {len(content)} in all; at most {FOOTER_LIMIT}"
        raise refuse(message, source)


def _columns(file: Any, length: int, source: Source) -> tuple[str, ...] | None:
    """Return our columns after a check of the metadata of a file of this length in bytes; None where it has others."""
    names = file.schema_arrow.names
    columns = needed_columns(names, source) if is_own(names, source.reading) else None
    _refuse_large(file, length, source)
    return columns


def _refuse_large(file: Any, length: int, source: Source) -> None:
    metadata = file.metadata
    if metadata.num_columns > COLUMN_LIMIT:
        raise refuse(f"has {metadata.num_columns} columns; at most {COLUMN_LIMIT}", source)
    # few bytes can stand for very many equal rows
    size = max(metadata.num_rows * _ROW_BYTES, _unpacked(metadata))
    source.refuse_above_limit(size, f"unpacks to {size} bytes ({metadata.num_rows} rows)")
    if size > max(ALWAYS, _ODD_RATIO * length):
        raise refuse(f"has {metadata.num_rows} rows in {length} bytes: rows that differ need more", source)


def _unpacked(metadata: Any) -> int:
    # of all columns: asking a damaged file's metadata for those of one column can end the process
    return sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]
