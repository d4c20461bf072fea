"""DataFrames of a run's tables, of the library that the caller uses."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Final

from pulse_core.errors import SettingsError

PANDAS, POLARS, ARROW = "pandas", "polars", "arrow"
KINDS: Final = (PANDAS, POLARS, ARROW)


def frames_kind(asked: str | None, data: object = None) -> str:
    """Return the kind of DataFrames to return: as asked, else that of the data, else of KINDS the first installed.

    Raises SettingsError for an unknown kind, and for a library that is not installed.
    """
    if asked is not None and asked not in KINDS:
        raise SettingsError([f"frames: expected one of {', '.join(KINDS)}, got {asked!r}"])
    if asked is None:
        own = type(data).__module__.partition(".")[0]
        return next(kind for kind in (own, *KINDS) if kind == ARROW or (kind in KINDS and find_spec(kind) is not None))
    if asked != ARROW and find_spec(asked) is None:
        extra = "pip install '.[frames]' from a clone" if asked == PANDAS else "pip install polars"
        raise SettingsError([f"frames: '{asked}' is not installed; {extra}, or frames='arrow' for tables of pyarrow"])
    return asked


def frame(table: Any, kind: str) -> Any:
    """Return a pyarrow Table as a DataFrame of this kind; names are texts, and an empty verdict is none."""
    table = _with_texts(table)
    if kind == ARROW:
        return table
    if kind == POLARS:
        import polars as pl

        return pl.from_arrow(table)
    return table.to_pandas()


def _with_texts(table: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    for position, field in enumerate(table.schema):
        column = table.column(position)
        if pa.types.is_dictionary(field.type):
            column = column.cast(pa.string())
        if field.name == "verdict":
            column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
        if column is not table.column(position):
            table = table.set_column(position, field.name, column)
    return table
