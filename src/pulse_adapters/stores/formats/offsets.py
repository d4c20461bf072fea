"""Check that the times of a source all bear offsets from UTC, or none does: of a mixture nobody knows what is meant."""

from __future__ import annotations

import attrs

from pulse_adapters.stores.formats.cells import TimeKind


@attrs.define
class Offsets:
    """What the times of a source were so far.

    Times with and without an offset exclude each other in all columns; as timestamps, days and times with an offset do
    as well. Elsewhere days are UTC.
    """

    _first: dict[tuple[str, TimeKind], int] = attrs.field(factory=dict)
    _reported: bool = False

    def mixture(self, row: int, column: str, kind: TimeKind) -> str | None:
        """Take note of a time; return what is wrong where it is the first that does not go with an earlier one."""
        if (column, kind) in self._first or self._reported:
            return None
        self._first[column, kind] = row
        for (other, other_kind), first in self._first.items():
            if kind == other_kind or "with offset" not in (kind, other_kind):
                continue
            if other == column == "timestamp" or "day" not in (kind, other_kind):
                self._reported = True
                has, had = ("has an offset", "has none") if kind == "with offset" else ("has no offset", "has one")
                where = f"row {first}" if other == column else f"{other} in row {first}"
                return f"{column} {has} from UTC and {where} {had}: give every time its offset (Z is UTC), or none"
        return None
