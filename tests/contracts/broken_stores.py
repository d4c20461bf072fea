"""Stores that break the contract, each in one way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import attrs
import numpy as np

from pulse_core.data.observations import Observations
from pulse_core.errors import VariableNotFound
from pulse_core.ports import DataStore
from tests.fakes import FakeStore, VersionedStore


class Truncating(FakeStore):
    def read(self, variable: str) -> Observations:
        whole = super().read(variable)
        cut = {name: getattr(whole, name)[:-1] for name in ("timestamps", "values")}
        known_at = None if whole.known_at is None else whole.known_at[:-1]
        return attrs.evolve(whole, known_at=known_at, **cut)


class Rounding(FakeStore):
    def read(self, variable: str) -> Observations:
        whole = super().read(variable)
        return attrs.evolve(whole, values=[float(f"{value:.15g}") for value in whole.values])


class WithoutVintages(FakeStore):
    def read(self, variable: str) -> Observations:
        whole = super().read(variable)
        first = np.unique(whole.timestamps, return_index=True)[1]
        return attrs.evolve(whole, timestamps=whole.timestamps[first], values=whole.values[first], known_at=None)


class NotCounting(FakeStore):
    def read(self, variable: str) -> Observations:
        return attrs.evolve(super().read(variable), absent=0)


class Swapping(FakeStore):
    def read(self, variable: str) -> Observations:
        super().read(variable)
        return super().read(max(self.variables))


class Writeable(FakeStore):
    def read(self, variable: str) -> Observations:
        whole = super().read(variable)
        object.__setattr__(whole, "values", whole.values.copy())
        return whole


class Forgetful(FakeStore):
    def read(self, variable: str) -> Observations:
        super().read(variable)
        return self.variables.pop(variable)


class NameLosing(FakeStore):
    def names(self) -> Iterator[str]:
        yield from list(super().names())[:-1]


class NameDuplicating(FakeStore):
    def names(self) -> Iterator[str]:
        for name in super().names():
            yield from (name, name)


class NameReordering(FakeStore):
    def names(self) -> Iterator[str]:
        yield from reversed(list(super().names()))


class Guessing(FakeStore):
    def read(self, variable: str) -> Observations:
        near = [name for name in self.variables if name.startswith(variable[:3])]
        return super().read(near[0] if near else variable)


class Tongueless(FakeStore):
    def read(self, variable: str) -> Observations:
        if variable not in self.variables:
            raise VariableNotFound("no such variable")
        return super().read(variable)


class Normalising(FakeStore):
    def read(self, variable: str) -> Observations:
        return super().read(variable.strip().rpartition("/")[2])


class Literal(FakeStore):
    def read(self, variable: str) -> Observations:
        if variable not in self.variables:
            raise VariableNotFound(f"no variable {variable!r}")
        return super().read(variable)


class Unretracting(FakeStore):
    def read(self, variable: str) -> Observations:
        whole = super().read(variable)
        kept = ~np.isnan(whole.values)
        known_at = None if whole.known_at is None else whole.known_at[kept]
        return attrs.evolve(whole, timestamps=whole.timestamps[kept], values=whole.values[kept], known_at=known_at)


class Inventive(FakeStore):
    def names(self) -> Iterator[str]:
        yield from list(super().names()) or ["x"]


class AheadOfItself(FakeStore):
    @contextmanager
    def ahead(self, variables: Sequence[str]) -> Iterator[DataStore]:
        following = dict(pairwise([*variables, variables[0]]))
        yield FakeStore({name: self.variables[following[name]] for name in variables})


class Hasty(FakeStore):
    @contextmanager
    def ahead(self, variables: Sequence[str]) -> Iterator[DataStore]:
        yield FakeStore({name: self.read(name) for name in variables})


class Unchanging(VersionedStore):
    def version(self, variable: str) -> str:
        return f"{variable} 1"


class Mistaken(VersionedStore):
    def read(self, variable: str) -> Observations:
        return attrs.evolve(super().read(variable), version="another")
