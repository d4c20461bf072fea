"""A unit's parts of a run's tables: those that are there, those that another run has, and those to be written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import cache, partial

import attrs

from pulse_core.plan import WorkUnit
from pulse_core.ports import Write
from pulse_core.runs.records import Ledger
from pulse_core.tables import part_name

SCORES, HINDCASTS = "scores", "hindcasts"


@attrs.frozen
class Tables:
    """Where workers write their parts of a run's tables: the run, how many units it has, and whether hindcasts too."""

    run_id: str
    units: int
    hindcasts: bool = False

    def parts(self, unit: WorkUnit, content: str) -> dict[str, str]:
        """Return the names of a unit's parts by table: they say what is in them, so equal ones need no new writing."""
        names = (HINDCASTS, SCORES) if self.hindcasts else (SCORES,)
        return {table: part_name(table, unit.index, self.units, content) for table in names}


@attrs.define
class Parts:
    """The names of a unit's parts, and what writes those that are wanted and that no run has.

    That of the scores is asked for when there is something to be written.
    """

    names: tuple[str, ...] = ()
    hindcasts: Write | None = None
    scores: Callable[[], Write] | None = None


def unit_parts(
    tables: Tables, unit: WorkUnit, content: str, ledger: Ledger, open_parts: ExitStack, *, fresh: bool
) -> Parts:
    """Return a unit's parts; `content` is a hash of what is in them. When `fresh`, all are written."""
    names = tables.parts(unit, content)
    parts = Parts(tuple(names.values()))
    for table, name in names.items():
        if fresh:
            with ledger.sink.part(tables.run_id, name):
                pass  # nothing: what is there goes before the records do that it was made with
        elif ledger.sink.has_part(tables.run_id, name) or _taken_over(tables.run_id, name, ledger):
            continue
        write = partial(_open, tables.run_id, name, ledger, open_parts, fresh=fresh)
        if table == HINDCASTS:
            parts.hindcasts = write()
        else:
            parts.scores = cache(write)
    return parts


def _taken_over(run_id: str, name: str, ledger: Ledger) -> bool:
    holder = ledger.holder(name) or run_id
    return holder != run_id and ledger.sink.copy_part(name, holder, run_id)


def _open(run_id: str, name: str, ledger: Ledger, open_parts: ExitStack, *, fresh: bool) -> Write:
    """Open a part for rows until `open_parts` are closed."""
    # noted first: one that says too much costs whoever asks a look, one that is missing would be missing for ever
    ledger.keep_holder(name, run_id, fresh=fresh)
    return open_parts.enter_context(ledger.sink.part(run_id, name))
