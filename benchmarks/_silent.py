"""A sink that keeps nothing: what a worker holds is then its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pulse_core import Record, RunResult, Write


class SilentSink:
    """A ResultSink that forgets records, rows and results."""

    def recall(self, key: str) -> Record | None:
        del key
        return None

    def record(self, key: str, result: Record) -> None:
        """Forget the result."""

    def remove_record(self, key: str) -> None:
        """There is none."""

    def has_part(self, run_id: str, name: str) -> bool:
        del run_id, name
        return False

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        del run_id, name
        yield lambda columns: None  # noqa: ARG005  the columns are laid out, and dropped

    def copy_part(self, name: str, source: str, run_id: str) -> bool:
        del name, source, run_id
        return False

    def publish(self, result: RunResult) -> Sequence[str]:
        del result
        return ()
