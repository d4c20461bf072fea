"""Registry of the formats of data files, shared by every store that reads files.

A store turns names into variables with `variable_of`, bytes into a Table with `parse`, and a Table into Observations
with `table.observations`. To add a format: one file with its reader, and one line in `_READERS`.
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
from pulse_adapters.stores.formats.table import FORM, Fault, Source, Table, malformed, observations
from pulse_core.arrays import normal_form
from pulse_core.data.observations import Observations
from pulse_core.errors import DataError, VariableNotFound

Reader = Callable[[bytes, Source], Table]

_READERS: Final[dict[str, Reader]] = {".csv": read_csv, ".parquet": read_parquet, ".jsonl": read_json_lines}
_PACKED: Final = ".gz"

SUFFIXES: Final = tuple(kind + packed for kind in _READERS for packed in ("", _PACKED))
"""The endings of data files: `<variable>.csv`, `<variable>.csv.gz` and so on."""

_LONGEST_MATCHED = 200


def suffix_of(name: str) -> str | None:
    """Return the ending of a data file, or None for other files."""
    return next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)


def variable_of(name: str) -> str | None:
    """Return the variable of a file with this name, in normal form; None for other files.

    None too for a hidden file, for one that a spreadsheet keeps beside an open one (`~$x.csv`), and for a name with a
    slash, a backslash, or an unprintable character.
    """
    suffix = suffix_of(name)
    variable = normal_form(name.removesuffix(suffix)) if suffix else ""
    sound = variable and not variable.startswith((".", "~$")) and "/" not in variable and "\\" not in variable
    return variable if sound and variable == variable.strip() and variable.isprintable() else None


def parse(content: bytes, name: str, context: str, *, by_variable: bool = False, limit: int | None = None) -> Table:
    """Read the bytes of the data file `name`; errors are about `context`.

    With `by_variable` it is a long file, whose column `variable` names the variable of each row. The Table lists faults
    of rows. Raises MalformedData for an unreadable file: one of another format than its name tells, without a needed
    column, cut short, or of more than `limit` bytes unpacked (without one, of more than memory allows).
    """
    suffix = suffix_of(name)
    if suffix is None:
        raise ValueError(f"'{name}' is no data file; those end in {', '.join(SUFFIXES)}")
    source = Source(context, by_variable, limit)
    if suffix.endswith(_PACKED):
        content = unpack(content, source)
    return _READERS[suffix.removesuffix(_PACKED)](content, source)


def version_of(content: bytes, name: str) -> str:
    """Return a text that distinguishes the content of a data file from any other: its ending and a SHA-256."""
    return f"{suffix_of(name)} sha256:{hashlib.sha256(content).hexdigest()}"


def of_long(table: Table, variable: str, context: str, version: str = "") -> Observations:
    """Return the rows of one variable in a long file of this version.

    Raises VariableNotFound, and MalformedData where it has no rows.
    """
    key = normal_form(variable)
    if key not in (table.groups or ()):
        faults = [fault for fault in table.faults if fault.variable is None]
        if not table.groups and not faults:
            faults = [Fault(0, "no rows")]
        raise malformed(faults, context) if faults else not_found(variable, table.groups or (), context)
    return observations(table.of(key), variable, context, version)


def the_only_file(variable: str, names: Sequence[str], context: str) -> str:
    """Return the name of a variable's file. Raises DataError where it has several: either could be the right one."""
    if len(names) > 1:
        message = f"variable '{variable}' has {len(names)} files: {', '.join(names)}"
        if len({normal_form(name) for name in names}) < len(names):
            message = f"{message}; some of these names differ in {FORM} alone"
        raise DataError(message, context, "Keep one of them")
    return names[0]


def not_found(variable: str, names: Collection[str], context: str) -> VariableNotFound:
    """Return the error for a variable that is not among `names`; its hint lists near ones."""
    label = variable if len(variable) <= 80 else f"{variable[:79]}…"
    message = f"no variable {label!r}; there are {len(names) or 'none'}"
    near = get_close_matches(variable, names) if len(variable) <= _LONGEST_MATCHED else []
    if near:
        hint = f"Near: {', '.join(near)}"
    elif names:
        hint = f"There are: {', '.join(sorted(names)[:10])}{', ...' if len(names) > 10 else ''}"
    else:
        hint = f"Data files end in {', '.join(SUFFIXES)}"
    return VariableNotFound(message, context, hint)
