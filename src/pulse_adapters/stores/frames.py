"""FrameStore: variables in DataFrames of pandas or polars, in tables of pyarrow, and in Series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs
import numpy as np

from pulse_adapters.stores.formats.arrow_columns import from_arrow
from pulse_adapters.stores.formats.reading import Reading
from pulse_adapters.stores.formats.registry import not_found
from pulse_adapters.stores.formats.shapes import is_own, own_or_shaped, shaped
from pulse_adapters.stores.formats.table import Source, Table, needed_columns, normal_names, observations, refuse
from pulse_adapters.stores.frame_tables import arrow_table, is_frame
from pulse_core.arrays import normal_form
from pulse_core.data.observations import Observations
from pulse_core.errors import MalformedData

_CONTEXT: Final = "the frames in memory"
_WHOLE: Final = "the DataFrame"
Frames = Mapping[str, Any]


def _by_variable(frames: Any, store: Any) -> Frames:
    """Return a copy of a mapping, or a mapping of one Series or DataFrame by its variables; names in normal form.

    Raises MalformedData without a name, for names that differ in their form alone, and for a DataFrame with columns
    that cannot be told.
    """
    if isinstance(frames, Mapping):
        return dict(zip(normal_names(list(frames), _CONTEXT), frames.values(), strict=True))
    if is_frame(frames):
        table = _table(frames, Source(_WHOLE, reading=store.reading), by_variable=True)
        groups = {table.column: table} if table.groups is None else {name: table.of(name) for name in table.groups}
        return dict(zip(normal_names(list(groups), _WHOLE), groups.values(), strict=True))
    name = getattr(frames, "name", None)
    if not isinstance(name, str) or not name or not hasattr(frames, "index"):
        message = "expected a DataFrame, a mapping of variables, or a Series whose name is its variable"
        raise MalformedData(message, _CONTEXT, "Name the series, e.g. series.rename('sales')")
    return {normal_form(name): frames}


@attrs.frozen(eq=False)
class FrameStore:
    """Holds a frame for each variable, by name; or all variables in one frame; or one Series, named by its variable.

    A frame is a DataFrame of pandas or polars, or a table of pyarrow. Of one variable it has the columns `timestamp`
    (or a DatetimeIndex instead), `value` and optionally `known_at`; a Series has its values and a DatetimeIndex. Frames
    with other columns are read as files are: a column a variable, or a column with the variables' names. Frames are
    held to the rules of files; their rows are numbered from 1. The mapping is copied, the frames in it are not; a frame
    of all variables is read at once.
    """

    reading: Reading = attrs.field(default=Reading(), kw_only=True)
    """What is said of how frames with other columns are to be read, as of files."""
    frames: Frames = attrs.field(converter=attrs.Converter(_by_variable, takes_self=True))  # type: ignore[misc]

    def names(self) -> Iterator[str]:
        """Yield the variables' names, sorted."""
        yield from sorted(self.frames)

    def read(self, variable: str) -> Observations:
        """Return a variable's rows. Raises VariableNotFound and MalformedData."""
        name = normal_form(variable)
        if name not in self.frames:
            raise not_found(variable, self.frames.keys(), _CONTEXT)
        frame = self.frames[name]
        source = Source(f"frame '{variable}'", reading=self.reading)
        table = frame if isinstance(frame, Table) else _only(_table(frame, source), source)
        return observations(table, variable, source.context)


def _table(frame: object, source: Source, *, by_variable: bool = False) -> Table:
    """Return the Table of a frame or Series. Raises MalformedData."""
    table = arrow_table(frame, source)
    rows = np.arange(1, table.num_rows + 1)
    if not is_own(table.column_names, source.reading):
        return shaped(table, source, rows)
    if by_variable and "variable" in table.column_names:
        source = attrs.evolve(source, by_variable=True)
    own = table.select(list(needed_columns(table.column_names, source)))
    return own_or_shaped(lambda: from_arrow(own, source, rows), lambda: shaped(own, source, rows))


def _only(table: Table, source: Source) -> Table:
    """Return the Table of the one variable that a frame of a mapping holds."""
    if table.groups is None:
        return table
    if len(table.groups) > 1:
        names = ", ".join(list(table.groups)[:5])
        raise refuse(f"holds {len(table.groups)} variables ({names}); give it by itself, not as one variable", source)
    return table.of(next(iter(table.groups)))
