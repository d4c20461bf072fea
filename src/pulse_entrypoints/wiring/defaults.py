"""Defaults that come from the data: which variables to train, and from which day on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Final

import attrs
import numpy as np

from pulse_core.data.calendars import calendar_of
from pulse_core.data.observations import Moments
from pulse_core.data.seasons import least_history
from pulse_core.errors import DataError, SettingsError
from pulse_core.ports import DataStore, reading
from pulse_entrypoints.cli.progress import each_with_bar
from pulse_entrypoints.settings.spec import DEFAULT_START, DEFAULT_VARIABLES

YEARS: Final = 10
"""The years before the data's end that are trained where they do not reach from DEFAULT_START on."""

ENOUGH: Final = 24
"""Origins from DEFAULT_START on with which a variable can be trained from that day."""

_EXCEPT: Final = "!"
_FROM_FILE: Final = "@"
_WILD: Final = frozenset("*?[")
_NAMED: Final = 5


@attrs.frozen(slots=False)
class DataDefaults:
    """What the data say of a run's variables and period; nothing is read before it is asked for.

    Without a store, where that cannot be opened, nothing is known of the data.
    """

    open_store: Callable[[], DataStore] | None
    min_history: int | None = None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all variables."""
        return tuple(self._store.names())

    @cached_property
    def _store(self) -> DataStore:
        if self.open_store is None:
            raise ValueError("there is no store")
        return self.open_store()

    def variables(self, words: Sequence[str] | None) -> tuple[tuple[str, ...], str]:
        """Return the variables that words of `--variables` choose, and why where none are given.

        Without words they are the two that the predecessor of Pulse had by default, where the data hold both, else all.
        Raises SettingsError for words that choose nothing, StoreUnavailable.
        """
        if self.open_store is None:
            return tuple(words or DEFAULT_VARIABLES), ""
        if words is not None:
            return self._chosen(tuple(_with_files(words))), ""
        if set(DEFAULT_VARIABLES) <= set(self.names):
            return DEFAULT_VARIABLES, f"{' and '.join(DEFAULT_VARIABLES)}, which the data hold"
        if not self.names:
            raise SettingsError(["there is no variable in the data: name another location with --data"])
        first = ", ".join(self.names[:_NAMED])
        surplus = f" and {len(self.names) - _NAMED} more" if len(self.names) > _NAMED else ""
        count = f"all {len(self.names)} variables" if len(self.names) > 1 else "the only variable"
        return self.names, f"{count} of the data ({first}{surplus})"

    def start(self, variables: Sequence[str]) -> tuple[date, str]:
        """Return the first day of the period, and why.

        It is DEFAULT_START where every variable has ENOUGH origins from then on, each with enough history. Else it is
        the 1st of January ten years before the year in which the first of them ends, or the first one by which any of
        them has enough history.
        """
        if self.open_store is None:
            return DEFAULT_START, ""
        origins = [self._origins(stamps) for stamps in self._stamps(variables)]
        origins = [stamps for stamps in origins if len(stamps)]
        if all(_count_from(stamps, DEFAULT_START) >= ENOUGH for stamps in origins):
            return DEFAULT_START, ""
        last = min(_year(stamps[-1]) for stamps in origins)
        first = min(_year(stamps[0]) for stamps in origins) + 1
        if first > last - YEARS:
            return date(min(first, last), 1, 1), "the first year before which there is enough history"
        whose = "the data end" if len(origins) == 1 else "the first of the variables ends"
        return date(last - YEARS, 1, 1), f"{YEARS} years before {last}, in which {whose}"

    def _origins(self, stamps: Moments) -> Moments:
        """Return the timestamps that have enough history before them."""
        return stamps[(self.min_history or least_history(calendar_of(stamps))) - 1 :]

    def _stamps(self, variables: Sequence[str]) -> Iterator[Moments]:
        """Yield the timestamps of each variable, in order; what cannot be read is told by the run."""
        with reading(self._store, variables) as ready:
            for variable in each_with_bar("Reading dates", variables):
                try:
                    yield np.unique(ready.read(variable).timestamps)
                except DataError:
                    continue

    def _chosen(self, words: tuple[str, ...]) -> tuple[str, ...]:
        if not any(_is_pattern(word) for word in words):
            return words
        problems: list[str] = []
        selection: dict[str, None] = dict.fromkeys(self.names if words[0].startswith(_EXCEPT) else ())
        for word in words:
            is_out = word.startswith(_EXCEPT)
            fitting = self._fitting(word.removeprefix(_EXCEPT) if is_out else word)
            if not fitting:
                problems.append(f"--variables: no variable of the data fits {word!r}; {_near(self.names)}")
            for name in fitting:
                if is_out:
                    selection.pop(name, None)
                else:
                    selection.setdefault(name)
        if not problems and not selection:
            problems.append(f"--variables: {' '.join(words)} leaves no variable of the data; {_near(self.names)}")
        if problems:
            raise SettingsError(problems)
        return tuple(selection)

    def _fitting(self, word: str) -> tuple[str, ...]:
        """Return the variables that a word names or, as a pattern of the shell, fits."""
        if word in self.names or not _WILD & set(word):
            return (word,)
        return tuple(name for name in self.names if fnmatchcase(name, word))


def _count_from(stamps: Moments, day: date) -> int:
    return len(stamps) - int(np.searchsorted(stamps, np.datetime64(day, "us")))


def _year(stamp: np.datetime64) -> int:
    return int(stamp.astype("datetime64[Y]").astype(np.int64)) + 1970


def _is_pattern(word: str) -> bool:
    return word.startswith(_EXCEPT) or bool(_WILD & set(word))


def _with_files(words: Iterable[str]) -> Iterator[str]:
    """Yield words, those of the file in place of one such as `@names.txt`. Raises SettingsError."""
    for word in words:
        if not word.startswith(_FROM_FILE):
            yield word
            continue
        try:
            lines = Path(word.removeprefix(_FROM_FILE)).expanduser().read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
            message = f"--variables: {word}: the file of names cannot be read: {reason}"
            raise SettingsError([message]) from error
        yield from (name for line in lines if (name := line.partition("#")[0].strip()))


def _near(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return f"there are {shown}{', ..' if len(names) > _NAMED else ''}" if names else "there are none"
