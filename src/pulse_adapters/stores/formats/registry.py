"""Which names are data files, and what their bytes hold: shared by every store that reads files.

A store turns names into variables with `variable_of`, bytes into a Table with `parse`, and that into what the
core reads with `table.observations`. To add a format: one file with its reader, and one line in `_READERS`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from difflib import get_close_matches
from typing import Final

from pulse_adapters.stores.formats.csv_text import read_csv
from pulse_adapters.stores.formats.gzipped import unpack
from pulse_adapters.stores.formats.json_lines import read_json_lines
from pulse_adapters.stores.formats.parquet import read_parquet
from pulse_adapters.stores.formats.table import UNPACKED_LIMIT, Fault, Source, Table, malformed, observations
from pulse_core.data.observations import Observations
from pulse_core.errors import DataError, VariableNotFound

Reader = Callable[[bytes, Source], Table]

_READERS: Final[dict[str, Reader]] = {".csv": read_csv, ".parquet": read_parquet, ".jsonl": read_json_lines}
_PACKED: Final = ".gz"

SUFFIXES: Final = tuple(kind + packed for kind in _READERS for packed in ("", _PACKED))
"""The endings of data files: `<variable>.csv`, `<variable>.csv.gz` and so on."""

_LONGEST_LIKENED = 200


def suffix_of(name: str) -> str | None:
    """Return the ending that makes a file a data file, or None."""
    return next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)


def variable_of(name: str) -> str | None:
    """Return the variable that a file of this name holds; None for other files.

    None too for a hidden file, and where the name holds a slash, a backslash, or what cannot be printed.
    """
    suffix = suffix_of(name)
    variable = name.removesuffix(suffix) if suffix else ""
    sound = variable and not variable.startswith(".") and "/" not in variable and "\\" not in variable
    return variable if sound and variable == variable.strip() and variable.isprintable() else None


def parse(content: bytes, name: str, place: str, *, by_variable: bool = False, limit: int = UNPACKED_LIMIT) -> Table:
    """Read the bytes of a data file called `name`; errors name the place.

    With `by_variable` it is a long file, whose column `variable` says whose each row is. Faults of rows are
    in the Table. Raises MalformedData for what makes the file unreadable: it is not what its name says, lacks
    a column, is cut short, or unpacks to more than `limit` bytes.
    """
    suffix = suffix_of(name)
    if suffix is None:
        raise ValueError(f"'{name}' is no data file; those end in {', '.join(SUFFIXES)}")
    source = Source(place, by_variable, limit)
    if suffix.endswith(_PACKED):
        content = unpack(content, source)
    return _READERS[suffix.removesuffix(_PACKED)](content, source)


def version_of(content: bytes, name: str) -> str:
    """Return what tells the content of a data file called `name` from any other: its ending and a SHA-256."""
    return f"{suffix_of(name)} sha256:{hashlib.sha256(content).hexdigest()}"


def of_long(table: Table, variable: str, place: str, version: str = "") -> Observations:
    """Return one variable's rows of a long file of this version.

    Raises VariableNotFound, and MalformedData where it has no rows.
    """
    if variable not in (table.groups or ()):
        whole = [fault for fault in table.faults if fault.variable is None]
        if not table.groups and not whole:
            whole = [Fault(0, "no rows")]
        raise malformed(whole, place) if whole else not_found(variable, table.groups or (), place)
    return observations(table, variable, place, version)


def the_only_file(variable: str, names: Sequence[str], place: str) -> str:
    """Return the name of a variable's file; raises DataError where it has several, for nobody knows which is right."""
    if len(names) > 1:
        message = f"variable '{variable}' has {len(names)} files: {', '.join(names)}"
        raise DataError(message, place, "Keep one of them")
    return names[0]


def not_found(variable: str, names: Collection[str], context: str) -> VariableNotFound:
    """Return the error for a variable that is not among `names`; it lists near ones."""
    shown = variable if len(variable) <= 80 else f"{variable[:79]}…"
    message = f"no variable {shown!r}; there are {len(names) or 'none'}"
    near = get_close_matches(variable, names) if len(variable) <= _LONGEST_LIKENED else []
    if near:
        hint = f"Near: {', '.join(near)}"
    elif names:
        hint = f"There are: {', '.join(sorted(names)[:10])}{', ...' if len(names) > 10 else ''}"
    else:
        hint = f"Data files end in {', '.join(SUFFIXES)}"
    return VariableNotFound(message, context, hint)
