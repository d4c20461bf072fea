"""Attempts at several variables: where one fails, its failure is kept as a value and the others go on.

A missing kernel is no variable's fault: it ends the attempts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

import attrs

from pulse_core.errors import KernelUnavailable, PulseError
from pulse_core.results import Failure

Value = TypeVar("Value")


@attrs.frozen
class Attempts(Generic[Value]):
    """What an action gave for the variables it succeeded for, in their order, and its failures, by variable."""

    values: Mapping[str, Value]
    failures: Mapping[str, Failure] = attrs.field(factory=dict)

    def untried(self, variables: Iterable[str]) -> list[str]:
        """Return those of these variables that neither have a value nor failed, in order."""
        return [name for name in variables if name not in self.values and name not in self.failures]


def attempt(variables: Iterable[str], action: Callable[[str], Value]) -> Attempts[Value]:
    """Do something for each variable, and part those it succeeds for from those it fails for.

    Raises KernelUnavailable, without which none succeeds.
    """
    values: dict[str, Value] = {}
    failures: dict[str, Failure] = {}
    for variable in variables:
        try:
            values[variable] = action(variable)
        except KernelUnavailable:
            raise
        except PulseError as error:
            failures[variable] = Failure.of(variable, error)
    return Attempts(values, failures)
