"""The kinds of values that options take, read from text (arguments, environment) or from TOML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import attrs

from pulse_core.season import EXPECTED as SEASON_EXPECTED
from pulse_core.season import SeasonSetting, season_setting

_DIGITS: Final = 18
_WHOLE: Final = re.compile(rf"[+-]?[0-9]{{1,{_DIGITS}}}")
_TOO_LONG: Final = re.compile(rf"[+-]?[0-9]{{{_DIGITS + 1},}}")
_SLICE: Final = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")
_RUN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SEASONS: Final = re.compile(r"[0-9]{1,9}( ?, ?[0-9]{1,9})*")
_SIZE: Final = re.compile(r"[0-9]+(\.[0-9]+)? ?[kMGT]i?B")
_POWERS: Final = {"k": 1, "M": 2, "G": 3, "T": 4}
_URL: Final = re.compile(
    r"https?://[A-Za-z0-9._\-]+(?::[0-9]{1,5})?(?:/[^\s?#@]*)?|https?://\[[0-9a-fA-F:]+\](?::[0-9]{1,5})?/?"
)
_OBJECT: Final = re.compile(r"s3://([A-Za-z0-9._-]{3,255})/([^\x00-\x1f]{0,1023}[^\x00-\x1f/])")
_MOST_DAYS: Final = 36_500
_RECORDS: Final = "units"
_TRUE: Final = ("true", "1", "yes", "on")
_FALSE: Final = ("false", "0", "no", "off")


@attrs.frozen(kw_only=True)
class Kind:
    """A kind of value. `parse` returns the value of a text or raises ValueError; `toml` are its types in TOML.

    `many` stands for several of them, exactly `count` where that is not 0. A list or table of TOML goes through
    `of_structure`, which returns its value or raises ValueError that says why not.
    """

    expected: str
    metavar: str
    parse: Callable[[str], Any]
    toml: tuple[type, ...] = (str,)
    many: bool = False
    count: int = 0
    choices: tuple[str, ...] = ()
    in_toml: str = ""
    of_structure: Callable[[Any], Any] | None = None

    def of_text(self, texts: Sequence[str]) -> Any:
        """Return the value of an argument or environment variable. Raises ValueError, saying why not."""
        if not texts or not any(text.strip() for text in texts):
            raise ValueError("no value is given")
        if self.count and len(texts) != self.count:
            raise ValueError(f"expected {self.expected}, got {len(texts)}: {' '.join(texts)}")
        if self.many:
            return tuple(self._parsed(text) for text in texts)
        if len(texts) > 1:
            raise ValueError(f"takes one value, got {len(texts)}: {' '.join(texts)}")
        return self._parsed(texts[0])

    def of_toml(self, value: object) -> Any:
        """Return the value of a TOML key. Raises ValueError, saying why not."""
        if self.many and not (self.of_structure is not None and isinstance(value, dict)):
            if not isinstance(value, list) or not all(type(item) in self.toml for item in value):
                raise ValueError(f"expected {self.in_toml or self.expected}, got {value!r}")
            return self.of_text([str(item) for item in value])
        if self.of_structure is not None and isinstance(value, list | dict):
            return self.of_structure(value)
        if type(value) not in self.toml:
            raise ValueError(f"expected {self.expected}, got {value!r}")
        return self.of_text([value]) if isinstance(value, str) else self._of_number(value)

    def of_python(self, value: object) -> Any:
        """Return the value of an argument in Python. Raises ValueError, saying why not.

        It is a text as on the command line, an object whose text is one (a date, a path, a number of numpy), or a list.
        """
        if isinstance(value, Mapping) and self.of_structure is not None:
            return self.of_structure(dict(value))
        if isinstance(value, str | Path) or not isinstance(value, Iterable):
            return self.of_text([_python_text(value)])
        texts = [_python_text(item) for item in value]
        if self.many:
            return self.of_text(texts)
        return self.of_structure(list(map(_plain_number, value))) if self.of_structure else self.of_text(texts)

    def _parsed(self, text: str) -> Any:
        if "\0" in text:  # no file, object or variable can have it in its name
            raise ValueError(f"expected {self.expected}, got {text!r} with a NUL character in it")
        try:
            return self.parse(text)
        except ValueError:
            if _TOO_LONG.fullmatch(text):
                raise ValueError(f"expected {self.expected}, of at most {_DIGITS} digits, got {len(text)}") from None
            raise ValueError(f"expected {self.expected}, got '{text}'") from None

    def _of_number(self, value: object) -> Any:
        return self._parsed(str(value)) if type(value) in (int, float) else value


def _python_text(value: object) -> str:
    """Return the text of an object of Python; of a moment without a time of day (Timestamp, datetime64) that of a day.

    Raises ValueError for an object that stands for no single value.
    """
    if isinstance(value, str | Path):
        return str(value)
    item = getattr(value, "item", None)  # numbers and moments of numpy
    value = item() if callable(item) else value
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, bool | int | float | date):
        return str(value)
    raise ValueError(f"expected a text, a number or a date, got {type(value).__name__}")


def _plain_number(value: object) -> object:
    item = getattr(value, "item", None)
    return item() if callable(item) else value


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError
    return int(text)


def _positive(text: str) -> int:
    number = _whole(text)
    if number < 1:
        raise ValueError
    return number


def _days(text: str) -> int:
    number = _positive(text)
    if number > _MOST_DAYS:
        raise ValueError
    return number


def _count(text: str) -> int:
    number = _whole(text)
    if number < 0:
        raise ValueError
    return number


def _port(text: str) -> int:
    number = _whole(text)
    if not 0 <= number < 1 << 16:
        raise ValueError
    return number


def _duration(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError
    return number


def _size(text: str) -> str:
    if not _SIZE.fullmatch(text):
        raise ValueError
    return text


def _share_of_one(text: str) -> float:
    number = float(text)
    if not 0 <= number < 1:
        raise ValueError
    return number


def _flag(text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise ValueError
    return text.lower() in _TRUE


def _share(text: str) -> tuple[int, int]:
    match = _SLICE.fullmatch(text)
    if match is None or int(match[1]) >= int(match[2]):
        raise ValueError
    return int(match[1]), int(match[2])


def _auto_or_positive(text: str) -> int | None:
    return None if text.lower() == "auto" else _positive(text)


def _season(text: str) -> SeasonSetting:
    if _SEASONS.fullmatch(text):
        return season_setting([int(number) for number in text.split(",")])
    return season_setting(text)


def _run_id(text: str) -> str:
    if not _RUN_ID.fullmatch(text) or text == _RECORDS:
        raise ValueError
    return text


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _bytes(text: str) -> int:
    if _WHOLE.fullmatch(text):
        return max(int(text), 0)
    size = _size(text)
    number, unit, binary = re.split(r" ?([kMGT])", size.removesuffix("B"), maxsplit=1)
    return int(float(number) * (1_024 if binary else 1_000) ** _POWERS[unit])


def _url(text: str) -> str:
    if not _URL.fullmatch(text):
        raise ValueError
    return text.rstrip("/")


def _object(text: str) -> tuple[str, str]:
    match = _OBJECT.fullmatch(text)
    if match is None:
        raise ValueError
    return match[1], match[2]


def choice(*choices: str, metavar: str, further: Callable[[], Iterable[str]] = tuple) -> Kind:
    """Return the kind of one word out of several, in any case; those of `further` count where none fits."""

    def parse(text: str) -> str:
        for words in (choices, further()):
            for word in words:
                if word.lower() == text.lower():
                    return word
        raise ValueError

    return Kind(expected=f"one of {', '.join(choices)}", metavar=metavar, parse=parse, choices=choices)


NAMES: Final = Kind(
    expected="names",
    metavar="NAME...",
    parse=str,
    many=True,
    in_toml='a list of names such as ["a", "b"]',
)
TEXT: Final = Kind(expected="text", metavar="TEXT", parse=str)
WHOLE: Final = Kind(expected="a whole number", metavar="N", parse=_whole, toml=(int,))
POSITIVE: Final = Kind(expected="a whole number of at least 1", metavar="N", parse=_positive, toml=(int,))
DAYS: Final = Kind(expected=f"a whole number of days, 1 to {_MOST_DAYS}", metavar="DAYS", parse=_days, toml=(int,))
COUNT: Final = Kind(expected="a whole number of at least 0", metavar="N", parse=_count, toml=(int,))
PORT: Final = Kind(expected="a port, 0 to 65535", metavar="PORT", parse=_port, toml=(int,))
RANGE: Final = Kind(
    expected="two whole numbers of at least 1, the least and the most",
    metavar="MIN MAX",
    parse=_positive,
    toml=(int,),
    many=True,
    count=2,
    in_toml="a list such as [1, 4]",
)
SECONDS: Final = Kind(expected="seconds, 0 or more", metavar="SECONDS", parse=_duration, toml=(int, float))
SIZE: Final = Kind(expected="a size such as 512MiB or 2GiB", metavar="SIZE", parse=_size)
NUMBER: Final = Kind(expected="a number", metavar="X", parse=float, toml=(int, float))
SHARE_OF_ONE: Final = Kind(expected="a number from 0 to below 1", metavar="X", parse=_share_of_one, toml=(int, float))
DAY: Final = Kind(expected="a day such as 2022-01-31", metavar="DAY", parse=date.fromisoformat, toml=(str, date))
FLAG: Final = Kind(expected="true or false", metavar="", parse=_flag, toml=(bool,))
PATH: Final = Kind(expected="a path", metavar="PATH", parse=_path)
SHARE: Final = Kind(expected="I/N with 0 <= I < N, such as 0/4", metavar="I/N", parse=_share)
HOURS: Final = Kind(expected="a number of hours, at least 0", metavar="HOURS", parse=_duration, toml=(int, float))
BYTES: Final = Kind(expected="a size such as 512MiB or 2GiB, or 0", metavar="SIZE", parse=_bytes, toml=(int, str))
URL: Final = Kind(expected="an address such as http://127.0.0.1:8333", metavar="URL", parse=_url)
OBJECT: Final = Kind(expected="s3://bucket/key", metavar="s3://BUCKET/KEY", parse=_object)
RUN_ID: Final = Kind(
    expected="up to 100 letters, digits, '.', '_' or '-', beginning with a letter or digit, and not 'units'",
    metavar="NAME",
    parse=_run_id,
)
AUTO_OR_POSITIVE: Final = Kind(
    expected="auto or a whole number of at least 1", metavar="N", parse=_auto_or_positive, toml=(int, str)
)
SEASON: Final = Kind(expected=SEASON_EXPECTED, metavar="M", parse=_season, toml=(int, str), of_structure=season_setting)
