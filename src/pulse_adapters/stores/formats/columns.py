"""Columns of a file that has not Pulse's own: which of them is what, by their names and by what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import attrs

from pulse_adapters.stores.formats.date_forms import could_be_dates, dates_of
from pulse_adapters.stores.formats.reading import Reading
from pulse_adapters.stores.formats.table import Fault, Source, malformed, undecided
from pulse_core.errors import MalformedData

Kind = Literal["times", "numbers", "texts", "nothing", "other"]
"""What a column holds: by its type, and texts that are all numbers count as numbers."""

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "timestamp": (
        *("timestamp", "date", "ds", "datetime", "time", "observation_date", "period", "time_period", "month"),
        *("quarter", "year", "week", "day", "index", "__index_level_0__"),
    ),
    "value": ("value", "y", "obs_value"),
    "known_at": ("known_at", "realtime_start", "vintage", "vintage_date", "release_date", "released_at", "as_of"),
    "variable": (
        *("variable", "unique_id", "series", "series_id", "series_name", "item_id", "symbol", "ticker", "id"),
        *("indicator", "name", "code"),
    ),
}
"""The names that say what a column is, in lower case."""

_PARTS_OF_DATES: Final = frozenset({"year", "quarter", "month", "week", "day", "hour", "weekday", "dayofweek"})
"""Names of columns of whole numbers that repeat a part of the date beside them."""
_UNTIL: Final = ("realtime_end",)
_QUOTES: Final = frozenset({"open", "high", "low"})
_MARKED: Final = re.compile(r"[^\w\s]?\s?[+-]?\d[\d.,']*\s?(?:[^\w\s]|[A-Za-z]{1,3})?")
_DATED: Final = re.compile(r"(?:.*[_ -])?(?P<day>\d{8}|\d{4}-\d\d-\d\d)")


@attrs.frozen
class Column:
    """A column: its name, what it holds, its distinct texts (with how often each is there) where it holds texts."""

    name: str
    kind: Kind
    texts: Mapping[str, int] = attrs.field(factory=dict)
    counts_up: bool = False
    """Whether it holds 0, 1, 2 ..: the numbers of rows that some programs add."""

    @property
    def key(self) -> str:
        """Its name for comparisons."""
        return self.name.strip().lower()


@attrs.frozen
class Layout:
    """What the columns of a file are, by their names: `values` are of a variable each where there are several.

    With `vintages` the columns of `values` are one variable's, as known at these days (ISO 8601).
    """

    timestamp: str
    values: tuple[str, ...]
    known_at: str | None = None
    variable: str | None = None
    vintages: tuple[str, ...] = ()
    blank: tuple[str, ...] = ()
    """Columns with a name and nothing in them, beside those of several variables."""

    def __str__(self) -> str:
        parts = [f"timestamp from {self.timestamp!r}"]
        if self.vintages:
            parts.append(f"value from {len(self.values)} columns, each as known at the day in its name")
        elif self.is_wide:
            parts.append(f"a variable from each of {len(self.values)} columns")
        else:
            parts.append(f"value from {self.values[0]!r}")
        parts += [f"known_at from {self.known_at!r}"] if self.known_at else []
        parts += [f"variable from {self.variable!r}"] if self.variable else []
        parts += [f"nothing in {_listed(self.blank)}"] if self.blank else []
        return ", ".join(parts)

    @property
    def is_wide(self) -> bool:
        """Whether each column of values is a variable."""
        return len(self.values) > 1 and not self.vintages


def layout_of(columns: Sequence[Column], source: Source) -> Layout:
    """Return what the columns are. Raises MalformedData, with the option that decides it, where that is not plain."""
    reading = source.reading
    _refuse_unknown(columns, reading, source)
    timestamp = _timestamp(columns, reading, source)
    candidates = [column for column in columns if column.name != timestamp and column.key not in _UNTIL]
    known_at = _by_name("known_at", candidates, reading, source)
    variable = _by_name("variable", candidates, reading, source)
    candidates = [column for column in candidates if column.name not in (known_at, variable)]
    values, vintages = _values(candidates, variable, source)
    blank = tuple(column.name for column in candidates if column.kind == "nothing" and column.name and len(values) > 1)
    return Layout(timestamp, values, known_at, variable, vintages, blank)


def _refuse_unknown(columns: Sequence[Column], reading: Reading, source: Source) -> None:
    names = [column.name for column in columns]
    faults = [
        Fault(0, f"no column {name!r}, which --columns names as {role}; there are {_listed(names)}")
        for role, name in reading.columns
        if name not in names
    ]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    faults += [Fault(0, f"column {name!r} is there twice") for name in twice]
    if faults:
        raise malformed(faults, source.context, "Give each column once, by the name that the file has for it")


def _timestamp(columns: Sequence[Column], reading: Reading, source: Source) -> str:
    matches = _by_name("timestamp", columns, reading, source)
    if matches is not None:
        return matches
    dates = [column.name for column in columns if column.kind == "times" or _are_dates(column)]
    if len(dates) == 1:
        return dates[0]
    reason = f"{_listed(dates)} hold dates" if dates else "no column has a name or texts of dates"
    message = f"{reason}; its columns are {_listed(_names(columns))}"
    raise _undecided(message, "timestamp", dates, source)


def _are_dates(column: Column) -> bool:
    return column.kind == "texts" and could_be_dates(column.texts.keys())


def _by_name(role: str, columns: Sequence[Column], reading: Reading, source: Source) -> str | None:
    """Return the column of a role by what the user says, else by its name; None where none has such a name."""
    assigned = reading.of_role(role)
    if len(assigned) > 1:
        raise malformed([Fault(0, f"--columns names {len(assigned)} columns as {role}; it can be one")], source.context)
    if assigned:
        return assigned[0]
    taken = {name for _, name in reading.columns}
    matches = [column for column in columns if column.key in NAMES[role] and column.name not in taken]
    if role != "timestamp":
        matches = [column for column in matches if column.kind != "nothing"]
    exact = [column for column in matches if column.key == role]
    matches = exact or matches
    if role == "timestamp" and len(matches) > 1:
        matches = [column for column in matches if not _stands_beside_a_date(column)] or matches
    if len(matches) > 1:
        raise _undecided(f"{_listed(_names(matches))} may each be the {role}", role, _names(matches), source)
    return matches[0].name if matches else None


def _values(
    candidates: Sequence[Column], variable: str | None, source: Source
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns of values, and the days of vintages where they are such."""
    assigned = source.reading.of_role("value")
    if assigned:
        return assigned, ()
    matches = _by_name("value", candidates, source.reading, source)
    if matches is not None:
        return (matches,), ()
    numbers = [column for column in candidates if column.kind == "numbers" and not _is_row_number(column)]
    if len(numbers) > 1:
        numbers = [column for column in numbers if not _stands_beside_a_date(column)] or numbers
    if len(numbers) == 1:
        return (numbers[0].name,), ()
    if not numbers:
        raise _no_numbers(candidates, source)
    keys = {column.key for column in numbers}
    if keys >= _QUOTES or variable is not None:
        message = f"{_listed(_names(numbers))} hold numbers, and any may be the value"
        raise _undecided(message, "value", _names(numbers), source)
    days = [_day_in(column.name) for column in numbers]
    if all(days):
        return tuple(_names(numbers)), tuple(str(day) for day in days)
    return tuple(_names(numbers)), ()


def _no_numbers(candidates: Sequence[Column], source: Source) -> MalformedData:
    marked = next((column for column in candidates if _is_marked(column)), None)
    if marked is None:
        message = f"no column holds numbers; its columns are {_listed(_names(candidates))}"
        return _undecided(message, "value", [], source)
    example = next(iter(marked.texts))
    faults = [Fault(0, f"column {marked.name!r} holds {example!r} and the like, which are no numbers")]
    return malformed(faults, source.context, "Write them without signs of units, and with a minus below zero: -5.2")


def _is_marked(column: Column) -> bool:
    """Whether a column of words holds numbers with signs beside them, such as '5 %', '$5' or '(5)'."""
    return column.kind == "texts" and all(_MARKED.fullmatch(text) for text in column.texts)


def _is_row_number(column: Column) -> bool:
    is_unnamed = column.key in ("", "index", "row") or column.key.startswith(("unnamed", "__index_level_"))
    return column.counts_up and is_unnamed


def _stands_beside_a_date(column: Column) -> bool:
    """Whether a column of numbers is a part of the date, or the index of a frame, where there are better columns."""
    return column.kind == "numbers" and (column.key in _PARTS_OF_DATES or _has_no_name(column))


def _has_no_name(column: Column) -> bool:
    return column.key == "" or column.key.startswith(("unnamed:", "__index_level_"))


def _day_in(name: str) -> str | None:
    """Return the day with which the name of a column of vintages ends, in ISO 8601."""
    match = _DATED.fullmatch(name.strip())
    if match is None:
        return None
    day = match["day"]
    iso = dates_of({day: 1}, "%Y%m%d" if "-" not in day else "%Y-%m-%d").iso
    return iso.get(day)


def _names(columns: Sequence[Column]) -> list[str]:
    return [column.name for column in columns]


def _undecided(message: str, role: str, names: Sequence[str], source: Source) -> MalformedData:
    quoted = [f"'{role}={name}'" if " " in name else f"{role}={name}" for name in names]
    option = " or ".join(f"--columns {pair}" for pair in quoted[:6]) or f"--columns {role}=NAME"
    return undecided([Fault(0, message)], source.context, f"Say which it is: {option}")


def _listed(names: Sequence[str]) -> str:
    text = ", ".join(repr(name[:40]) for name in names[:10])
    return f"{text} and {len(names) - 10} more" if len(names) > 10 else text or "none"
