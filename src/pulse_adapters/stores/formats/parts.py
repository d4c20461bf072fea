"""Reader of a table that is divided into parts: files of one format, whose folders may be named `name=value`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np

from pulse_adapters.stores.formats.arrow_cells import is_text
from pulse_adapters.stores.formats.columns import NAMES
from pulse_adapters.stores.formats.date_forms import could_be_dates
from pulse_adapters.stores.formats.delimited import delimited_table
from pulse_adapters.stores.formats.gzipped import unpack
from pulse_adapters.stores.formats.json_lines import json_table
from pulse_adapters.stores.formats.parquet import parquet_table
from pulse_adapters.stores.formats.reading import Reading
from pulse_adapters.stores.formats.shapes import shaped
from pulse_adapters.stores.formats.table import Fault, Rows, Source, Table, malformed, undecided
from pulse_core.errors import MalformedData

KINDS: Final[Mapping[str, Callable[[bytes, Source], tuple[Any, Rows]]]] = {
    ".parquet": parquet_table,
    ".csv": delimited_table,
    ".jsonl": json_table,
}
"""The formats of parts, and their readers: bytes to an Arrow table of any columns and the rows' numbers."""

_PACKED: Final = ".gz"
_PART: Final = 2**40
"""What a part adds to the numbers of its rows, so that each row of the table has its own."""
_ROW: Final = re.compile(r"\brow (\d{13,})")
_TIMES: Final = frozenset((*NAMES["timestamp"], "dt", "hour", "yyyy", "mm", "dd"))
_ROLES: Final = frozenset((*NAMES["variable"], *NAMES["known_at"]))
_INDEX_OF_ROWS: Final = "__null_dask_index__"

Keys = tuple[tuple[str, str | None], ...]
"""Names and values of the folders in which a part is; None for a value that is absent."""


@attrs.frozen(eq=False)
class Part:
    """A part: its path within the folder, what the folders on this path say, its ending, and its bytes."""

    name: str
    keys: Keys
    suffix: str
    content: bytes


def read_parts(parts: Sequence[Part], source: Source) -> Table:
    """Return the table of all parts. Raises MalformedData where parts differ in format or columns, or have no reading.

    Rows are told as `row 3 of year=2020/part-0.csv`.
    """
    try:
        tables, rows = _tables(parts, source)
        table = _with_keys(_joined(tables, parts, source), tables, parts, source)
        is_continental = any((table.schema.metadata or {}).get(b"delimiter") == b";" for table in tables)
        return shaped(table, source, rows, continental=is_continental)
    except MalformedData as error:
        raise with_parts(error, [part.name for part in parts]) from error


def version_of_parts(parts: Sequence[Part], reading: Reading) -> str:
    """Return a text that distinguishes what is read of these parts from anything else, as `version_of` does of a file.

    It is made of the paths, which say what rows are of, and the contents.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{part.name}\0{hashlib.sha256(part.content).hexdigest()}\0".encode())
    return f"parts sha256:{digest.hexdigest()}{reading.token()}"


def with_parts(error: MalformedData, names: Sequence[str]) -> MalformedData:
    """Return the error with rows told by their part; `names` are those of the parts, in the order of their reading."""

    def told(match: re.Match[str]) -> str:
        part, row = divmod(int(match[1]), _PART)
        return f"row {row} of {names[part - 1]}"

    return type(error)(_ROW.sub(told, error.message), error.context, error.hint)


def _tables(parts: Sequence[Part], source: Source) -> tuple[list[Any], Rows]:
    kinds = sorted({part.suffix.lower().removesuffix(_PACKED) for part in parts})
    if len(kinds) > 1:
        raise _refused(f"its parts are of several formats ({', '.join(kinds)})", source)
    tables, numbers, size = [], [], 0
    for place, part in enumerate(parts, start=1):
        inner = attrs.evolve(source, context=f"{source.context}/{part.name}")
        content = unpack(part.content, inner) if part.suffix.lower().endswith(_PACKED) else part.content
        table, rows = KINDS[kinds[0]](content, inner)
        size += table.nbytes
        source.refuse_above_limit(size, f"unpacks to {size} bytes or more")
        tables.append(_without_index_of_rows(table))
        numbers.append(rows + place * _PART)
    return tables, np.concatenate(numbers)


def _without_index_of_rows(table: Any) -> Any:
    """Return a part without the numbers of its rows, which start anew in each."""
    import pyarrow as pa

    if _INDEX_OF_ROWS not in table.column_names:
        return table
    if pa.types.is_integer(table.schema.field(_INDEX_OF_ROWS).type):
        return table.drop_columns([_INDEX_OF_ROWS])
    return table.rename_columns({_INDEX_OF_ROWS: "__index_level_0__"})


def _joined(tables: Sequence[Any], parts: Sequence[Part], source: Source) -> Any:
    """Return the rows of all parts, which must have the same columns; numbers and times take the widest type."""
    import pyarrow as pa

    names = tables[0].column_names
    faults = [
        Fault(0, f"{part.name} has the columns {_listed(table.column_names)}, {parts[0].name} has {_listed(names)}")
        for part, table in zip(parts, tables, strict=True)
        if sorted(table.column_names) != sorted(names)
    ]
    if faults:
        raise malformed(faults, source.context, "Write all parts with the same columns")
    if len(set(names)) < len(names):
        raise _refused(f"a column is there twice in {_listed(names)}", source)
    try:
        return pa.concat_tables([table.select(names) for table in tables], promote_options="permissive")
    except pa.ArrowException as error:
        raise _refused(f"its parts have columns of different types: {error}", source) from error


def _with_keys(table: Any, tables: Sequence[Any], parts: Sequence[Part], source: Source) -> Any:
    """Return the table with a column for each of the folders' names that says what a row is of."""
    import pyarrow as pa

    for name in _keys(table, parts, source):
        cells = [dict(part.keys)[name] for part in parts]
        lengths = [table.num_rows for table in tables]
        at = pa.array(np.repeat(np.arange(len(parts)), lengths))
        table = table.append_column(name, pa.chunked_array([pa.array(cells, pa.string()).take(at)]))
    return table


def _keys(table: Any, parts: Sequence[Part], source: Source) -> list[str]:
    """Return the names of folders that are columns of the table. Raises MalformedData where that is not plain.

    Those of years, months and days only divide rows that have a time of their own.
    """
    names = [name for name, _ in parts[0].keys]
    for part in parts:
        if [name for name, _ in part.keys] != names:
            message = f"{part.name} and {parts[0].name} are in folders of different names"
            raise _refused(message, source)
    reading = source.reading
    said = {name for _, name in reading.columns}
    open_names = [name for name in names if name not in table.column_names and name not in said]
    times = [name for name in open_names if name.lower() in _TIMES]
    has_time = bool(reading.of_role("timestamp")) or _has_time(table)
    if len(times) > 1 and not has_time:
        raise _refused(f"no column of its parts holds times; only the folders' names do ({_listed(times)})", source)
    roles = [name for name in open_names if name.lower() in _ROLES]
    others = [name for name in open_names if name not in (*times, *roles)]
    if not reading.of_role("value"):
        _refuse_unnamed(others, table, parts, source)
    kept = {*said, *roles, *([] if has_time else times)}
    return [name for name in names if name in kept and name not in table.column_names]


def _refuse_unnamed(names: Sequence[str], table: Any, parts: Sequence[Part], source: Source) -> None:
    """Raise Undecided where folders of a name that says nothing divide the rows: by variable, or by anything else."""
    dividing = [name for name in names if len({dict(part.keys)[name] for part in parts}) > 1]
    if dividing:
        option = " or ".join(f"--columns variable={name}" for name in dividing)
        values = f"--columns value={table.column_names[-1]}"
        message = f"its folders are divided by {_listed(dividing)}, which may name the variables"
        hint = f"Say so, if that is what it is: {option}. If all rows are of one variable, say its column: {values}"
        raise undecided([Fault(0, message)], source.context, hint)


def _has_time(table: Any) -> bool:
    import pyarrow as pa

    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type
        if name.strip().lower() in NAMES["timestamp"] or pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            return True
        if is_text(kind) and could_be_dates({str(text).strip() for text in column.unique().to_pylist() if text}):
            return True
    return False


def _refused(message: str, source: Source) -> MalformedData:
    hint = "Write all parts alike, with a column of times and one of values"
    return malformed([Fault(0, message)], source.context, hint)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name[:40]) for name in names[:10])
