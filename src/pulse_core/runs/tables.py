"""Tables of a run: the parts that a unit writes, or takes over from the result that the run will replace."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Final

import attrs

from pulse_core.plan import WorkUnit
from pulse_core.ports import PartWriter, ResultSink
from pulse_core.tables import PartFacts, is_part_of, part_name

SCORES: Final = "scores"
BATCHES: Final = "batches"
HINDCASTS: Final = "hindcasts"


@attrs.frozen
class Tables:
    """The tables of a run: how many units write parts of them, and whether there is one of hindcasts.

    `standing` are the parts of the result that the run will replace; none where everything is written anew.
    """

    run_id: str
    units: int
    hindcasts: bool = False
    standing: tuple[PartFacts, ...] = ()

    def reusable(self, sink: ResultSink, table: str, unit: WorkUnit, content: str) -> PartFacts | None:
        """Return a unit's part with this content that stands sound already, or None. Raises SinkUnavailable."""
        name = self._name(table, unit)
        for part in self.standing:
            if part.content == content and is_part_of(name, part.name) and sink.has_part(self.run_id, part):
                return part
        return None

    def part(self, sink: ResultSink, table: str, unit: WorkUnit) -> AbstractContextManager[PartWriter]:
        """Open a unit's part for rows. Raises SinkUnavailable."""
        return sink.part(self.run_id, self._name(table, unit))

    def _name(self, table: str, unit: WorkUnit) -> str:
        return part_name(table, unit.index, self.units)
