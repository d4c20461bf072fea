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
from pulse_entrypoints.settings.spec import DEFAULT_START, DEFAULT_VARIABLES

YEARS: Final = 10
"""The years before the data's end that are trained where they do not reach from DEFAULT_START on."""

ENOUGH_STEPS: Final = 24
"""Timestamps from DEFAULT_START on with which a variable can be trained from that day."""

_EXCEPT: Final = "!"
_FROM_FILE: Final = "@"
_WILD: Final = frozenset("*?[")
_NAMED: Final = 5
_PROGRESS_AFTER: Final = 2.0


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
        shown = ", ".join(self.names[:_NAMED])
        more = f" and {len(self.names) - _NAMED} more" if len(self.names) > _NAMED else ""
        return self.names, f"all {len(self.names)} variables of the data ({shown}{more})"

    def start(self, variables: Sequence[str]) -> tuple[date, str]:
        """Return the first day of the period, and why.

        It is DEFAULT_START where half of the variables have enough history before it and ENOUGH_STEPS timestamps from
        then on. Else it is the 1st of January ten years before the year in which the data end, or the first one after
        that before which half of them have enough history.
        """
        if self.open_store is None:
            return DEFAULT_START, ""
        spans = [span for span in self._spans(variables) if len(span)]
        if not spans or self._reach(spans, DEFAULT_START, ENOUGH_STEPS):
            return DEFAULT_START, ""
        last = max(span[-1] for span in spans).astype("datetime64[Y]").item().year
        for year in range(max(last - YEARS, 1), last + 1):
            day = date(year, 1, 1)
            if self._reach(spans, day, 1):
                reason = f"ten years before {last}, in which the data end" if year == last - YEARS else ""
                return day, reason or "the first year before which most variables have enough history"
        return date(max(last - YEARS, 1), 1, 1), f"ten years before {last}, in which the data end"

    def _reach(self, spans: Sequence[Moments], day: date, steps: int) -> bool:
        """Whether at least half of the variables have enough history before a day, and so many steps from it on."""
        reaching = 0
        for span in spans:
            before = int(np.searchsorted(span, np.datetime64(day, "us")))
            needed = self.min_history or least_history(calendar_of(span))
            reaching += before >= needed and len(span) - before >= steps
        return 2 * reaching >= len(spans)

    def _spans(self, variables: Sequence[str]) -> Iterator[Moments]:
        """Yield the timestamps of each variable, in order; what cannot be read is told by the run."""
        from tqdm import tqdm  # 20 ms that only a run without a start costs

        with reading(self._store, variables) as ready:
            names = tqdm(variables, "reading dates", delay=_PROGRESS_AFTER, disable=None, leave=False)
            for variable in names:
                try:
                    yield np.unique(ready.read(variable).timestamps)
                except DataError:
                    continue

    def _chosen(self, words: tuple[str, ...]) -> tuple[str, ...]:
        if not any(_is_pattern(word) for word in words):
            return words
        problems: list[str] = []
        chosen: dict[str, None] = dict.fromkeys(self.names if words[0].startswith(_EXCEPT) else ())
        for word in words:
            is_out = word.startswith(_EXCEPT)
            fitting = self._fitting(word.removeprefix(_EXCEPT) if is_out else word)
            if not fitting:
                problems.append(f"--variables: no variable of the data fits {word!r}; {_near(self.names)}")
            for name in fitting:
                if is_out:
                    chosen.pop(name, None)
                else:
                    chosen.setdefault(name)
        if not problems and not chosen:
            problems.append(f"--variables: {' '.join(words)} leaves no variable of the data; {_near(self.names)}")
        if problems:
            raise SettingsError(problems)
        return tuple(chosen)

    def _fitting(self, word: str) -> tuple[str, ...]:
        """Return the variables that a word names or, as a pattern of the shell, fits."""
        if word in self.names or not _WILD & set(word):
            return (word,)
        return tuple(name for name in self.names if fnmatchcase(name, word))


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
