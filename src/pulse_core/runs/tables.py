"""Tables of a run: the parts that a unit writes, copies from another run, or has already."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import cache, partial

import attrs

from pulse_core.plan import WorkUnit
from pulse_core.ports import Write
from pulse_core.runs.records import Records
from pulse_core.tables import part_name

SCORES, HINDCASTS = "scores", "hindcasts"


@attrs.frozen
class Tables:
    """The tables of a run: how many units write parts of them, and whether there is one of hindcasts."""

    run_id: str
    units: int
    hindcasts: bool = False

    def parts(self, unit: WorkUnit, content: str) -> dict[str, str]:
        """Return the names of a unit's parts by table; `content` is a hash of what is in them, and part of the name."""
        names = (HINDCASTS, SCORES) if self.hindcasts else (SCORES,)
        return {table: part_name(table, unit.index, self.units, content) for table in names}


@attrs.define
class Parts:
    """The names of a unit's parts, and how to write those that no run has yet.

    The part of the scores is opened with its first rows.
    """

    names: tuple[str, ...] = ()
    hindcasts: Write | None = None
    scores: Callable[[], Write] | None = None


def unit_parts(
    tables: Tables, unit: WorkUnit, content: str, records: Records, open_parts: ExitStack, *, fresh: bool
) -> Parts:
    """Return a unit's parts; `content` is a hash of their rows. When `fresh`, all are written."""
    names = tables.parts(unit, content)
    parts = Parts(tuple(names.values()))
    for table, name in names.items():
        if fresh:
            with records.sink.part(tables.run_id, name):
                pass  # no rows: the old part goes before the records that it was made of
        elif records.sink.has_part(tables.run_id, name) or _copied(tables.run_id, name, records):
            continue
        write = partial(_open, tables.run_id, name, records, open_parts, fresh=fresh)
        if table == HINDCASTS:
            parts.hindcasts = write()
        else:
            parts.scores = cache(write)
    return parts


def _copied(run_id: str, name: str, records: Records) -> bool:
    owner = records.owner(name) or run_id
    return owner != run_id and records.sink.copy_part(name, owner, run_id)


def _open(run_id: str, name: str, records: Records, open_parts: ExitStack, *, fresh: bool) -> Write:
    """Open a part for rows until `open_parts` are closed."""
    # recorded first: an owner without the part costs a look, a part without an owner would never be copied
    records.keep_owner(name, run_id, fresh=fresh)
    return open_parts.enter_context(records.sink.part(run_id, name))
