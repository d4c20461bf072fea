"""Frames of any library as tables of pyarrow, with the index of pandas as columns."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from pulse_adapters.stores.formats.shapes import is_own
from pulse_adapters.stores.formats.table import Source, refuse

if TYPE_CHECKING:
    import pandas as pd

_OWN: Final = ("timestamp", "value", "known_at", "variable")


def is_frame(data: object) -> bool:
    """Whether it is a DataFrame of pandas or polars, or a table of pyarrow."""
    return any(isinstance(data, kind) for kind in _kinds())


def arrow_table(frame: object, source: Source) -> Any:
    """Return a frame or Series as a pyarrow Table; of one that has our columns these alone. Raises MalformedData."""
    if "pandas" in sys.modules:
        import pandas as pd

        if isinstance(frame, pd.Series):
            frame = frame.to_frame("value")
        if isinstance(frame, pd.DataFrame):
            return _of_pandas(frame, source)
    if not is_frame(frame):
        raise refuse(f"is a {type(frame).__name__}, not a DataFrame or Series", source)
    return frame.to_arrow() if hasattr(frame, "to_arrow") else frame


def _kinds() -> list[type[Any]]:
    """Return the kinds of frames of the libraries that are loaded: without its library there is no frame."""
    kinds = [("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table")]
    return [getattr(sys.modules[library], name) for library, name in kinds if library in sys.modules]


def _of_pandas(frame: pd.DataFrame, source: Source) -> Any:
    import pandas as pd
    import pyarrow as pa

    frame = _with_index(_with_flat_columns(frame))
    names = [str(name) for name in frame.columns]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise refuse(f"column '{repeated}' is there twice", source)
    arrays = {}
    for name, (_, column) in zip(names, frame.items(), strict=True):
        if is_own(names, source.reading) and name not in _OWN:
            continue
        if isinstance(column.dtype, pd.PeriodDtype):
            column = column.dt.start_time  # noqa: PLW2901  # a period stands for the day on which it begins
        try:
            arrays[name] = pa.array(_as_text(column) if column.dtype == object else column, from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise refuse(f"column '{name}' holds {column.dtype}: {error}", source) from error
    return pa.table(arrays)


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with its index as columns, unless that is the numbers of rows or there is a timestamp."""
    import pandas as pd

    index = frame.index
    if isinstance(index, pd.DatetimeIndex | pd.PeriodIndex):
        if "timestamp" in frame.columns:
            return frame
        times = index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index
        named = "timestamp" if "value" in frame.columns or index.name in (None, *frame.columns) else str(index.name)
        return frame.assign(**{named: times})
    plain = index.names == [None] and index.dtype.kind in "iu"
    return frame if plain else frame.reset_index()


def _with_flat_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose columns of several levels have one: the parts of a label that differ, with a blank."""
    import pandas as pd

    columns = frame.columns
    if not isinstance(columns, pd.MultiIndex):
        return frame
    levels = [at for at in range(columns.nlevels) if columns.get_level_values(at).nunique() > 1] or [0]
    flat = [" ".join(str(label[at]) for at in levels if str(label[at])) for label in columns]
    return frame.set_axis(flat, axis="columns")


def _as_text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return Python objects as their texts, so that each row is checked by itself."""
    return column.map(str).where(column.notna(), None).astype("string")
