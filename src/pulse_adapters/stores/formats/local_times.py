"""Local times: times of day without an offset from UTC, of a zone that the user names, as moments in UTC.

An hour that the clocks show twice at the end of summer time is told apart by the order of the rows where it is there
twice; where it is there once, nobody can know which one it is.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pulse_adapters.stores.formats.arrow_cells import is_text
from pulse_adapters.stores.formats.cells import moment_and_kind
from pulse_adapters.stores.formats.table import Fault, Rows, Source, malformed

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN: Final = 5


def in_utc(column: Any, source: Source, rows: Rows, owners: NDArray[np.int64] | None) -> Any:
    """Return a column of times, or of texts of ISO 8601, with those that have no offset read as the zone's clocks.

    Days stay days, and what bears an offset or is no time stays as it is. `owners` (row,) are codes of each row's
    variable where there are several. Raises MalformedData for times that the clocks never show, and for times that
    they show twice of which the file has one.
    """
    import pyarrow as pa

    zone = ZoneInfo(str(source.reading.time_zone))
    walls = _walls(column)
    owner = owners if owners is not None else np.zeros(len(walls), dtype=np.int64)
    folds = _folds(walls, owner.tolist(), zone)
    faults, moments = [], []
    for at, wall in enumerate(walls):
        stamp = None if wall is None else wall.replace(tzinfo=zone, fold=max(folds.get(at, 0), 0))
        if stamp is not None and _is_skipped(stamp):
            message = f"{wall:%Y-%m-%d %H:%M} is an hour that summer time leaves out in {zone.key}"
            faults.append(Fault(int(rows[at]), message))
        if folds.get(at) == -1:
            faults.append(Fault(int(rows[at]), f"{wall:%Y-%m-%d %H:%M} was twice in {zone.key}, and is there once"))
        moments.append(None if stamp is None else stamp.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z")
    if faults:
        hint = "Give these times their offset from UTC, such as 2024-10-27T02:30:00+01:00"
        raise malformed(faults, source.context, hint)
    if is_text(column.type):
        texts = [text if moment is None else moment for text, moment in zip(column.to_pylist(), moments, strict=True)]
        return pa.chunked_array([pa.array(texts, pa.string())])
    return column if all(moment is None for moment in moments) else pa.chunked_array([pa.array(moments, pa.string())])


def _walls(column: Any) -> list[datetime | None]:
    """Return the times of day without an offset; None for whatever else a row holds."""
    import pyarrow as pa

    cells = column.to_pylist()
    if not is_text(column.type):
        has_times = pa.types.is_timestamp(column.type) and column.type.tz is None
        if not has_times or all(cell is None or (cell.hour, cell.minute, cell.second) == (0, 0, 0) for cell in cells):
            return [None] * len(cells)
        return list(cells)
    return [_wall(cell) for cell in cells]


def _wall(cell: str | None) -> datetime | None:
    try:
        micros, kind = moment_and_kind(cell)
    except ValueError:
        return None
    return (_EPOCH + timedelta(microseconds=micros)).replace(tzinfo=None) if kind == "without offset" else None


def _folds(walls: list[datetime | None], owners: list[int], zone: ZoneInfo) -> dict[int, int]:
    """Return, by position, whether a time that the clocks show twice is the second one; -1 where it is there once."""
    positions: dict[tuple[int, datetime], list[int]] = {}
    for at, wall in enumerate(walls):
        if wall is not None and _is_twice(wall, zone):
            positions.setdefault((owners[at], wall), []).append(at)
    is_falling = _is_falling(walls)
    folds: dict[int, int] = {}
    for positions_of_wall in positions.values():
        for order, at in enumerate(reversed(positions_of_wall) if is_falling else positions_of_wall):
            folds[at] = -1 if len(positions_of_wall) == 1 else min(order, 1)
    return folds


def _is_twice(wall: datetime, zone: ZoneInfo) -> bool:
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    return first.utcoffset() != second.utcoffset() and not _is_skipped(first)


def _is_skipped(stamp: datetime) -> bool:
    back = stamp.astimezone(UTC).astimezone(stamp.tzinfo)
    return back.replace(tzinfo=None) != stamp.replace(tzinfo=None)


def _is_falling(walls: list[datetime | None]) -> bool:
    present = [wall for wall in walls if wall is not None]
    return len(present) > 1 and present[0] > present[-1]
