"""Reader of JSON Lines, an object a line: a quick one for clean files, and a careful one that finds the faults.

The careful reader reads every file of the quick one to the same bits. A row's number is its line in the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from pulse_adapters.stores.formats.reading import Reading
from pulse_adapters.stores.formats.rows import TableBuilder
from pulse_adapters.stores.formats.shapes import is_own, own_or_shaped, shaped
from pulse_adapters.stores.formats.table import Faults, Rows, Source, Table, malformed, needed_columns
from pulse_adapters.stores.formats.text import refuse_other_than_text

_EXACT = 2.0**53
"""Below it a float holds every whole number."""

Members = tuple[tuple[str, Any], ...]
"""The names and values of an object in their order; a name may occur twice."""


def read_json_lines(content: bytes, source: Source) -> Table:
    """Read UTF-8 text, an object a line. Raises MalformedData where it is no such text or lacks a column."""
    content = refuse_other_than_text(content, "JSON Lines", source)
    quick = _quick(content, source) if source.reading == Reading() else None
    return _careful(content, source) if quick is None else quick


def json_table(content: bytes, source: Source) -> tuple[Any, Rows]:
    """Return objects, one a line, as an Arrow table of texts, and the rows' numbers. Raises MalformedData."""
    faults = Faults(source.context)
    rows = list(_objects(refuse_other_than_text(content, "JSON Lines", source), faults))
    if faults.faults:
        raise malformed(faults.faults, source.context)
    return _table(rows), np.array([number for number, _ in rows], dtype=np.int64)


def _quick(content: bytes, source: Source) -> Table | None:
    """Return the table, or None where the careful reader is needed."""
    import msgspec

    columns = ["timestamp", "value", *(["variable"] if source.by_variable or b'"variable"' in content else [])]
    columns += ["known_at"] if b'"known_at"' in content else []
    lines = content.rstrip(b"\r\n").split(b"\n")
    # as many occurrences of each key as lines, and each row has it: without escapes, no key occurs twice
    if b"\\" in content or any(content.count(b'"%b"' % name.encode()) != len(lines) for name in columns):
        return None
    decode = msgspec.json.Decoder(_row_type(tuple(columns))).decode
    try:
        rows = [decode(line) for line in lines]
    except (msgspec.DecodeError, RecursionError):
        return None
    builder = TableBuilder(Faults(source.context), "known_at" in columns, source.by_variable)
    for number, row in enumerate(rows, start=1):
        known_at, variable = getattr(row, "known_at", None), getattr(row, "variable", None)
        builder.add(number, (row.timestamp, row.value, known_at, variable))
        if builder.faults.faults:
            return None
    return builder.table()


@lru_cache
def _row_type(columns: tuple[str, ...]) -> Any:
    import msgspec

    return msgspec.defstruct("Row", [(name, float | None if name == "value" else str) for name in columns])


def _careful(content: bytes, source: Source) -> Table:
    faults = Faults(source.context)
    rows = list(_objects(content, faults))
    present = sorted({name for _, members in rows for name, _ in members})
    if rows and not faults.faults and not is_own(present, source.reading):
        return shaped(_table(rows), source, np.array([number for number, _ in rows]))
    columns = needed_columns(present, source) if rows else ()
    if faults.faults or not rows:
        return _own(rows, columns, faults, source)
    numbers = np.array([number for number, _ in rows])
    return own_or_shaped(lambda: _own(rows, columns, faults, source), lambda: shaped(_table(rows), source, numbers))


def _own(rows: list[tuple[int, Members]], columns: tuple[str, ...], faults: Faults, source: Source) -> Table:
    """Return the table of objects with Pulse's own names."""
    builder = TableBuilder(faults, "known_at" in columns, source.by_variable)
    for number, members in rows:
        row, names = dict(members), [name for name, _ in members]
        owner = row.get("variable") if source.by_variable else None
        owner = owner if isinstance(owner, str) else None
        for name in columns:
            if names.count(name) > 1:
                faults.add(number, f"{name} is there twice", owner)
        if "value" not in row:
            faults.add(number, "value is missing (an absent one is null)", owner)
        builder.add(number, (row.get("timestamp"), row.get("value"), row.get("known_at"), row.get("variable")))
    return builder.table()


def _table(rows: list[tuple[int, Members]]) -> Any:
    """Return the objects as an Arrow table of texts, a column for each key in the order of its first appearance."""
    import pyarrow as pa

    objects = [dict(members) for _, members in rows]
    names = dict.fromkeys(name for one in objects for name in one)
    columns = {name: pa.array([_text(one.get(name)) for one in objects], pa.string()) for name in names}
    return pa.table(columns)


def _text(value: Any) -> str | None:
    """Return a member's value as text; a whole number as one."""
    if isinstance(value, float):
        return str(int(value)) if abs(value) < _EXACT and value == int(value) else repr(value)
    return None if value is None else str(value)


def _objects(content: bytes, faults: Faults) -> Iterator[tuple[int, Members]]:
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=tuple, parse_int=_integer)
        except (ValueError, RecursionError) as error:
            faults.add(number, f"is no JSON: {error}")
            continue
        if isinstance(row, tuple):
            yield number, row
        else:
            faults.add(number, "is no JSON object")


def _integer(digits: str) -> float:
    return float(digits) + 0.0  # an integer has no minus zero
