"""Writer of a run's tables: Parquet files, one for each unit that wrote rows.

Labels become dictionary columns, moments timestamps in UTC, and NaN becomes null: SQL engines count a NaN as a number,
and pandas reads a null as NaN again. Arrow's arrays share the memory of the columns: `pyarrow.array` would load pandas.

The same rows give the same bytes, and every page has its checksum.

Numbers are not dictionary-encoded: few of them repeat, and the attempt takes twice as long as writing them.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.tables import Column, Columns, Labels

TABLES: Final = ("scores", "batches", "hindcasts")
SUFFIX: Final = ".parquet"

_NAME: Final = re.compile(rf"({'|'.join(TABLES)})/part-[A-Za-z0-9-]{{1,100}}")


def is_part_name(name: str) -> bool:
    """Whether a part may have this name: `scores/part-00001-of-00003` and the like."""
    return _NAME.fullmatch(name) is not None


class ParquetPart:
    """Writes row groups to a file, one a call. Raises OSError where the file does."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._writer: Any = None

    def write(self, columns: Columns) -> None:
        """Add a row group. Raises ValueError where its columns differ from the first group's, or in their length."""
        import pyarrow as pa
        import pyarrow.parquet

        arrays = [_arrow(column) for column in columns.values()]
        rows = pa.RecordBatch.from_arrays(arrays, names=list(columns))
        rows.validate()
        if self._writer is None:
            labels = [name for name, column in columns.items() if isinstance(column, Labels)]
            self._writer = pyarrow.parquet.ParquetWriter(
                self._file,
                rows.schema,
                compression="zstd",
                use_dictionary=labels or False,
                write_page_checksum=True,
            )
        self._writer.write_batch(rows, row_group_size=max(rows.num_rows, 1))

    def finish(self) -> None:
        """Write the footer, which locates the row groups."""
        if self._writer is not None:
            self._writer.close()

    def abandon(self) -> None:
        """Detach the writer from the file; it would otherwise write the footer when it is collected."""
        if self._writer is not None and self._writer.is_open:
            with suppress(OSError):
                self._writer.close()
            self._writer.is_open = False


def _arrow(column: Column) -> Any:
    return _labels(column) if isinstance(column, Labels) else _values(column)


def _labels(column: Labels) -> Any:
    import pyarrow as pa

    codes = np.ascontiguousarray(column.codes, dtype=np.int32)
    kind = pa.dictionary(pa.int32(), pa.string())
    labels = pa.DictionaryArray.from_buffers(kind, len(codes), [None, pa.py_buffer(codes)], _strings(column.names))
    labels.validate(full=True)  # a code without a name would be read from beyond the names
    return labels


def _strings(texts: tuple[str, ...]) -> Any:
    import pyarrow as pa

    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)))


def _values(column: NDArray[Any]) -> Any:
    import pyarrow as pa

    if column.dtype.kind == "M":
        moments = np.ascontiguousarray(column, dtype="datetime64[us]")
        return _array(pa.timestamp("us", tz="UTC"), moments.view(np.int64), ~np.isnat(moments))
    numbers = np.ascontiguousarray(column)
    valid = ~np.isnan(numbers) if numbers.dtype.kind == "f" else None
    return _array(pa.from_numpy_dtype(numbers.dtype), numbers, valid)


def _array(kind: Any, values: NDArray[Any], valid: NDArray[np.bool_] | None) -> Any:
    """Return an Arrow array of the values' memory, null where a value is not valid."""
    import pyarrow as pa

    bitmap = None
    if valid is not None and not valid.all():
        bitmap = pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), [bitmap, pa.py_buffer(values)])
