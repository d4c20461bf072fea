"""Which seasons a run takes: each variable's own, none, or numbers of steps that are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

LONGEST_SEASON: Final = 9999
MOST_SEASONS: Final = 2
EXPECTED: Final = "auto, none, or one or two different whole numbers of at least 1, such as 12 or 24,168"
OTHERS: Final = "*"
"""The name that stands for all variables that are not named."""

_AUTO: Final = "auto"
_NONE: Final = "none"


@attrs.frozen
class SeasonSetting:
    """How many steps the seasons of the run's variables have, the shortest first; () for none.

    None finds them in each variable's data: see data.seasons. `by_variable` are pairs of a name and the same for this
    variable, in the order of names; `periods` is for all others.
    """

    periods: tuple[int, ...] | None = None
    by_variable: tuple[tuple[str, tuple[int, ...] | None], ...] = ()

    def of(self, variable: str) -> tuple[int, ...] | None:
        """Return a variable's seasons; None where they are found in its data."""
        return dict(self.by_variable).get(variable, self.periods)

    @property
    def is_none(self) -> bool:
        """Whether no variable has a season."""
        return self.periods == () and all(periods == () for _, periods in self.by_variable)

    def to_document(self) -> Any:
        """Return it as a JSON value: 'auto', 'none', a list of steps, or these by variable and '*' for all others."""
        if not self.by_variable:
            return _plain(self.periods)
        return {OTHERS: _plain(self.periods)} | {name: _plain(periods) for name, periods in self.by_variable}


def season_setting(value: Any) -> SeasonSetting:
    """Return the setting of a value of `to_document`, a number, or None for no season.

    Raises ValueError that says what was expected.
    """
    if isinstance(value, SeasonSetting):
        return value
    if not isinstance(value, Mapping):
        return SeasonSetting(_periods(value))
    by_variable = {name: _periods_of(name, entry) for name, entry in value.items()}
    default = by_variable.pop(OTHERS, None)
    return SeasonSetting(default, tuple(sorted(by_variable.items())))


def _periods_of(name: Any, value: Any) -> tuple[int, ...] | None:
    if not isinstance(name, str):
        raise ValueError(f"expected names of variables, got {name!r}")
    try:
        return _periods(value)
    except ValueError as error:
        raise ValueError(f"of '{name}': {error}") from error


def _periods(value: Any) -> tuple[int, ...] | None:
    if value is None or (isinstance(value, str) and value.lower() == _NONE):
        return ()
    if isinstance(value, str) and value.lower() == _AUTO:
        return None
    numbers = list(value) if isinstance(value, list | tuple) else [value]
    if not 1 <= len(numbers) <= MOST_SEASONS or any(type(number) is not int or number < 1 for number in numbers):
        raise ValueError(f"expected {EXPECTED}, got {value!r}")
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"expected {EXPECTED}, got {value!r}")
    if max(numbers) > LONGEST_SEASON:
        raise ValueError(f"a season has at most {LONGEST_SEASON} steps, got {max(numbers)}")
    return tuple(sorted(numbers))


def _plain(periods: tuple[int, ...] | None) -> Any:
    if periods is None:
        return _AUTO
    return list(periods) if periods else _NONE
