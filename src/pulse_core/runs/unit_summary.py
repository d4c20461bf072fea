"""The summary of a unit: its records, one after another, aggregated and laid out as rows of the table of scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from pulse_core.errors import PulseError
from pulse_core.ports import Write
from pulse_core.results import DataFacts, Failure, VariableRecord, VariableScores, VariableSummary
from pulse_core.runs.score_rows import score_columns
from pulse_core.runs.summary import aggregate
from pulse_core.spec import RunSpec

ROWS: Final = 1 << 15
"""Rows of the table that are laid out at once, some 12 MiB, or those of one variable."""


@attrs.define(eq=False)
class UnitSummary:
    """Takes records in and lets go of them, so that a unit's memory does not grow with its variables.

    `write` opens the table of scores when there are rows, or is None where no rows are wanted. A record that cannot be
    aggregated is a failure of its variable.
    """

    spec: RunSpec
    write: Callable[[], Write] | None
    summaries: dict[str, VariableSummary] = attrs.field(factory=dict)
    failures: dict[str, Failure] = attrs.field(factory=dict)
    _pending: list[VariableRecord] = attrs.field(factory=list)
    _rows: int = 0

    def add(
        self, record: VariableRecord, facts: DataFacts, scores: VariableScores | None = None
    ) -> VariableScores | None:
        """Take in a record; return its scores, or None where there are none. `scores` spare the aggregation."""
        try:
            scores = scores or aggregate(record, self.spec)
        except PulseError as error:
            self.failures[record.variable] = Failure.of(record.variable, error)
            return None
        self.add_scores(scores, facts)
        if self.write is not None:
            self._pending.append(record)
            self._rows += record.won.size
            if self._rows >= ROWS:
                self.flush()
        return scores

    def add_scores(self, scores: VariableScores, facts: DataFacts) -> None:
        """Take in scores without the record's rows."""
        self.summaries[scores.variable] = scores.summary(facts)

    def flush(self) -> None:
        """Write the rows of the records that are pending."""
        if self._pending and self.write is not None:
            self.write()(score_columns(self._pending, self.spec))
        self._pending, self._rows = [], 0

    def in_order(self, names: tuple[str, ...]) -> tuple[VariableSummary, ...]:
        """Return the summaries in the order of these names."""
        return tuple(self.summaries[name] for name in names if name in self.summaries)
