"""Variable by variable: where one fails, its failure is noted and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from pulse_core.errors import PulseError
from pulse_core.results import Failure

Made = TypeVar("Made")


def each(
    variables: Iterable[str], action: Callable[[str], Made], failures: dict[str, Failure]
) -> Iterator[tuple[str, Made]]:
    """Yield what the action makes of each variable; note the failure of those it fails for."""
    for variable in variables:
        try:
            yield variable, action(variable)
        except PulseError as error:
            failures[variable] = Failure.of(variable, error)
