"""FrameStore: variables in pandas objects, for a service that has its data in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs
import numpy as np

from pulse_adapters.stores.formats.arrow_columns import from_arrow
from pulse_adapters.stores.formats.registry import not_found
from pulse_adapters.stores.formats.table import Source, needed_columns, normal_names, observations, refuse
from pulse_core.arrays import normal_form
from pulse_core.data.observations import Observations
from pulse_core.errors import MalformedData

_CONTEXT: Final = "the frames in memory"

if TYPE_CHECKING:
    import pandas as pd

    Frames = Mapping[str, pd.DataFrame | pd.Series[Any]]


def _by_variable(frames: Frames | pd.Series[Any]) -> Frames:
    """Return a copy of a mapping, or a mapping of one Series by its name; names in normal form.

    Raises MalformedData without a name, and for names that differ in their form alone.
    """
    if isinstance(frames, Mapping):
        return dict(zip(normal_names(list(frames), _CONTEXT), frames.values(), strict=True))
    name = getattr(frames, "name", None)
    if not isinstance(name, str) or not name:
        message = "expected a mapping of variables, or a Series whose name is its variable"
        raise MalformedData(message, _CONTEXT, "Name the series, e.g. series.rename('sales')")
    return {normal_form(name): frames}


@attrs.frozen(eq=False)
class FrameStore:
    """Holds a DataFrame or Series for each variable, by name; or one Series, whose name is its variable.

    A DataFrame has the columns `timestamp` (or a DatetimeIndex instead), `value` and optionally `known_at`;
    a Series has its values and a DatetimeIndex. Frames are held to the rules of files; their rows are numbered
    from 1. The mapping is copied, the frames are not.
    """

    frames: Frames = attrs.field(converter=_by_variable)

    def names(self) -> Iterator[str]:
        """Yield the variables' names, sorted."""
        yield from sorted(self.frames)

    def read(self, variable: str) -> Observations:
        """Return a variable's rows. Raises VariableNotFound and MalformedData."""
        name = normal_form(variable)
        if name not in self.frames:
            raise not_found(variable, self.frames.keys(), _CONTEXT)
        source = Source(f"frame '{variable}'")
        frame = _with_timestamp(self.frames[name], source)
        columns = needed_columns([str(name) for name in frame.columns], source)
        table = _arrow_table(frame[list(columns)], source)
        return observations(from_arrow(table, source, np.arange(1, table.num_rows + 1)), variable, source.context)


def _with_timestamp(frame: object, source: Source) -> pd.DataFrame:
    """Return a DataFrame with the column `timestamp`, taken from a DatetimeIndex where it is missing."""
    import pandas as pd

    if isinstance(frame, pd.Series):
        frame = frame.to_frame("value")
    if not isinstance(frame, pd.DataFrame):
        raise refuse(f"is a {type(frame).__name__}, not a DataFrame or Series", source)
    if "timestamp" in frame.columns or not isinstance(frame.index, pd.DatetimeIndex):
        return frame
    return frame.assign(timestamp=frame.index)


def _arrow_table(frame: pd.DataFrame, source: Source) -> Any:
    import pyarrow as pa

    arrays = {}
    for name, column in frame.items():
        try:
            arrays[name] = pa.array(_as_text(column) if column.dtype == object else column, from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise refuse(f"column '{name}' holds {column.dtype}: {error}", source) from error
    return pa.table(arrays)


def _as_text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return Python objects as their texts, so that each row is checked by itself."""
    return column.map(str).where(column.notna(), None).astype("string")
