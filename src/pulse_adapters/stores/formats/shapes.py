"""Shapes: tables whose columns are not Pulse's own, brought to rows of timestamp, value, known_at and variable.

A shape is taken where a file admits one reading; where it admits several, the error names the option that decides it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.stores.formats.arrow_cells import codes_and_texts, is_text
from pulse_adapters.stores.formats.arrow_columns import from_arrow
from pulse_adapters.stores.formats.cells import ABSENT_TEXTS, number, quoted_text
from pulse_adapters.stores.formats.columns import Column, Kind, Layout, layout_of
from pulse_adapters.stores.formats.date_forms import DatesFound, dates_of
from pulse_adapters.stores.formats.local_times import in_utc
from pulse_adapters.stores.formats.number_forms import PLAIN, Marks, numbers_of
from pulse_adapters.stores.formats.periods import period_starts_of
from pulse_adapters.stores.formats.reading import Reading
from pulse_adapters.stores.formats.table import (
    Fault,
    NoVariableColumn,
    Rows,
    SeveralVariables,
    Source,
    Table,
    Undecided,
    undecided,
)
from pulse_core.errors import MalformedData

OWN: Final = ("timestamp", "value")
"""The columns of a file that needs no other reading."""

_ABSENT: Final = frozenset(ABSENT_TEXTS)
_NUMERIC: Final = re.compile(r"[+-]?\d[\d.,'\s\u2019]*(?:[eE][+-]?\d+)?|[+-]?[.,]\d+")
_DOTTED_DATE: Final = re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}|\d{4}\.\d{1,2}\.\d{1,2}\.?|\d{1,2}\.\d{4}", re.ASCII)
_ODD_SHOWN: Final = 3
_COMES_BACK: Final = 3
"""Rows of a word from which it may name a variable, and is no remark on a row."""

_REMARKS: Final = frozenset(
    [
        "comment",
        "comments",
        "note",
        "notes",
        "remark",
        "remarks",
        "status",
        "obs_status",
        "conf_status",
        "flag",
        "flags",
        "unit",
        "units",
        "unit_mult",
        "currency",
        "freq",
        "frequency",
        "decimals",
        "source",
    ]
)
"""Names of columns, in lower case, that say something about rows, and not whose they are."""

_OTHER_CELL: Final = re.compile(r" is no (?:ISO date|number)$")
"""Faults of cells that may be right by another form of dates or numbers."""


def is_own(names: Sequence[str], reading: Reading) -> bool:
    """Whether a file has Pulse's own columns, and nothing else is said of it."""
    return reading == Reading() and all(name in names for name in OWN)


def own_or_shaped(read_own: Callable[[], Table], read_any: Callable[[], Table]) -> Table:
    """Return a file with Pulse's own columns, whose cells may need another reading where there are faults in them.

    Raises what the first reader raises, unless the second has a reading, or an option that decides between several.
    """
    try:
        table = read_own()
    except (SeveralVariables, NoVariableColumn):
        raise
    except MalformedData as error:  # too many faults to read on
        if not _OTHER_CELL.search(error.message.partition("; ")[0]):
            raise
        reread = _sound(read_any)
        if reread is None:
            raise
        return reread
    if not table.faults or not all(_OTHER_CELL.search(fault.message) for fault in table.faults):
        return table
    return _sound(read_any) or table


def _sound(read_any: Callable[[], Table]) -> Table | None:
    """Return a table of another reading, None where that has faults too. Raises Undecided where there are several."""
    try:
        table = read_any()
    except Undecided:
        raise
    except MalformedData:
        return None
    return None if table.faults else table


@attrs.frozen(eq=False)
class _Raw:
    """A column as it is read: its name, its Arrow column, and its distinct texts with the code of each row's.

    `texts` are stripped and None for a null; there are none where it holds no texts.
    """

    name: str
    data: Any
    codes: NDArray[np.int64] | None = None
    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, data: Any) -> _Raw:
        if not is_text(data.type):
            return cls(name, data)
        codes, texts = codes_and_texts(data)
        return cls(name, data, codes, tuple("" if text is None else text.strip() for text in texts))

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each text is there; blanks are left out."""
        if self.codes is None:
            return {}
        sizes = np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts)).tolist()
        counts: Counter[str] = Counter()
        for text, size in zip(self.texts, sizes, strict=True):
            if text and size:
                counts[text] += size
        return counts

    def with_texts(self, replaced: Mapping[str, str]) -> Any:
        """Return the Arrow column with other texts in place of some."""
        import pyarrow as pa

        if self.codes is None:
            return self.data
        texts = pa.array([replaced.get(text, text) for text in self.texts], pa.string())
        codes = pa.array(np.where(self.codes < 0, 0, self.codes), mask=self.codes < 0)
        return pa.chunked_array([texts.take(codes) if len(texts) else pa.nulls(len(codes), pa.string())])


def shaped(table: Any, source: Source, rows: Rows, *, continental: bool = False) -> Table:
    """Return the Table of an Arrow table with any columns; `rows` (row,) are the rows' numbers.

    In a `continental` file, whose cells are divided by semicolons, points may be marks of thousands. Raises
    MalformedData where the columns, dates or numbers have no reading or several.
    """
    raw = [_Raw.of(name, _typed(table.field(at), table.column(at))) for at, name in enumerate(table.column_names)]
    marks = _marks(raw, source, continental=continental)
    layout = layout_of([_column(column, marks) for column in raw], source)
    columns = {column.name: column for column in raw}
    stamps, form = _dated(columns[layout.timestamp], source, rows)
    known_at = None if layout.known_at is None else _dated(columns[layout.known_at], source, rows)[0]
    if source.reading.time_zone is not None:
        owners = None if layout.variable is None else columns[layout.variable].codes
        stamps = in_utc(stamps, source, rows, owners)
        known_at = None if known_at is None else in_utc(known_at, source, rows, None)
    values = [_numbered(columns[name], marks) for name in layout.values]
    result = _assembled(layout, stamps, known_at, values, columns, source, rows)
    if layout.variable is None:
        _refuse_unnamed(result, raw, marks, layout, source)
    understood = f"{layout}{f', dates as {form}' if form else ''}{f', numbers with {marks}' if marks != PLAIN else ''}"
    return attrs.evolve(result, understood=understood, column="value" if layout.vintages else layout.values[0])


def _typed(field: Any, data: Any) -> Any:
    """Return a column of one of the types that cells can have; periods become the days on which they begin."""
    import pyarrow as pa

    if getattr(data.type, "extension_name", "") == "pandas.period":  # pandas is loaded, and has told Arrow its type
        storage = pa.chunked_array([chunk.storage for chunk in data.chunks], data.type.storage_type)
        return period_starts_of(storage, data.type.freq)
    metadata = field.metadata or {}
    if metadata.get(b"ARROW:extension:name") == b"pandas.period":
        return period_starts_of(data, json.loads(metadata[b"ARROW:extension:metadata"])["freq"])
    if pa.types.is_dictionary(data.type) and not is_text(data.type):
        return data.cast(data.type.value_type)
    return data


def _column(raw: _Raw, marks: Marks) -> Column:
    return Column(raw.name, _kind(raw, marks), raw.counts, _counts_up(raw))


def _kind(raw: _Raw, marks: Marks) -> Kind:
    import pyarrow as pa

    kind = raw.data.type
    if raw.codes is not None:
        texts = [text for text in raw.counts if text not in _ABSENT]
        if not texts:
            return "nothing"
        return "numbers" if any(marks.plain(text) for text in texts) and not _are_words(texts, marks) else "texts"
    if pa.types.is_null(kind):
        return "nothing"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "times"
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return "numbers" if is_number else "other"


def _are_words(texts: Sequence[str], marks: Marks) -> bool:
    """Whether so few of the texts are numbers that the column is one of words in which a number may stand."""
    return sum(marks.plain(text) is not None for text in texts) < len(texts) / 2


def _counts_up(raw: _Raw) -> bool:
    """Whether a column holds the numbers of its rows, from 0 or 1."""
    import pyarrow as pa

    texts = raw.data.to_pylist()[:1000] if raw.codes is not None or pa.types.is_integer(raw.data.type) else []
    first = {"0": 0, "1": 1, 0: 0, 1: 1}.get(texts[0]) if texts else None
    return first is not None and [str(text) for text in texts] == [str(at) for at in range(first, first + len(texts))]


def _marks(raw: Sequence[_Raw], source: Source, *, continental: bool) -> Marks:
    """Return the marks of the numbers in all columns of texts that hold any."""
    reading = source.reading
    texts: set[str] = set()
    named = {name for role, name in reading.columns if role != "value"}
    for column in raw:
        counts = column.counts
        numeric = [text for text in counts if _looks_numeric(text)]
        if column.name not in named and len(numeric) >= len(counts) / 2:
            texts.update(numeric)
    numbers = numbers_of(sorted(texts), reading.decimal, reading.thousands, continental=continental)
    if numbers.problem:
        raise undecided([Fault(0, numbers.problem)], source.context, f"Say which: {numbers.option}")
    return numbers.marks


def _looks_numeric(text: str) -> bool:
    return _NUMERIC.fullmatch(text) is not None and _DOTTED_DATE.fullmatch(text) is None


def _dated(raw: _Raw, source: Source, rows: Rows) -> tuple[Any, str]:
    """Return a column of times as times or texts of ISO 8601, and the form of its dates, '' for ISO 8601 itself."""
    import pyarrow as pa

    if raw.codes is None and (pa.types.is_integer(raw.data.type) or pa.types.is_floating(raw.data.type)):
        raw = _Raw.of(raw.name, pa.chunked_array([pa.array(_as_digits(raw.data), pa.string())]))
    if raw.codes is None:
        return raw.data, ""
    counts = {text: count for text, count in raw.counts.items() if text not in _ABSENT}
    dates = dates_of(counts, source.reading.date_format)
    if dates.problem:
        hint = f"Say which: {dates.option}" if dates.option else "Write them as ISO 8601 (1990-12-31)"
        faults = [Fault(0, f"column {raw.name!r}: {dates.problem}"), *_odd_rows(raw, dates, rows)]
        raise undecided(faults, source.context, hint)
    return raw.with_texts(dates.iso), dates.form


def _odd_rows(raw: _Raw, dates: DatesFound, rows: Rows) -> list[Fault]:
    """Return the first rows whose text has not the form of most."""
    codes = [code for code, text in enumerate(raw.texts) if text in dates.odd]
    if raw.codes is None:
        return []
    at = np.flatnonzero(np.isin(raw.codes, codes))[:_ODD_SHOWN].tolist()
    return [Fault(int(rows[row]), f"is {quoted_text(raw.texts[int(raw.codes[row])])}") for row in at]


def _as_digits(data: Any) -> list[str | None]:
    return [None if cell is None else _digits(cell) for cell in data.to_pylist()]


def _digits(cell: float) -> str:
    return str(int(cell)) if math.isfinite(cell) and cell == int(cell) else str(cell)


def _numbered(raw: _Raw, marks: Marks) -> Any:
    """Return a column of values whose texts have no marks."""
    return raw.with_texts({text: marks.plain(text) or text for text in raw.counts})


def _assembled(
    layout: Layout,
    stamps: Any,
    known_at: Any,
    values: Sequence[Any],
    columns: Mapping[str, _Raw],
    source: Source,
    rows: Rows,
) -> Table:
    import pyarrow as pa

    fields = {"timestamp": stamps, "value": values[0]}
    if known_at is not None:
        fields["known_at"] = known_at
    if layout.vintages:
        return _vintages(layout, stamps, values, source, rows)
    if layout.is_wide:
        return _wide(layout, fields, values, source, rows)
    if layout.variable is not None:
        fields["variable"] = _named(columns[layout.variable])
        return from_arrow(pa.table(fields), attrs.evolve(source, by_variable=True), rows)
    return from_arrow(pa.table(fields), attrs.evolve(source, by_variable=False), rows)


def _refuse_unnamed(table: Table, raw: Sequence[_Raw], marks: Marks, layout: Layout, source: Source) -> None:
    """Raise Undecided where a column that has no use may say whose each row is.

    That is so of words and whole numbers where timestamps repeat; and of words that come back and stand in every row
    where they do not, unless the user says which column is the value.
    """
    unused = [column for column in raw if column.name not in (layout.timestamp, layout.known_at)]
    words = [column for column in unused if _kind(column, marks) == "texts" and _key(column) not in _REMARKS]
    if _has_repeats(table, layout):
        candidates = words + [column for column in unused if layout.is_wide and _are_few_numbers(column)]
        reason, otherwise = "timestamps repeat, and ", ""
    elif not source.reading.of_role("value"):
        candidates = [column for column in words if _come_back(column)]
        values = " ".join(f"value={name}" for name in layout.values)
        reason, otherwise = "", f", or that it is a remark: --columns {values}"
    else:
        return
    if candidates:
        names = " and ".join(repr(column.name) for column in candidates)
        option = " or ".join(f"--columns variable={column.name}" for column in candidates)
        fault = Fault(0, f"{reason}{names} may name the variables")
        raise undecided([fault], source.context, f"Say so, if that is what it is: {option}{otherwise}")


def _key(column: _Raw) -> str:
    return column.name.strip().lower()


def _has_repeats(table: Table, layout: Layout) -> bool:
    """Whether timestamps repeat within a variable, in a table that does not say when its rows became known."""
    stamps = table.timestamps[: len(table.timestamps) // len(layout.values)] if layout.is_wide else table.timestamps
    return table.known_at is None and len(np.unique(stamps)) < len(stamps)


def _come_back(column: _Raw) -> bool:
    """Whether the words of a column stand in every row, and each of the several in many."""
    counts = column.counts
    every_row = column.codes is not None and sum(counts.values()) == len(column.codes)
    return every_row and len(counts) > 1 and min(counts.values()) >= _COMES_BACK


def _are_few_numbers(column: _Raw) -> bool:
    """Whether a column holds whole numbers, few of them."""
    cells = column.data.to_pylist()
    distinct = {str(cell).strip() for cell in cells}
    return all(cell.isdigit() for cell in distinct) and len(distinct) <= len(cells) // 2


def _named(raw: _Raw) -> Any:
    """Return a column of names; whole numbers are names too."""
    import pyarrow as pa

    if raw.codes is not None:
        return raw.with_texts({})
    return pa.chunked_array([pa.array(_as_digits(raw.data), pa.string())])


def _wide(layout: Layout, fields: Mapping[str, Any], values: Sequence[Any], source: Source, rows: Rows) -> Table:
    """Return the rows of a table with a column for each variable, one variable after another."""
    import pyarrow as pa

    count = len(values)
    repeated = {name: column for name, column in fields.items() if name != "value"}
    tall = {name: pa.chunked_array(column.chunks * count, column.type) for name, column in repeated.items()}
    names = pa.array(list(layout.values), pa.string())
    owners = names.take(pa.array(np.repeat(np.arange(count), len(rows))))
    tall["value"] = _joined(values)
    tall["variable"] = pa.chunked_array([owners])
    return from_arrow(pa.table(tall), attrs.evolve(source, by_variable=True), np.tile(rows, count))


def _joined(values: Sequence[Any]) -> Any:
    """Return columns of numbers and of texts one after another, as texts where their types differ."""
    import pyarrow as pa

    kinds = {column.type for column in values}
    if len(kinds) > 1:
        is_texts = any(is_text(kind) for kind in kinds)
        values = [column.cast(pa.string() if is_texts else pa.float64()) for column in values]
    return pa.chunked_array([chunk for column in values for chunk in column.chunks], values[0].type)


def _vintages(layout: Layout, stamps: Any, values: Sequence[Any], source: Source, rows: Rows) -> Table:
    """Return the rows of a table with a column for each vintage: a value is known from the first vintage that has it.

    A blank after a value takes it back; what stays as it was is no new row.
    """
    import pyarrow as pa

    order = sorted(range(len(values)), key=lambda at: layout.vintages[at])
    cells = np.stack([_floats(values[at]) for at in order])  # (vintage, row)
    before = np.vstack([np.full((1, cells.shape[1]), np.nan), cells[:-1]])
    is_new = (cells != before) & ~(np.isnan(cells) & np.isnan(before))
    vintage, row = np.nonzero(is_new)
    days = pa.array([layout.vintages[at] for at in order], pa.string())
    fields = {
        "timestamp": pa.chunked_array([_combined(stamps).take(pa.array(row))]),
        "value": pa.chunked_array([pa.array(cells[vintage, row], from_pandas=True)]),
        "known_at": pa.chunked_array([days.take(pa.array(vintage))]),
    }
    faults = _faulty_numbers(values, layout, rows)
    table = from_arrow(pa.table(fields), attrs.evolve(source, by_variable=False), rows[row])
    return attrs.evolve(table, faults=[*table.faults, *faults])


def _combined(column: Any) -> Any:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _floats(column: Any) -> NDArray[np.float64]:
    return np.array([_float(cell) for cell in column.to_pylist()], dtype=np.float64)


def _float(cell: object) -> float:
    try:
        return number(cell)
    except ValueError:
        return float("nan")


def _faulty_numbers(values: Sequence[Any], layout: Layout, rows: Rows) -> list[Fault]:
    faults = []
    for name, column in zip(layout.values, values, strict=True):
        if not is_text(column.type):
            continue
        for row, cell in zip(rows.tolist(), column.to_pylist(), strict=True):
            try:
                number(cell)
            except ValueError as error:
                faults.append(Fault(row, f"{name} {error}"))
    return faults
