"""Shapes of frames whose columns are not our own: a column a variable, or a column with the variables' names."""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np

from pulse_adapters.stores.formats.arrow_cells import is_text
from pulse_adapters.stores.formats.arrow_columns import from_arrow
from pulse_adapters.stores.formats.table import Rows, Source, Table, refuse

_TIMES: Final = ("timestamp", "date", "ds", "datetime", "time", "index")
_NAMES: Final = ("variable", "unique_id", "series", "symbol", "ticker")


def shaped(table: Any, source: Source, rows: Rows) -> Table:
    """Return the Table of a frame with one column of times, and of names or not. Raises MalformedData."""
    import pyarrow as pa

    names = table.column_names
    times = [name for name in names if pa.types.is_temporal(table[name].type)]
    times = times or [name for name in names if name.lower() in _TIMES]
    if len(times) != 1:
        raise refuse(f"no column 'timestamp'; its columns are {', '.join(map(repr, names)) or 'none'}", source)
    owners = [name for name in names if name.lower() in _NAMES]
    values = [name for name in names if name not in (*times, *owners)]
    if not values or len(owners) > 1 or (owners and len(values) > 1):
        raise refuse(f"no column 'value'; its columns are {', '.join(map(repr, names)) or 'none'}", source)
    if owners:
        columns = {"timestamp": table[times[0]], "value": table[values[0]], "variable": table[owners[0]]}
        return from_arrow(pa.table(columns), attrs.evolve(source, by_variable=True), rows)
    if any(is_text(table[name].type) for name in values):
        raise refuse(f"columns {', '.join(map(repr, values))} are not all numbers", source)
    labels = pa.array([name for name in values for _ in range(len(rows))], pa.string())
    chunks = [chunk for name in values for chunk in table[name].cast(pa.float64()).chunks]
    stamps = pa.chunked_array(table[times[0]].chunks * len(values), table[times[0]].type)
    wide = {"timestamp": stamps, "value": pa.chunked_array(chunks, pa.float64()), "variable": labels}
    return from_arrow(pa.table(wide), attrs.evolve(source, by_variable=True), np.tile(rows, len(values)))
