"""A sink that keeps nothing: what a worker holds is then its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import attrs

from pulse_core import Columns, PartFacts, Recall, Record, RunClaim, RunSpec


@attrs.frozen
class SilentPart:
    """A part of no rows: the columns are laid out, and dropped."""

    facts: PartFacts | None = None

    def write(self, columns: Columns) -> None:
        """Drop the rows."""


class SilentSink:
    """A ResultSink that forgets records, rows and results."""

    def recall(self, key: str) -> Record | None:
        del key
        return None

    def record(self, key: str, result: Record) -> None:
        """Forget the result."""

    def remove_record(self, key: str) -> None:
        """There is none."""

    def pack(self, group: str, records: Mapping[str, Record]) -> None:
        """Forget the records."""

    @contextmanager
    def recalling(self, group: str, keys: Sequence[str]) -> Iterator[Recall]:
        del group, keys
        yield self.recall

    def index(self, group: str) -> None:
        """There is nothing to find."""

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[SilentPart]:
        del run_id, name
        yield SilentPart()

    def has_part(self, run_id: str, part: PartFacts) -> bool:
        del run_id, part
        return False

    @contextmanager
    def claim(self, run_id: str, spec: RunSpec, waiting: Callable[[str], None]) -> Iterator[RunClaim]:
        del run_id, spec, waiting
        raise NotImplementedError
