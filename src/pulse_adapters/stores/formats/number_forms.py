"""Forms of numbers in texts: which marks a file uses for decimals and thousands, and the same numbers without them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from pulse_adapters.stores.formats.cells import ABSENT_TEXTS

_PLAIN: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SPACES: Final = ("\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", " ")
_GROUPS_OF_DOTS: Final = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+", re.ASCII)
_ABSENT: Final = frozenset(ABSENT_TEXTS)


@attrs.frozen
class Marks:
    """The marks of a file's numbers: of decimals, and of thousands ('' where it uses none)."""

    decimal: str = "."
    thousands: str = ""

    def plain(self, text: str) -> str | None:
        """Return a text without marks of thousands and with a point, or None where it is no number with these."""
        if self.thousands:
            whole, mark, fraction = text.partition(self.decimal)
            if self.thousands in fraction or not _are_groups(whole, self.thousands):
                return None
            text = whole.replace(self.thousands, "") + mark + fraction
        if self.decimal != ".":
            if "." in text:
                return None
            text = text.replace(self.decimal, ".", 1)
        return text if _PLAIN.fullmatch(text) else None

    def __str__(self) -> str:
        thousands = f" and {self.thousands!r} for thousands" if self.thousands else ""
        return f"{self.decimal!r} for decimals{thousands}"


PLAIN: Final = Marks()
CANDIDATES: Final = (
    PLAIN,
    Marks(","),
    Marks(".", ","),
    Marks(",", "."),
    *(Marks(decimal, mark) for mark in (*_SPACES, "'", "\N{RIGHT SINGLE QUOTATION MARK}") for decimal in (".", ",")),
)


@attrs.frozen
class NumbersFound:
    """The marks of the numbers of a file; `problem` and the `option` that decides it where there is more than one."""

    marks: Marks = PLAIN
    problem: str = ""
    option: str = ""


def numbers_of(
    texts: Iterable[str], decimal: str | None = None, thousands: str | None = None, *, continental: bool = False
) -> NumbersFound:
    """Return the marks of the numbers among these distinct texts; those that are none are left to their reader.

    In a `continental` file, whose cells are divided by semicolons, points may be marks of thousands.
    """
    if decimal is not None or thousands is not None:
        return NumbersFound(Marks(decimal or ("," if thousands == "." else "."), thousands or ""))
    numbers = [text for text in texts if text not in _ABSENT and any(letter.isdigit() for letter in text)]
    fitting = [marks for marks in CANDIDATES if all(marks.plain(text) for text in numbers)]
    if PLAIN in fitting and not (continental and _may_be_thousands(numbers)):
        return NumbersFound()
    readings: dict[tuple[float, ...], Marks] = {}
    for marks in fitting:
        readings.setdefault(tuple(float(marks.plain(text) or "nan") for text in numbers), marks)
    if len(readings) <= 1:
        return NumbersFound(next(iter(readings.values()), _most_fitting(numbers)))
    example = next(text for text in numbers if any(mark in text for mark in ".,"))
    ways = " or ".join(str(marks) for marks in readings.values())
    problem = f"its numbers, such as {example!r}, may have {ways}"
    return NumbersFound(PLAIN, problem, _option(readings.values()))


def as_plain(texts: Iterable[str], marks: Marks) -> Mapping[str, str]:
    """Return texts with their numbers without marks; what is no number stays as it is."""
    return {text: marks.plain(text) or text for text in texts}


def _are_groups(whole: str, mark: str) -> bool:
    first, *groups = whole.lstrip("+-").split(mark)
    return not groups or (1 <= len(first) <= 3 and all(len(group) == 3 and group.isdigit() for group in groups))


def _may_be_thousands(numbers: list[str]) -> bool:
    with_points = [text for text in numbers if "." in text]
    return bool(with_points) and all(_GROUPS_OF_DOTS.fullmatch(text) for text in with_points)


def _most_fitting(numbers: list[str]) -> Marks:
    """Return the marks by which most texts are numbers, where all are by none: the others are its faults."""
    return max(CANDIDATES, key=lambda marks: sum(marks.plain(text) is not None for text in numbers))


def _option(readings: Iterable[Marks]) -> str:
    options = [
        f"--thousands '{marks.thousands}'" if marks.thousands else f"--decimal '{marks.decimal}'" for marks in readings
    ]
    return " or ".join(dict.fromkeys(options))
