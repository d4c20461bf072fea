"""What stands where in a place of results, the same in every place.

    units/<kk>/<key>               a record; <kk> are the first two digits of its key
    <run id>/result.json           a run's result
    <run id>/<table>/part-*        its tables
    <run id>/<name>                what was attached to it, such as run.log
    <run id>/progress/<mark>       an empty file for each thing that is done, while others do the rest

Nothing that comes from outside becomes a name unless it is one by the rules here.
"""

from __future__ import annotations

import re
from typing import Final

from pulse_adapters.published.table_writer import SUFFIX, TABLES, is_part_name
from pulse_core.errors import SettingsError

UNITS: Final = "units"
RESULT: Final = "result.json"
PROGRESS: Final = "progress"

_KEY: Final = re.compile(r"[0-9a-f]{4,128}")
_NAME: Final = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,128}")


def record_name(key: str) -> str:
    """Return the name of a record. Raises ValueError where the key is none."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"'{key}' is no key: expected 4 to 128 lower-case hexadecimal digits")
    return f"{UNITS}/{key[:2]}/{key}"


def key_of(name: str) -> str | None:
    """Return the key of the record with this name, or None where it is no record's."""
    _, _, key = name.rpartition("/")
    return key if _KEY.fullmatch(key) and record_name(key) == name else None


def is_run_id(text: str) -> bool:
    """Whether a run may be called so."""
    return _NAME.fullmatch(text) is not None and text != UNITS


def run_folder(run_id: str) -> str:
    """Return the name of a run's folder. Raises SettingsError where the run id is none."""
    if not is_run_id(run_id):
        rule = f"1 to 128 of A-Z a-z 0-9 . _ -, no dot first, and not '{UNITS}'"
        raise SettingsError([f"run id '{run_id}' cannot name a folder: use {rule}"])
    return run_id


def result_name(run_id: str) -> str:
    """Return the name of a run's result. Raises SettingsError where the run id is none."""
    return f"{run_folder(run_id)}/{RESULT}"


def part_name(run_id: str, part: str) -> str:
    """Return the name of a part's file. Raises ValueError where the part's name is none, SettingsError."""
    if not is_part_name(part):
        raise ValueError(f"'{part}' is no name of a part: expected such as {TABLES[0]}/part-00001")
    return f"{run_folder(run_id)}/{part}{SUFFIX}"


def part_of(run_id: str, name: str) -> str | None:
    """Return which part of a run a file of this name is, or None."""
    part = name.removeprefix(f"{run_id}/").removesuffix(SUFFIX)
    return part if is_part_name(part) and part_name(run_id, part) == name else None


def attachment_name(run_id: str, name: str) -> str:
    """Return the name of a file attached to a run. Raises SettingsError where run id or name are none."""
    if not _NAME.fullmatch(name) or name == RESULT:
        raise SettingsError([f"'{name}' cannot be the name of a run's file"])
    return f"{run_folder(run_id)}/{name}"


def mark_name(run_id: str, mark: str) -> str:
    """Return the name of a mark's file. Raises SettingsError where run id or mark are no names."""
    if not _NAME.fullmatch(mark):
        raise SettingsError([f"'{mark}' cannot be a mark of a run's progress"])
    return f"{run_folder(run_id)}/{PROGRESS}/{mark}"


def file_name(run_id: str, name: str) -> str:
    """Return the full name of any file of a run. Raises SettingsError where run id or name are none."""
    if name == RESULT:
        return result_name(run_id)
    if name.endswith(SUFFIX) and is_part_name(name.removesuffix(SUFFIX)):
        return part_name(run_id, name.removesuffix(SUFFIX))
    return attachment_name(run_id, name)
