"""What becomes of a unit's results, one after another: a summary each, and their rows in the run's table of scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from pulse_core.errors import PulseError
from pulse_core.ports import Write
from pulse_core.results import DataFacts, Failure, VariableResult, VariableScores, VariableSummary
from pulse_core.runs.summary import summarise
from pulse_core.scores.table import score_columns
from pulse_core.spec import RunSpec

ROWS: Final = 1 << 17
"""Rows of the table that are made at once, some 50 MiB, or those of one variable."""


@attrs.define(eq=False)
class Fold:
    """Takes results in and lets go of them, so that a unit's memory does not grow with its variables.

    `write` is asked for when there is something to be written, or is None where no rows are wanted; a failure is noted
    among the `failures`.
    """

    spec: RunSpec
    write: Callable[[], Write] | None
    failures: dict[str, Failure]
    summaries: dict[str, VariableSummary] = attrs.field(factory=dict)
    _waiting: list[VariableResult] = attrs.field(factory=list)
    _rows: int = 0

    def add(
        self, result: VariableResult, facts: DataFacts, scores: VariableScores | None = None
    ) -> VariableScores | None:
        """Take in a result; return what it was folded to, or None where that failed. Known `scores` are not made."""
        try:
            found = scores or summarise(result, self.spec)
        except PulseError as error:
            self.failures[result.variable] = Failure.of(result.variable, error)
            return None
        self.add_scores(found, facts)
        if self.write is not None:
            self._waiting.append(result)
            self._rows += result.wins.size
            if self._rows >= ROWS:
                self.flush()
        return found

    def add_scores(self, scores: VariableScores, facts: DataFacts) -> None:
        """Take in what a result was folded to, without its rows."""
        self.summaries[scores.variable] = scores.summary(facts)

    def flush(self) -> None:
        """Write what waits."""
        if self._waiting and self.write is not None:
            self.write()(score_columns(self._waiting, self.spec))
        self._waiting, self._rows = [], 0

    def in_order(self, names: tuple[str, ...]) -> tuple[VariableSummary, ...]:
        """Return the summaries in the order of these names."""
        return tuple(self.summaries[name] for name in names if name in self.summaries)
