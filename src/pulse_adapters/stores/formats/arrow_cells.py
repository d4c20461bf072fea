"""Conversion of Arrow columns of any sensible type into numpy arrays and a list of faulty cells.

Columns of fixed width are read from their buffers: pyarrow's own conversions import pandas, half a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.stores.formats.cells import NOT_A_TIME, moment, moment_and_kind, number
from pulse_adapters.stores.formats.table import FAULTS_READ


class WrongType(Exception):
    """A column's type holds no times or numbers."""


@attrs.frozen
class FaultyCells:
    """Positions of faulty cells, up to the number that is reported, and a message for each."""

    at: list[int]
    message: list[str]

    @classmethod
    def under(cls, mask: NDArray[np.bool_], message: str) -> FaultyCells:
        """Return the cells under the mask, all with the same fault."""
        at = np.flatnonzero(mask)[:FAULTS_READ].tolist()
        return cls(at, [message] * len(at))


Converted = tuple[NDArray[Any], list[FaultyCells]]


def timestamps(column: Any) -> Converted:
    """Return times as `moments` does; texts of days and of times with an offset exclude each other."""
    return moments(column, days_are_utc=False)


def moments(column: Any, *, days_are_utc: bool = True) -> Converted:
    """Return times of any unit and zone, dates or texts as datetime64[us] in UTC, NaT where faulty."""
    import pyarrow as pa

    if pa.types.is_null(column.type):
        missing = np.ones(len(column), dtype=bool)
        return np.full(len(column), "NaT", "datetime64[us]"), [FaultyCells.under(missing, "is missing")]
    if is_text(column.type):
        codes, texts = codes_and_texts(column)
        cells, faulty = _parsed(codes, texts, moment, NOT_A_TIME, np.dtype(np.int64))
        return cells.view("datetime64[us]"), [*faulty, _mixed(codes, texts, days_are_utc=days_are_utc)]
    column = _decoded(column)
    if pa.types.is_timestamp(column.type):
        cells, missing = _fixed_width(column.chunks, f"datetime64[{column.type.unit}]")
    elif pa.types.is_date32(column.type):
        cells, missing = _fixed_width(column.chunks, "datetime64[D]", "int32")
    elif pa.types.is_date64(column.type):
        cells, missing = _fixed_width(column.chunks, "datetime64[ms]")
    else:
        raise WrongType
    return _to_microseconds(cells, missing)


def numbers(column: Any) -> Converted:
    """Return integers, floats, decimals or texts as the nearest float64, NaN where absent or faulty."""
    import pyarrow as pa

    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan), []
    column = column if is_text(column.type) else _decoded(column)
    if is_text(column.type) or pa.types.is_decimal(column.type):
        # a decimal's nearest float64 is that of its digits
        return _parsed(*codes_and_texts(column), number, np.nan, np.dtype(np.float64))
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise WrongType
    cells, missing = _fixed_width(column.chunks, _dtype_of_number(column.type))
    values = cells.astype(np.float64)
    values[missing] = np.nan
    infinite = np.isinf(values)
    values[infinite] = np.nan
    return values, [FaultyCells.under(infinite, "is infinite")]


def is_text(kind: Any) -> bool:
    """Whether a column's type is text, dictionary-encoded or not."""
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def codes_and_texts(column: Any) -> tuple[NDArray[np.int64], list[str | None]]:
    """Return the codes of the cells and the distinct texts that they index; a null has the code -1."""
    import pyarrow as pa

    if pa.types.is_decimal(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries()
    texts = column.chunk(0).dictionary.to_pylist() if column.num_chunks else []
    indices = [chunk.indices for chunk in column.chunks]
    codes, missing = _fixed_width(indices, _dtype_of_number(column.type.index_type))
    codes = codes.astype(np.int64)
    codes[missing] = -1
    return codes, texts


def _decoded(column: Any) -> Any:
    import pyarrow as pa

    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _to_microseconds(cells: NDArray[Any], missing: NDArray[np.bool_]) -> Converted:
    # 64 bits of nanoseconds cover 1677 to 2262 only; in any other unit these bounds exist
    unit = cells.dtype if cells.dtype != "datetime64[ns]" else np.dtype("datetime64[us]")
    first, end = (np.array(day, dtype=unit) for day in ("0001-01-01", "10000-01-01"))
    moments = cells.astype(unit)
    outside = ((moments < first) | (moments >= end)) & ~missing
    moments[outside | missing] = "NaT"
    moments = moments.astype("datetime64[us]")
    faulty = [
        FaultyCells.under(missing, "is missing"),
        FaultyCells.under(outside, "is outside the years 1 to 9999"),
    ]
    if cells.dtype == "datetime64[ns]":
        finer = (moments != cells) & ~np.isnat(moments)
        moments[finer] = "NaT"
        faulty.append(FaultyCells.under(finer, "is finer than a microsecond"))
    return moments, faulty


def _parsed(
    codes: NDArray[np.int64],
    texts: list[str | None],
    parse: Callable[[object], Any],
    faulty: Any,
    dtype: np.dtype[Any],
) -> Converted:
    """Parse each distinct text once; return the cells, with `faulty` in place of faulty ones, and the faulty cells."""
    # the last text stands for null, whose code is -1
    parsed, messages = np.full(len(texts) + 1, faulty, dtype=dtype), {}
    for code, text in enumerate([*texts, None]):
        try:
            parsed[code] = parse(text)
        except ValueError as error:
            messages[code] = str(error)
    codes = np.where(codes < 0, len(texts), codes)
    at = np.flatnonzero(np.isin(codes, list(messages)))[:FAULTS_READ].tolist()
    return parsed[codes], [FaultyCells(at, [messages[int(codes[position])] for position in at])]


def _mixed(codes: NDArray[np.int64], texts: list[str | None], *, days_are_utc: bool) -> FaultyCells:
    """Return the first cell whose text has an offset from UTC where earlier ones have none, or the other way round."""
    has_offset = np.array([_has_offset(text, days_are_utc=days_are_utc) for text in texts], dtype=float)
    if len(np.unique(has_offset[~np.isnan(has_offset)])) < 2:
        return FaultyCells([], [])
    by_row = np.where(codes < 0, np.nan, has_offset[codes])
    known = np.flatnonzero(~np.isnan(by_row))
    at = int(known[np.flatnonzero(by_row[known] != by_row[known[0]])[0]])
    has, had = ("has an offset", "have none") if by_row[at] else ("has no offset", "have one")
    return FaultyCells([at], [f"{has} from UTC and those before {had}: give every time its offset (Z is UTC), or none"])


def _has_offset(text: str | None, *, days_are_utc: bool) -> float:
    """Return 1 for a time with an offset from UTC, 0 for one without, NaN for what is no time."""
    try:
        kind = moment_and_kind(text)[1]
    except ValueError:
        return np.nan
    return np.nan if days_are_utc and kind == "day" else float(kind == "with offset")


def _dtype_of_number(kind: Any) -> str:
    import pyarrow as pa

    letter = "f" if pa.types.is_floating(kind) else "i" if pa.types.is_signed_integer(kind) else "u"
    return f"{letter}{kind.bit_width // 8}"


def _fixed_width(chunks: Any, dtype: str, stored: str = "") -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return a copy of the cells of a column's chunks, and which of them are null."""
    cells, nulls = [np.empty(0, dtype)], [np.empty(0, bool)]
    for chunk in chunks:
        validity, data = chunk.buffers()[:2]
        if data is None:
            continue
        stop = chunk.offset + len(chunk)
        cells.append(np.frombuffer(data, stored or dtype, count=stop)[chunk.offset :].astype(dtype))
        nulls.append(_nulls(validity, chunk.offset, stop))
    return np.concatenate(cells), np.concatenate(nulls)


def _nulls(validity: Any, start: int, stop: int) -> NDArray[np.bool_]:
    if validity is None:
        return np.zeros(stop - start, dtype=bool)
    bits = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
    return np.asarray(bits[start:stop] == 0)
