"""Forms of dates in texts: which of them fits a whole column, and the same dates as ISO 8601.

A form is taken only where it gives every text of the column a date and no other form gives other dates.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import attrs

from pulse_adapters.stores.formats.cells import moment

UNIX: Final = "unix"
"""The format of seconds, or milliseconds, since 1970."""

_SECONDS: Final = re.compile(r"\d{9,10}|\d{12,13}")
_MILLISECONDS: Final = 10**11

_LEAST_ROWS: Final = 2
"""Rows of another form than the others from which they are no slip of the pen."""

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sep sept",
            "october oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
_CLOCK: Final = (
    r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<fraction>\.\d{1,6})?)?"
    r"(?: ?(?P<half>[AaPp][Mm]))?)?"
)
_YEAR: Final = r"(?P<year>(?:1[5-9]|2[01])\d\d)"
_NAMED: Final = r"(?P<name>[A-Za-z]{3,9})\.?"


@attrs.frozen
class DateForm:
    """A form of dates: how strptime writes it (or an example, where it cannot), and the pattern of its texts."""

    label: str
    pattern: re.Pattern[str]
    is_format: bool = True

    def iso(self, text: str) -> str | None:
        """Return the text in ISO 8601, or None where it has not this form or names no date."""
        match = self.pattern.fullmatch(text)
        return None if match is None else _iso(match.groupdict())


def _form(label: str, pattern: str, *, clock: bool = True, is_format: bool = True) -> DateForm:
    return DateForm(label, re.compile(pattern + (_CLOCK if clock else ""), re.ASCII), is_format)


_NUMBERS: Final = (
    _form("%Y%m%d", rf"{_YEAR}(?P<month>\d\d)(?P<day>\d\d)", clock=False),
    _form("%Y%m", rf"{_YEAR}(?P<month>\d\d)", clock=False),
    _form("%y%m%d", r"(?P<short>\d\d)(?P<month>\d\d)(?P<day>\d\d)", clock=False),
    _form("%d%m%Y", rf"(?P<day>\d\d)(?P<month>\d\d){_YEAR}", clock=False),
    _form("%m%d%Y", rf"(?P<month>\d\d)(?P<day>\d\d){_YEAR}", clock=False),
    _form("%Y", _YEAR, clock=False),
)
"""Forms of digits alone."""

FORMS: Final = (
    *_NUMBERS,
    _form("%Y/%m/%d", rf"{_YEAR}/(?P<month>\d\d?)/(?P<day>\d\d?)"),
    _form("%Y.%m.%d", rf"{_YEAR}\.(?P<month>\d\d?)\.(?P<day>\d\d?)\.?"),
    _form("%Y-%m-%d", rf"{_YEAR}-(?P<month>\d\d?)-(?P<day>\d\d?)"),
    _form("%d.%m.%Y", rf"(?P<day>\d\d?)\.(?P<month>\d\d?)\.{_YEAR}"),
    _form("%d/%m/%Y", rf"(?P<day>\d\d?)/(?P<month>\d\d?)/{_YEAR}"),
    _form("%m/%d/%Y", rf"(?P<month>\d\d?)/(?P<day>\d\d?)/{_YEAR}"),
    _form("%d-%m-%Y", rf"(?P<day>\d\d?)-(?P<month>\d\d?)-{_YEAR}"),
    _form("%m-%d-%Y", rf"(?P<month>\d\d?)-(?P<day>\d\d?)-{_YEAR}"),
    _form("%d-%b-%Y", rf"(?P<day>\d\d?)[- ]{_NAMED}[- ,]+{_YEAR}"),
    _form("%b %d, %Y", rf"(?:[A-Za-z]{{3,9}},? )?{_NAMED} (?P<day>\d\d?),? {_YEAR}"),
    _form("%Y/%m", rf"{_YEAR}/(?P<month>\d\d?)", clock=False),
    _form("%m/%Y", rf"(?P<month>\d\d?)/{_YEAR}", clock=False),
    _form("%m.%Y", rf"(?P<month>\d\d?)\.{_YEAR}", clock=False),
    _form("%b %Y", rf"{_NAMED}[- ]{_YEAR}", clock=False),
    _form("%Y %b", rf"{_YEAR}[- ]{_NAMED}", clock=False),
    _form("1990M01", rf"{_YEAR}[- ]?M(?P<month>\d\d?)", clock=False, is_format=False),
    _form("1990Q1", rf"{_YEAR}[-: ]?[Qq](?P<quarter>[1-4])", clock=False, is_format=False),
    _form("Q1 1990", rf"[Qq](?P<quarter>[1-4])[-/ ]?{_YEAR}", clock=False, is_format=False),
    _form("1990H1", rf"{_YEAR}[- ]?[HhSs](?P<half_year>[12])", clock=False, is_format=False),
    # of two digits for the year nobody can say the century: these are recognised in order to be refused
    _form("%d/%m/%y", r"(?P<day>\d\d?)/(?P<month>\d\d?)/(?P<short>\d\d)"),
    _form("%m/%d/%y", r"(?P<month>\d\d?)/(?P<day>\d\d?)/(?P<short>\d\d)"),
    _form("%d.%m.%y", r"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<short>\d\d)"),
    _form("%d-%b-%y", rf"(?P<day>\d\d?)[- ]{_NAMED}[- ](?P<short>\d\d)"),
    _form("%b-%y", rf"{_NAMED}[- ](?P<short>\d\d)", clock=False),
)
"""All forms beside ISO 8601 itself."""


@attrs.frozen
class DatesFound:
    """The dates of a column: each text with its ISO 8601 where it has one, and the form, '' for ISO 8601 itself.

    `problem` says what is doubtful or wrong with all of them together, '' where nothing is; `option` is then the one
    that decides it, and `odd` are texts that have not the form of most.
    """

    iso: Mapping[str, str]
    form: str = ""
    problem: str = ""
    option: str = ""
    odd: frozenset[str] = frozenset()


def dates_of(counts: Mapping[str, int], date_format: str | None = None) -> DatesFound:
    """Return what the distinct texts of a column, with how often each is there, are as dates.

    A text that is no date by the form of the others is left out: the reader of ISO 8601 then says what it is.
    """
    if date_format is not None:
        iso = _by_format(counts, date_format)
        return DatesFound(iso, date_format)
    foreign = [text for text in counts if not is_iso(text)]
    if not foreign:
        return DatesFound({})
    if all(_SECONDS.fullmatch(text) for text in counts):
        problem = f"its dates, such as {foreign[0]!r}, look like seconds since 1970"
        return DatesFound({}, "", problem, f"--date-format {UNIX}")
    readings = _distinct([form for form in FORMS if all(form.iso(text) for text in foreign)], foreign)
    if len(foreign) < len(counts) or not readings:
        return _mixed(counts, foreign)
    return _of_readings(readings, foreign)


def _of_readings(readings: Sequence[DateForm], texts: Sequence[str]) -> DatesFound:
    """Return the dates of texts that have one reading, or what is doubtful about several."""
    if len(readings) > 1:
        return _doubtful(readings, texts[0], f"they have {len(readings)} readings")
    (form,) = readings
    if "%y" in form.label:
        return _doubtful([form], texts[0], "a year of two digits has no century")
    return DatesFound({text: str(form.iso(text)) for text in texts}, form.label)


def is_iso(text: str) -> bool:
    """Whether a text is ISO 8601 as every file may have it."""
    try:
        moment(text)
    except ValueError:
        return False
    return True


def could_be_dates(texts: Collection[str]) -> bool:
    """Whether texts, of which there are some, are dates of one form that is more than digits."""
    forms = [form for form in FORMS if form not in _NUMBERS]
    if all(is_iso(text) and not text.isdigit() for text in texts):
        return bool(texts)
    return any(all(form.iso(text) for text in texts) for form in forms)


def _distinct(forms: Iterable[DateForm], texts: Sequence[str]) -> list[DateForm]:
    """Return the first of the forms that give the texts the same dates."""
    readings: dict[tuple[str | None, ...], DateForm] = {}
    for form in forms:
        readings.setdefault(tuple(form.iso(text) for text in texts), form)
    return list(readings.values())


def _doubtful(forms: Sequence[DateForm], example: str, reason: str) -> DatesFound:
    labels = " or ".join(form.label for form in forms)
    option = " or ".join(f"--date-format {form.label}" for form in forms if form.is_format)
    return DatesFound({}, "", f"its dates, such as {example!r}, may be {labels}: {reason}", option)


def _mixed(counts: Mapping[str, int], foreign: Sequence[str]) -> DatesFound:
    """Say of texts that have not one form how many have which, where any has."""
    shares = [(sum(counts[text] for text in foreign if form.iso(text)), form) for form in FORMS]
    largest = max((share for share, _ in shares), default=0)
    forms = [form for share, form in shares if share == largest and largest >= _LEAST_ROWS]
    readings = _distinct(forms, [text for text in foreign if any(form.iso(text) for form in forms)])
    if not readings:
        return DatesFound({})
    example = next(text for text in foreign if readings[0].iso(text))
    names = " or ".join(form.label for form in readings)
    option = " or ".join(f"--date-format {form.label}" for form in readings if form.is_format)
    odd = frozenset(text for text in counts if readings[0].iso(text) is None)
    return DatesFound({}, "", f"{largest} rows look like {example} ({names}), the foreign do not", option, odd)


def _by_format(texts: Iterable[str], date_format: str) -> dict[str, str]:
    dates: dict[str, str] = {}
    for text in texts:
        try:
            if date_format == UNIX:
                dates[text] = _since_1970(text)
                continue
            dates[text] = datetime.strptime(text, date_format).isoformat()  # noqa: DTZ007  # its zone is another option
        except (ValueError, OverflowError, OSError):
            continue
        if not _has_clock(date_format):
            dates[text] = dates[text][:10]
    return dates


def _since_1970(text: str) -> str:
    """Return whole seconds, or milliseconds where they are so many, since 1970 as ISO 8601. Raises ValueError."""
    number = int(text)
    seconds = number / 1000 if abs(number) >= _MILLISECONDS else number
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _has_clock(date_format: str) -> bool:
    return any(directive in date_format for directive in ("%H", "%I", "%M", "%S", "%c", "%X", "%T", "%R"))


def _iso(parts: Mapping[str, str | None]) -> str | None:
    year = int(str(parts["year"])) if parts.get("year") else _century(int(parts.get("short") or 0))
    month = _month(parts)
    if month is None:
        return None
    hour = int(parts.get("hour") or 0)
    if parts.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (str(parts["half"]).lower() == "pm")
    clock = hour, int(parts.get("minute") or 0), int(parts.get("second") or 0)
    micros = int(str(parts.get("fraction") or ".0")[1:].ljust(6, "0"))
    try:
        stamp = datetime(year, month, int(parts.get("day") or 1), *clock, micros)  # noqa: DTZ001  # another option's
    except ValueError:
        return None
    return stamp.isoformat() if parts.get("hour") else stamp.date().isoformat()


def _month(parts: Mapping[str, str | None]) -> int | None:
    """Return the month that the parts of a date name, None where they name none."""
    if parts.get("name"):
        return _MONTHS.get(str(parts["name"]).lower())
    if parts.get("quarter"):
        return 3 * int(str(parts["quarter"])) - 2
    if parts.get("half_year"):
        return 6 * int(str(parts["half_year"])) - 5
    return int(parts.get("month") or 1)


def _century(short: int) -> int:
    """Return a year of two digits as strptime does: 69 to 99 are of the last century."""
    return short + (1900 if short >= 69 else 2000)
