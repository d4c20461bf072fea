"""Backends that do the work in unusual ways; the numbers must not care."""

from __future__ import annotations

import pickle
from collections.abc import Generator, Sequence
from random import Random

import attrs

from pulse_core import Done, Failed, PulseError, Task, UnitOutcome, UnitResult, WorkUnit


@attrs.frozen
class Shuffling:
    """Completes the units in another order."""

    seed: int

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        for unit in Random(self.seed).sample(list(units), len(units)):
            yield Done(unit, task(unit))


@attrs.frozen
class Regrouping:
    """Puts the variables into units of its own, in any order, batch by batch where there are any.

    What it makes of them comes back under the units that it was given, as if they had been these.
    """

    seed: int

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        generator = Random(self.seed)
        for batches in {unit.batches: None for unit in units}:
            batch_units = [unit for unit in units if unit.batches == batches]
            variables = [variable for unit in batch_units for variable in unit.variables]
            shares: list[list[str]] = [[] for _ in batch_units]
            for variable in generator.sample(variables, len(variables)):
                generator.choice(shares).append(variable)
            for unit, share in zip(generator.sample(batch_units, len(batch_units)), shares, strict=True):
                yield Done(unit, task(attrs.evolve(unit, variables=share)) if share else UnitResult())


@attrs.frozen
class Pickling:
    """Sends everything there and back as another process would."""

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        for unit in units:
            sent_task, sent_unit = pickle.loads(pickle.dumps((task, unit)))
            yield pickle.loads(pickle.dumps(Done(unit, sent_task(sent_unit))))


@attrs.frozen
class Losing:
    """Fails every unit that holds one of these variables."""

    variables: frozenset[str]
    error: PulseError

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        for unit in units:
            lost = self.variables & set(unit.variables)
            yield Failed(unit, self.error) if lost else Done(unit, task(unit))
