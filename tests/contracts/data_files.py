"""Writes observations as data files, plainly and apart from the code that reads them."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator, Mapping
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pulse_core.data.observations import Observations

Row = dict[str, object]


def rows_of(observations: Observations) -> Iterator[Row]:
    """Yield rows in an order of their own; the absent ones follow, a second apart, after the last."""
    known_at = observations.timestamps if observations.known_at is None else observations.known_at
    stamps, knowns = observations.timestamps.tolist(), known_at.tolist()
    after = max([datetime.fromisoformat("2300-01-01"), *knowns])
    order = np.random.default_rng(len(stamps)).permutation(len(stamps))
    for at in order:
        value = None if np.isnan(observations.values[at]) else float(observations.values[at])
        yield {"timestamp": stamps[at], "value": value, "known_at": knowns[at]}
    for second in range(observations.absent):
        absent = after.replace(microsecond=0) + pd.Timedelta(seconds=second + 1).to_pytimedelta()
        yield {"timestamp": absent, "value": None, "known_at": absent}


def columns_of(variables: Mapping[str, Observations]) -> list[str]:
    vintages = any(observations.known_at is not None for observations in variables.values())
    return ["timestamp", "value", *(["known_at"] if vintages else [])]


def one_file(observations: Observations, suffix: str) -> bytes:
    """Return a file of one variable."""
    return _encoded(list(rows_of(observations)), columns_of({"": observations}), suffix)


def long_file(variables: Mapping[str, Observations], suffix: str) -> bytes:
    """Return one file of all variables, their rows interleaved."""
    rows = [{"variable": name, **row} for name, held in variables.items() for row in rows_of(held)]
    rows.sort(key=lambda row: str(row["timestamp"]))
    return _encoded(rows, ["variable", *columns_of(variables)], suffix)


def _encoded(rows: list[Row], columns: list[str], suffix: str) -> bytes:
    kind, packed = suffix.removesuffix(".gz"), suffix.endswith(".gz")
    content = {".csv": _csv, ".jsonl": _json_lines, ".parquet": _parquet}[kind](rows, columns)
    return gzip.compress(content, compresslevel=1) if packed else content


def _csv(rows: list[Row], columns: list[str]) -> bytes:
    lines = [",".join(columns)] + [",".join(_cell(row[name]) for name in columns) for row in rows]
    return "\n".join([*lines, ""]).encode()


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value)
    text = str(value or "")
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text


def _json_lines(rows: list[Row], columns: list[str]) -> bytes:
    kept = [{name: row[name] for name in columns} for row in rows]
    return "".join(json.dumps(row, default=datetime.isoformat) + "\n" for row in kept).encode()


def _parquet(rows: list[Row], columns: list[str]) -> bytes:
    types = {"value": pa.float64(), "variable": pa.string()}
    schema = pa.schema([(name, types.get(name, pa.timestamp("us"))) for name in columns])
    written = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), written)
    return written.getvalue()
