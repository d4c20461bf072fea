"""Writer of a variable's rows as a Parquet file, which every store reads back unchanged."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from pulse_core.data.observations import Moments, Observations


def parquet_bytes(observations: Observations) -> bytes:
    """Return a file with `timestamp`, `value` and, where the data have it, `known_at`; equal rows give equal bytes.

    The value of a retraction is null.
    """
    import pyarrow as pa
    import pyarrow.parquet

    columns = {
        "timestamp": _moments(observations.timestamps),
        "value": _array(pa.float64(), np.asarray(observations.values), ~np.isnan(observations.values)),
    }
    if observations.known_at is not None:
        columns["known_at"] = _moments(observations.known_at)
    packed = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), packed, compression="zstd")
    return packed.getvalue()


def _moments(moments: Moments) -> Any:
    import pyarrow as pa

    return _array(pa.timestamp("us", tz="UTC"), moments.view(np.int64))


def _array(kind: Any, values: Any, is_valid: Any = None) -> Any:
    """Return an Arrow array of these bytes, null where not `is_valid`: `pyarrow.array` would load pandas."""
    import pyarrow as pa

    validity = None
    if is_valid is not None and not is_valid.all():
        validity = pa.py_buffer(np.packbits(is_valid, bitorder="little").tobytes())
    return pa.Array.from_buffers(kind, len(values), [validity, pa.py_buffer(np.ascontiguousarray(values))])
