"""Registry of the formats of data files, shared by every store that reads files.

A store turns names into variables with `variable_of`, bytes into a Table with `parse`, and a Table into Observations
with `table.observations`. To add a format: one file with its reader, and one line in `_READERS`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

import attrs

from pulse_adapters.stores.formats.csv_text import read_csv
from pulse_adapters.stores.formats.gzipped import unpack
from pulse_adapters.stores.formats.json_lines import read_json_lines
from pulse_adapters.stores.formats.parquet import read_parquet
from pulse_adapters.stores.formats.reading import Reading
from pulse_adapters.stores.formats.shapes import OWN, is_own
from pulse_adapters.stores.formats.spreadsheet import read_spreadsheet
from pulse_adapters.stores.formats.table import (
    FORM,
    Fault,
    NoVariableColumn,
    SeveralVariables,
    Source,
    Table,
    malformed,
    observations,
    several_variables,
)
from pulse_core.arrays import normal_form
from pulse_core.data.observations import Observations
from pulse_core.errors import DataError, MalformedData, VariableNotFound

Reader = Callable[[bytes, Source], Table]

_READERS: Final[dict[str, Reader]] = {
    ".csv": read_csv,
    ".parquet": read_parquet,
    ".jsonl": read_json_lines,
    ".xlsx": read_spreadsheet,
}
_PACKED: Final = ".gz"

_PACKED_ALREADY: Final = (".xlsx",)

SUFFIXES: Final = tuple(
    kind + packed for kind in _READERS for packed in ("", _PACKED) if not (packed and kind in _PACKED_ALREADY)
)
"""The endings of data files: `<variable>.csv`, `<variable>.csv.gz` and so on."""

_LONGEST_MATCHED = 200


def suffix_of(name: str) -> str | None:
    """Return the ending of a data file, in whatever case, or None for other files."""
    lower = name.lower()
    return next((name[-len(suffix) :] for suffix in SUFFIXES if lower.endswith(suffix)), None)


def variable_of(name: str) -> str | None:
    """Return the variable that has its name from a file of this one, in normal form; None for other files.

    None too for a hidden file, for one that a spreadsheet keeps beside an open one (`~$x.csv`), and for a name with a
    slash, a backslash, or an unprintable character.
    """
    suffix = suffix_of(name)
    variable = normal_form(name.removesuffix(suffix)) if suffix else ""
    sound = variable and not variable.startswith((".", "~$")) and "/" not in variable and "\\" not in variable
    return variable if sound and variable == variable.strip() and variable.isprintable() else None


def parse(
    content: bytes,
    name: str,
    context: str,
    *,
    by_variable: bool = False,
    limit: int | None = None,
    reading: Reading = Reading(),  # noqa: B008  # frozen
) -> Table:
    """Read the bytes of the data file `name`; errors are about `context`.

    With `by_variable` a column `variable` names the variable of each row, whatever their number; without it, where it
    names several. The Table lists faults of rows. Raises MalformedData for an unreadable file: one of another format
    than its name tells, without a reading or with several, cut short, or of more than `limit` bytes unpacked (without
    one, of more than memory allows).
    """
    suffix = suffix_of(name)
    if suffix is None:
        raise ValueError(f"'{name}' is no data file; those end in {', '.join(SUFFIXES)}")
    source = Source(context, by_variable, limit, reading)
    kind = suffix.lower()
    if kind.endswith(_PACKED):
        content = unpack(content, source)
    reader = _READERS[kind.removesuffix(_PACKED)]
    try:
        return reader(content, source)
    except (SeveralVariables, NoVariableColumn):  # the columns themselves say whether there are several
        return reader(content, attrs.evolve(source, by_variable=not by_variable))


def version_of(content: bytes, name: str, reading: Reading = Reading()) -> str:  # noqa: B008  # frozen
    """Return a text that distinguishes what is read of a data file from anything else.

    It is made of the file's ending, a SHA-256 of its content, and what the user says of its reading.
    """
    return f"{str(suffix_of(name)).lower()} sha256:{hashlib.sha256(content).hexdigest()}{reading.token()}"


def is_plainly_one(head: bytes, name: str, reading: Reading) -> bool:
    """Whether a file that begins with these bytes is one of one variable, as its header says already."""
    suffix = str(suffix_of(name)).lower()
    if reading != Reading():
        return False
    if suffix == ".csv":
        names = [cell.strip() for cell in head[: head.find(b"\n") + 1].decode("utf-8-sig", "replace").split(",")]
        return is_own(names, reading) and "variable" not in names
    first = head[: head.find(b"\n") + 1]
    return suffix == ".jsonl" and b'"variable"' not in first and all(b'"%b"' % one.encode() in first for one in OWN)


def variables_in(table: Table, name: str) -> tuple[str, ...]:
    """Return the variables in the table of the file `name`: that of its name where its columns name none."""
    return (str(variable_of(name)),) if table.groups is None else tuple(table.groups)


def names_variables(table: Table) -> bool:
    """Whether the variables of a file in a folder are those that its columns name, not one of the file's name.

    A file with Pulse's own columns may say in each row whose it is, and has the file's name all the same.
    """
    return len(table.groups or ()) > (0 if table.understood else 1)


def of_long(table: Table, variable: str, name: str, context: str, version: str = "") -> Observations:
    """Return the rows of one variable in the file `name`, which is all of the data, of this version.

    Raises VariableNotFound, and MalformedData where it has no rows.
    """
    key = normal_form(variable)
    names = variables_in(table, name)
    if key not in names:
        faults = [fault for fault in table.faults if fault.variable is None]
        if not names and not faults:
            faults = [Fault(0, "no rows")]
        raise malformed(faults, context) if faults else not_found(variable, names, context)
    return observations(table.of(key), variable, context, version)


def of_file(table: Table, variable: str, name: str, context: str, version: str = "") -> Observations:
    """Return the rows of one variable in the file `name` of a folder, of this version.

    The columns of a file may name its variables; one that it names alone has the name of the file. Raises MalformedData
    where the file has several others.
    """
    key = normal_form(variable)
    if table.groups is not None and key not in table.groups:
        if names_variables(table) or key != variable_of(name):
            raise several_variables(list(table.groups), context)
        key = next(iter(table.groups))
    return observations(table.of(key), variable, context, version)


def owners(
    files: Mapping[str, Sequence[str]], variables_of: Callable[[str], Sequence[str]], context: str
) -> dict[str, str]:
    """Return the file of each variable in a folder; `files` are those of each file's own name.

    `variables_of` tells the variables that a file's columns name, none where it has its name's. Raises DataError where
    a variable is in two files.
    """
    file_of: dict[str, str] = {}
    for variable, names in files.items():
        for file in names if len(names) == 1 else ():
            for name in variables_of(file) or (variable,):
                if name in file_of:
                    message = f"variable {name!r} is in two files: {file_of[name]}, {file}"
                    raise DataError(message, context, "Keep one of them")
                file_of[name] = file
    # two files of one name are told where the variable is read
    return file_of | {variable: names[0] for variable, names in files.items() if len(names) > 1}


def named_variables(content: bytes, name: str, context: str, reading: Reading) -> tuple[str, ...]:
    """Return the variables that the columns of a file in a folder name; none where it is one that has the file's name.

    What is wrong with a file is told where it is read.
    """
    if is_plainly_one(content, name, reading):
        return ()
    try:
        table = parse(content, name, context, reading=reading)
    except MalformedData:
        return ()
    return tuple(table.groups or ()) if names_variables(table) else ()


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
