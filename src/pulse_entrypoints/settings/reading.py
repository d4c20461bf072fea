"""The settings of how data files are to be read, where their columns or cells have more than one reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from pulse_adapters.stores.formats.date_forms import UNIX
from pulse_adapters.stores.formats.reading import ROLES, Reading, Readings
from pulse_entrypoints.cli.kinds import Kind
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import READING

ALL_FILES: Final = "*"
_PAIR: Final = re.compile(rf"({'|'.join(ROLES)})=(.+)", re.DOTALL)
_DIRECTIVE: Final = re.compile(r"%[a-zA-Z]")
_SPACE: Final = "space"


@attrs.frozen
class ByPattern:
    """A setting by patterns of file names, as a table of TOML has it."""

    values: tuple[tuple[str, Any], ...]

    def to_document(self) -> dict[str, Any]:
        """Return it as a table."""
        return dict(self.values)


def _pair(text: str) -> tuple[str, str]:
    match = _PAIR.fullmatch(text)
    if match is None:
        raise ValueError
    return match[1], match[2]


def _date_format(text: str) -> str:
    if text != UNIX and not _DIRECTIVE.search(text):
        raise ValueError
    return text


def _mark(text: str) -> str:
    text = " " if text == _SPACE else text
    if text not in (".", ",", " ", "'", "_"):
        raise ValueError
    return text


def _decimal(text: str) -> str:
    if text not in (".", ","):
        raise ValueError
    return text


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError from error


def _patterned(kind: Kind) -> Kind:
    """Return a kind whose value may also be a table of TOML, by patterns of file names."""

    def of_table(value: Any) -> ByPattern:
        if not isinstance(value, Mapping):
            raise ValueError(f"expected {kind.expected}, or a table by patterns of file names, got {value!r}")
        return ByPattern(tuple((str(pattern), kind.of_toml(entry)) for pattern, entry in value.items()))

    return attrs.evolve(kind, of_structure=of_table)


def _kind(expected: str, metavar: str, parse: Callable[[str], Any], *, many: bool = False) -> Kind:
    in_toml = "a list such as ['timestamp=DATE', 'value=GDP']" if many else ""
    return _patterned(Kind(expected=expected, metavar=metavar, parse=parse, many=many, in_toml=in_toml))


COLUMNS: Final = _kind(f"pairs such as timestamp=DATE, of {', '.join(ROLES)}", "ROLE=COLUMN...", _pair, many=True)
DATE_FORMAT: Final = _kind(f"a format such as %d/%m/%Y, or {UNIX}", "FORMAT", _date_format)
DECIMAL: Final = _kind("a point or a comma", "MARK", _decimal)
THOUSANDS: Final = _kind("a comma, a point, an apostrophe, _ or the word space", "MARK", _mark)
ZONE: Final = _kind("a time zone such as Europe/Berlin", "ZONE", _zone)


@attrs.frozen(kw_only=True, slots=False)
class ReadingSettings:
    """The options of how data files are read; in TOML each may be a table by patterns of file names."""

    columns: tuple[tuple[str, str], ...] | ByPattern | None = option(
        COLUMNS,
        READING,
        "What the columns are, as role=column: timestamp, value, known_at, variable. Several values are variables.",
        default_text="by their names and cells",
    )
    date_format: str | ByPattern | None = option(
        DATE_FORMAT,
        READING,
        f"The format of dates, as of strptime: %d/%m/%Y; {UNIX} for seconds since 1970.",
        default_text="by the dates",
    )
    decimal: str | ByPattern | None = option(
        DECIMAL, READING, "The decimal mark of numbers.", default_text="by the numbers"
    )
    thousands: str | ByPattern | None = option(
        THOUSANDS, READING, "The mark between thousands of numbers.", default_text="by the numbers"
    )
    time_zone: str | ByPattern | None = option(
        ZONE, READING, "The time zone of times without an offset.", default_text="UTC"
    )

    def reading_options(self) -> dict[str, tuple[str, ...]]:
        """Return the words of the options that are given for all files, by name."""
        words = {name: getattr(self, name) for name in ("date_format", "decimal", "thousands", "time_zone")}
        options: dict[str, tuple[str, ...]] = {name: (word,) for name, word in words.items() if isinstance(word, str)}
        if isinstance(self.columns, tuple):
            options["columns"] = tuple(f"{role}={name}" for role, name in self.columns)
        return options

    @property
    def readings(self) -> Readings:
        """How each file is to be read, by its name."""
        named: dict[str, dict[str, Any]] = {}
        for field in attrs.fields(Reading):
            value = getattr(self, field.name)
            values = value.values if isinstance(value, ByPattern) else () if value is None else ((ALL_FILES, value),)
            for pattern, entry in values:
                named.setdefault(pattern, {})[field.name] = entry
        default = Reading(**named.pop(ALL_FILES, {}))
        return Readings(default, tuple((pattern, Reading(**fields)) for pattern, fields in named.items()))
