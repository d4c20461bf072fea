"""Names of the files of results, the same in every storage.

    records/<group>/<pack>         packed records of a group, see packs.py; a pack is named by the hash of its bytes
    records/<group>/index-<n>-<h>  the n-th index of a group, see pack_index.py; <h> is the hash of its bytes
    units/<kk>/<key>               a single record; <kk> are the first two digits of its key
    <run id>/claim                 who writes to the run's folder now; see leases.py
    <run id>/result.json           the result of a run
    <run id>/<table>/part-*        its tables
    <run id>/<name>                a file attached to the run, such as run.log
    <run id>/progress/<mark>       an empty file for each finished unit of a run whose units are spread over machines

A text from outside becomes a name only if it passes the rules of this file.
"""

from __future__ import annotations

import re
from typing import Final

from pulse_adapters.published.document import RESULT
from pulse_adapters.published.table_writer import SUFFIX, TABLES, is_part_name
from pulse_core.errors import SettingsError

RECORDS: Final = "records"
UNITS: Final = "units"
PROGRESS: Final = "progress"
CLAIM: Final = "claim"

_HASH: Final = re.compile(r"[0-9a-f]{32}")
_INDEX: Final = re.compile(r"index-(\d{6,18})-[0-9a-f]{32}")
_KEY: Final = re.compile(r"[0-9a-f]{4,128}")
_PACKED: Final = re.compile(rf"{RECORDS}/([0-9a-f]{{4,128}})/[a-z0-9.-]+")
_ATTACHED: Final = re.compile(r"run\.log|report\.html|batch\.json|batch-[0-9a-f-]+\.toml")
_NAME: Final = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,128}")


def record_name(key: str) -> str:
    """Return the name of a record. Raises ValueError for an invalid key."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"'{key}' is no key: expected 4 to 128 lower-case hexadecimal digits")
    return f"{UNITS}/{key[:2]}/{key}"


def pack_name(group: str, name: str) -> str:
    """Return the name of a pack or an index of a group. Raises ValueError for a group of other than 32 digits."""
    if not _HASH.fullmatch(group):
        raise ValueError(f"'{group}' is no group: expected 32 lower-case hexadecimal digits")
    return f"{RECORDS}/{group}/{name}"


def is_pack(name: str) -> bool:
    """Whether a file of a group is a pack, by its name."""
    return _HASH.fullmatch(name) is not None


def index_name(number: int, digits: str) -> str:
    """Return the name of the index of this number, with these digits of the hash of its bytes."""
    return f"index-{number:06}-{digits}"


def index_number(name: str) -> int | None:
    """Return the number of the index with this name, or None where the name is no index's."""
    match = _INDEX.fullmatch(name)
    return int(match[1]) if match else None


def group_file(name: str) -> tuple[str, str] | None:
    """Return the group and the name within it of a file of packed records, or None where it is none."""
    start, _, rest = name.partition("/")
    group, _, file = rest.partition("/")
    is_one = start == RECORDS and _HASH.fullmatch(group) and (is_pack(file) or index_number(file) is not None)
    return (group, file) if is_one else None


def key_of(name: str) -> str | None:
    """Return the key of the record with this name, or None where the name is no record's."""
    _, _, key = name.rpartition("/")
    return key if _KEY.fullmatch(key) and record_name(key) == name else None


def group_of(name: str) -> str | None:
    """Return the group of the packed records, or of their index, in the file with this name; None for other names."""
    match = _PACKED.fullmatch(name)
    return match[1] if match else None


def is_run_id(text: str) -> bool:
    """Whether a text is a valid run id."""
    return _NAME.fullmatch(text) is not None and text not in {UNITS, RECORDS}


def run_folder(run_id: str) -> str:
    """Return the name of a run's folder. Raises SettingsError for an invalid run id."""
    if not is_run_id(run_id):
        rule = f"1 to 128 of A-Z a-z 0-9 . _ -, no dot first, and neither '{UNITS}' nor '{RECORDS}'"
        raise SettingsError([f"run id '{run_id}' cannot name a folder: use {rule}"])
    return run_id


def result_name(run_id: str) -> str:
    """Return the name of a run's result. Raises SettingsError for an invalid run id."""
    return f"{run_folder(run_id)}/{RESULT}"


def claim_name(run_id: str) -> str:
    """Return the name of a run id's claim. Raises SettingsError for an invalid run id."""
    return f"{run_folder(run_id)}/{CLAIM}"


def part_name(run_id: str, part: str) -> str:
    """Return the name of a part's file. Raises ValueError for an invalid part, SettingsError for an invalid run id."""
    if not is_part_name(part):
        raise ValueError(f"'{part}' is no name of a part: expected such as {TABLES[0]}/part-00001")
    return f"{run_folder(run_id)}/{part}{SUFFIX}"


def part_of(run_id: str, name: str) -> str | None:
    """Return the part of a run that a file of this name holds, or None."""
    part = name.removeprefix(f"{run_id}/").removesuffix(SUFFIX)
    return part if is_part_name(part) and part_name(run_id, part) == name else None


def attachment_name(run_id: str, name: str) -> str:
    """Return the name of a file attached to a run. Raises SettingsError for an invalid run id or name."""
    if not _NAME.fullmatch(name) or name in {RESULT, CLAIM}:
        raise SettingsError([f"'{name}' cannot be the name of a run's file"])
    return f"{run_folder(run_id)}/{name}"


def is_of_run(run_id: str, name: str) -> bool:
    """Whether Pulse writes files of this name to a run's folder; other files there are somebody else's."""
    folder, _, file = name.removeprefix(f"{run_id}/").rpartition("/")
    if folder:
        return folder == PROGRESS or part_of(run_id, name) is not None
    return file in {RESULT, CLAIM} or _ATTACHED.fullmatch(file) is not None


def mark_name(run_id: str, mark: str) -> str:
    """Return the name of a mark's file. Raises SettingsError for an invalid run id or mark."""
    if not _NAME.fullmatch(mark):
        raise SettingsError([f"'{mark}' cannot be a mark of a run's progress"])
    return f"{run_folder(run_id)}/{PROGRESS}/{mark}"


def file_name(run_id: str, name: str) -> str:
    """Return the full name of any file of a run. Raises SettingsError for an invalid run id or name."""
    if name == RESULT:
        return result_name(run_id)
    if name.endswith(SUFFIX) and is_part_name(name.removesuffix(SUFFIX)):
        return part_name(run_id, name.removesuffix(SUFFIX))
    return attachment_name(run_id, name)
