"""Backends that do the work in unusual ways; the numbers must not care."""

from __future__ import annotations

import pickle
from collections.abc import Generator, Sequence
from random import Random

import attrs

from pulse_core import Done, Failed, Outcome, PulseError, Task, WorkUnit


@attrs.frozen
class Shuffling:
    """Completes the units in another order."""

    seed: int

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[Outcome, None, None]:
        for unit in Random(self.seed).sample(list(units), len(units)):
            yield Done(unit, task(unit))


@attrs.frozen
class Regrouping:
    """Puts the variables into units of its own, in any order and number."""

    seed: int

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[Outcome, None, None]:
        generator = Random(self.seed)
        variables = [variable for unit in units for variable in unit.variables]
        generator.shuffle(variables)
        while variables:
            size = generator.randint(1, len(variables))
            unit = WorkUnit(0, variables[:size])
            variables = variables[size:]
            yield Done(unit, task(unit))


@attrs.frozen
class Pickling:
    """Sends everything there and back as another process would."""

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[Outcome, None, None]:
        for unit in units:
            there, here = pickle.loads(pickle.dumps((task, unit)))
            yield pickle.loads(pickle.dumps(Done(unit, there(here))))


@attrs.frozen
class Losing:
    """Fails every unit that holds one of these variables."""

    variables: frozenset[str]
    error: PulseError

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[Outcome, None, None]:
        for unit in units:
            lost = self.variables & set(unit.variables)
            yield Failed(unit, self.error) if lost else Done(unit, task(unit))
